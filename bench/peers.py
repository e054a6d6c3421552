"""The tools that the gate is compared with, each as a user starts it, and what each says to a wheel, in one word."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from factory.resolve.target import uv_platform
from factory.tags import Interpreter, PlatformTag

PROGRAMS = Path(__file__).parents[1] / ".peers" / "bin"
"""Where `make` installs what requirements/peers.lock pins."""
_TIMEOUT_S = 120

_NEWEST = 99
"""A minor version, or a release of one, that is newer than all there are."""

Word = Literal["refuses", "crashes", "warns", "silent"]
STOPS = ("refuses", "crashes")

_CRASH = re.compile(r"Traceback \(most recent call last\)|panicked at")
# auditwheel raises some of what it refuses on purpose, stack and all.
_MEANT = re.compile(
    r"^(?:ValueError: Cannot repair wheel, because|The wheel has to be platlib compliant|auditwheel\.error\.\w+: )",
    re.MULTILINE,
)
_WARNING = re.compile(r"(?im)(?:\b(?:warning|error|deprecation)\b|\N{SKULL}).*$")
# abi3audit's word for a module that is not its business.
_NOT_ASKED = "not abi3 tagged?"
_SHOWN = re.compile(r'is consistent with the following platform tag: "(?P<tag>[^"]+)"')
# Colours, rich's clock, temporary folders and addresses.
_NOISE = re.compile(r"\x1b\[[0-9;]*m|\[\d\d:\d\d:\d\d\] |/tmp/[.\w-]+/(?:\.tmp\w+/)?|\b0x[0-9a-f]{6,}")


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A tool: the program as pinned, what is typed after it, and what a wheel's file name asks for beside that.

    `{wheel}`, a `{folder}` that is not there yet and the peers' `{python}` are filled in.
    """

    name: str
    arguments: str
    more: Callable[[str], list[str]] = lambda _: []

    @property
    def program(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def typed(self) -> str:
        """The command as a person types it."""
        return f"{self.program} {self.arguments.format(wheel='WHEEL', folder='FOLDER', python='PYTHON')}"

    def argv(self, wheel: Path, into: Path) -> list[str]:
        filled = {"wheel": wheel, "folder": into / "out", "python": PROGRAMS / "python"}
        words = [word.format(**filled) for word in self.arguments.split()]
        return [str(PROGRAMS / self.program), *words, *self.more(wheel.name)]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a tool says to a wheel: the word for it, and its lines that are more than progress."""

    word: Word
    lines: tuple[str, ...] = ()


_TAGS = re.compile(r"-(?P<python>[a-z]{2})(?P<major>\d)(?P<minor>\d*)[^-]*-(?P<abis>[^-]+)-(?P<platforms>[^-]+)\.whl")


def _pip_target(filename: str) -> list[str]:
    """Install for what the wheel claims: a foreign platform is no defect of it."""
    if not (tags := _TAGS.search(filename)):
        return []
    words = [f"--implementation={tags['python']}", f"--python-version={_version(tags)}"]
    words += [f"--abi={abi}" for abi in tags["abis"].split(".")]
    return [*words, *(f"--platform={tag}" for tag in tags["platforms"].split("."))]


def _uv_target(filename: str) -> list[str]:
    """Do the same as far as uv can: for the processors that it has names for, on the newest libc that it knows."""
    if not (tags := _TAGS.search(filename)):
        return []
    words = [f"--python-version={_version(tags)}"]
    if tags["platforms"] == "win_amd64":
        return [*words, "--python-platform=x86_64-pc-windows-msvc"]
    with suppress(ValueError):
        platform = replace(PlatformTag.parse(tags["platforms"].split(".")[0]), minor=_NEWEST)
        if name := uv_platform(Interpreter(int(tags["minor"] or sys.version_info.minor)), platform):
            words.append(f"--python-platform={name}")
    return words


def _version(tags: re.Match[str]) -> str:
    """Name the newest release of the oldest version that the tag claims."""
    return f"{tags['major']}.{tags['minor'] or sys.version_info.minor}.{_NEWEST}"


_PIP = "install --no-deps --no-index --no-cache-dir --only-binary=:all: --target={folder} {wheel}"
_UV = "pip install --no-deps --offline --no-config --no-cache --python={python} --target={folder} {wheel}"
PEERS = (
    Peer(name="auditwheel show", arguments="show {wheel}"),
    Peer(name="auditwheel repair", arguments="repair --wheel-dir={folder} {wheel}"),
    Peer(name="abi3audit", arguments="{wheel}"),
    Peer(name="twine check", arguments="check {wheel}"),
    Peer(name="check-wheel-contents", arguments="{wheel}"),
    Peer(name="pip install", arguments=_PIP, more=_pip_target),
    Peer(name="uv pip install", arguments=_UV, more=_uv_target),
)


def ask(peer: Peer, wheel: Path, into: Path) -> Answer:
    """Start a tool on a wheel; `into` is a folder of this call's own."""
    into.mkdir(parents=True)
    env = {"PATH": f"{PROGRAMS}:{os.defpath}", "LC_ALL": "C.UTF-8", "COLUMNS": "4000", "HOME": str(into)}
    try:
        done = subprocess.run(
            peer.argv(wheel, into),
            cwd=into,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(word="crashes", lines=(f"no end after {_TIMEOUT_S} s",))
    said = done.stdout.decode(errors="replace")
    for place, name in ((into, "FOLDER"), (wheel, "WHEEL"), (wheel.name, "WHEEL"), (wheel.parent, "")):
        said = said.replace(str(place), name)
    return read_answer(done.returncode, _NOISE.sub("", said), wheel.name)


def read_answer(code: int, said: str, filename: str) -> Answer:
    """Put an exit code and an output into a word.

    A program that was killed, or shows a stack, crashes: it ends all right, but nobody decided so.
    """
    meant = _MEANT.search(said)
    if code < 0 or (code and _CRASH.search(said) and not meant):
        return Answer(word="crashes", lines=_last(said))
    if code:
        return Answer(word="refuses", lines=_last(said) if meant else (_reason(said),))
    lines = tuple(_warnings(said)) + _lower_tag(said, filename)
    return Answer(word="warns" if lines else "silent", lines=lines)


def compared(bad: Answer, near: Answer) -> tuple[str, str]:
    """Tell what a tool says to what breaks a rule, the near-miss beside it, and one line of its own about it.

    It says `both` when it stops the near-miss as well: then it judged something else. A warning that it gives to both
    does not count.
    """
    if bad.word in STOPS:
        return ("both", "") if near.word in STOPS else (bad.word, bad.lines[0])
    lines = [line for line in bad.lines if line not in near.lines]
    return ("warns", lines[0]) if lines else ("silent", "")


def _warnings(said: str) -> list[str]:
    lines = [match[0].strip() for match in _WARNING.finditer(said)]
    return [line for line in lines if _NOT_ASKED not in line]


def _reason(said: str) -> str:
    """Take what is said from the first warning on, or the last two lines."""
    first = _WARNING.search(said)
    lines = said[first.start() :].splitlines() if first else said.splitlines()[-2:]
    return " ".join(" ".join(lines).split()) or "no word"


def _last(said: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in said.splitlines() if line.strip())[-1:] or ("no word",)


def _lower_tag(said: str, filename: str) -> tuple[str, ...]:
    """Take it for a warning when `auditwheel show` names a lower platform than one that the file name claims."""
    shown = _SHOWN.search(" ".join(said.split()))
    if shown is None:
        return ()
    claimed = filename.removesuffix(".whl").rpartition("-")[2].split(".")
    return () if all(_keeps(shown["tag"], tag) for tag in claimed) else (f"consistent with {shown['tag']}",)


def _keeps(shown: str, claimed: str) -> bool:
    """Whether the claim is kept; a tag of no policy is not compared."""
    try:
        ceiling = PlatformTag.parse(claimed)
        return PlatformTag.parse(shown).serves(ceiling)
    except ValueError:
        return not claimed.startswith(("manylinux_", "musllinux_"))
