"""The grammar of where wheels must work: interpreters, ranges, abi3 floors and platforms."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

from factory.form.kinds import RefusalError
from factory.form.problems import quote
from factory.machines import WINDOWS_RUST
from factory.pins import TAGGED, Pin
from factory.recipe.lifetimes import supported
from factory.tags import (
    ARCHITECTURES,
    FIRST_ABI3T,
    FIRST_FREE_THREADED,
    Abi3Floor,
    AnyPython,
    Interpreter,
    Platform,
    PlatformTag,
    WindowsTag,
    platform_of,
)

INTERPRETER_PATTERN = "(cp|pp)3[0-9]{1,2}t?"

_FIRST_ABI3 = 2
_LOOKS_LIKE_PYTHON = re.compile(r"(?:c?py?(?:thon)?)?[ -]?3[.-]?([0-9]{1,2})(t?)(?:\.[0-9]+)?", re.IGNORECASE)
_LOOKS_LIKE_PYPY = re.compile(r"(?i:pypy|pp)[-_ ]?3\.?([0-9]{1,2})(?:[-_ ].*)?")
_ABI3_TAG = re.compile(r"(?P<floor>cp3[0-9]{1,2}t?)-abi3")
_POLICY = re.compile(r"(?:manylinux(?:1|2010|2014|_[0-9]+_[0-9]+)|musllinux_[0-9]+_[0-9]+)(?=_|$)")
_NO_POLICY = re.compile(r"(manylinux[0-9]+)(_[a-z0-9_]+|$)")
_WINDOWS = ", ".join(str(WindowsTag(arch)) for arch in WINDOWS_RUST)
_ARCHITECTURES_ELSEWHERE = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "i386": "i686", "armv7": "armv7l"}

PER_VERSION: Final = "per-version"
Tagging: TypeAlias = AnyPython | Literal["per-version"]
"""How the wheels are tagged that a project makes: for every Python, or one per version."""

Origin = Literal["name", "range", "supported"]
_RANK: dict[Origin, int] = {"name": 0, "range": 1, "supported": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An interpreter on which the wheels must work, and whether the recipe names it or a range brought it.

    What is named must be possible; what a range or `supported` brought may be skipped with a reason.
    """

    interpreter: Interpreter
    origin: Origin


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of `interpreters`; without interpreters it is `supported`, which only a date can expand."""

    origin: Origin
    interpreters: tuple[Interpreter, ...] = ()


def asked(text: str) -> Asked:
    """Read `cp313`, `cp39..cp314` or `supported`."""
    if text == "supported":
        return Asked("supported")
    if ".." in text:
        return Asked("range", _range(text))
    return Asked("name", (parse_interpreter(text),))


def _range(text: str) -> tuple[Interpreter, ...]:
    first, last = (parse_interpreter(end.strip()) for end in text.split("..", 1))
    if (first.implementation, first.free_threaded) != (last.implementation, last.free_threaded):
        hint = f"write a range of one kind, such as cp39..cp314, and name {last} beside it"
        raise RefusalError(f"{quote(text)} mixes two kinds of interpreters", hint)
    if first.minor > last.minor:
        raise RefusalError(f"{quote(text)} runs backwards", f"write {last}..{first}")
    kind = (first.free_threaded, first.implementation)
    return tuple(Interpreter(minor, *kind) for minor in range(first.minor, last.minor + 1))


def expand(items: tuple[Asked, ...], today: date) -> tuple[Wanted, ...]:
    """List every interpreter once, in order; a name outranks a range, a range outranks `supported`."""
    origins: dict[Interpreter, Origin] = {}
    for item in sorted(items, key=lambda item: _RANK[item.origin]):
        for interpreter in item.interpreters or supported(today):
            origins.setdefault(interpreter, item.origin)
    return tuple(Wanted(interpreter=interpreter, origin=origins[interpreter]) for interpreter in sorted(origins))


def parse_interpreter(text: str) -> Interpreter:
    """Read `cp313`, `cp314t` or `pp311`."""
    hint = _meant(text) or _other_than_cpython(text) or "write for example cp313, cp314t, cp39..cp314 or supported"
    try:
        read = Interpreter.parse(text)
    except ValueError:
        raise RefusalError(f"{quote(text)} is not an interpreter", hint) from None
    if read.free_threaded and read.minor < FIRST_FREE_THREADED:
        raise RefusalError(
            f"{text} does not exist: free-threaded builds begin with 3.13 (PEP 703)", f"write cp3{read.minor}"
        )
    return read


def _meant(text: str) -> str:
    match = _LOOKS_LIKE_PYTHON.fullmatch(text.strip())
    return f"write cp3{int(match[1])}{match[2]}" if match else ""


def _other_than_cpython(text: str) -> str:
    match = _LOOKS_LIKE_PYPY.fullmatch(text.strip())
    if match is not None:
        return f"write pp3{int(match[1])}"
    is_graalpy = text.strip().lower().startswith("graalpy")
    return "leave it out: wheels are built for CPython and PyPy, and no image has a GraalPy" if is_graalpy else ""


def floor(text: str) -> Abi3Floor:
    """Read `cp39` or `cp315t`."""
    hint = _meant(text) or "write for example cp39; a floor for free-threaded builds as well is cp315t"
    try:
        read = Abi3Floor.parse(text)
    except ValueError:
        raise RefusalError(f"{quote(text)} is not an abi3 floor", hint) from None
    if read.minor < _FIRST_ABI3:
        raise RefusalError(f"{text} cannot be a floor: the stable ABI begins with 3.2 (PEP 384)", "write cp32 or newer")
    if read.free_threaded and read.minor < FIRST_ABI3T:
        hint = f"write cp315t or newer, or cp3{read.minor} for builds with the GIL"
        raise RefusalError(f"{text} cannot be a floor: abi3t begins with 3.15 (PEP 803)", hint)
    return read


def tagging(text: str) -> Tagging:
    """Read `py3-none`, `py2.py3-none`, `py310-none` or the like, or `per-version`."""
    read = AnyPython.named(text)
    if read is None and text != PER_VERSION:
        message = f"{quote(text)} is neither {PER_VERSION} nor a tag without an ABI"
        raise RefusalError(message, _meant_tagging(text))
    return read or PER_VERSION


def _meant_tagging(text: str) -> str:
    match = _ABI3_TAG.fullmatch(text)
    if match is not None:
        return f"a floor has a field of its own: write abi3: {match['floor']}"
    return f"write py3-none for one wheel for every Python, or {PER_VERSION} for one per version"


def platform(text: str) -> Platform:
    """Read `manylinux_2_28_x86_64`, `musllinux_1_2_aarch64` or `win_amd64`, legacy names included."""
    try:
        read = platform_of(text)
    except ValueError:
        message, hint = _platform_problem(text)
        raise RefusalError(message, hint) from None
    if isinstance(read, WindowsTag) and read.arch not in WINDOWS_RUST:
        raise RefusalError(f"nothing here compiles for {read}", f"of Windows only {_WINDOWS} can be built: write that")
    return read


def linux_platform(text: str) -> PlatformTag:
    """Read a platform for which images are."""
    read = platform(text)
    if not isinstance(read, PlatformTag):
        message = f"{quote(text)} has no image: its wheels are built in one for Linux"
        raise RefusalError(message, "remove the line; the factory chooses an image that mingw-w64 can be added to")
    return read


def platform_name(text: str) -> str:
    """Read a platform, and spell it as its policy does: `manylinux2014_x86_64` is `manylinux_2_17_x86_64`."""
    return str(platform(text))


def pinned_image(text: str) -> Pin:
    """Read an image by digest: `registry/name@sha256:…`, optionally with a tag before the digest."""
    try:
        return Pin.parse(text)
    except ValueError:
        if TAGGED.fullmatch(text):
            hint = f"a tag can move to another image: `factory image pin {text}` prints what to write"
            raise RefusalError(f"{quote(text)} has no digest", hint) from None
        name, at, digest = text.partition("@")
        if at and TAGGED.fullmatch(name):
            raise RefusalError(
                f"{quote(digest)} is not a digest", "write sha256: and 64 digits 0-9a-f, as registries print them"
            ) from None
        raise RefusalError(f"{quote(text)} is not an image", "write registry/name@sha256:…") from None


def _platform_problem(text: str) -> tuple[str, str]:
    """Say what is wrong with a text that is not a platform tag, and what was probably meant."""
    if _POLICY.fullmatch(text):
        return f"{quote(text)} names no architecture", f"write {text}_x86_64"
    if match := _POLICY.match(text):
        return _unknown_architecture(match.group(), text[match.end() + 1 :])
    if match := _NO_POLICY.fullmatch(text):
        meant = f"manylinux_2_28{match[2] or '_x86_64'}"
        return f"{match[1]} never existed", (
            f"since manylinux2014 the names say which glibc they need (PEP 600): write {meant} or an older glibc"
        )
    if text.startswith("linux_"):
        hint = f"write manylinux_2_28{text.removeprefix('linux')}, or the glibc of your oldest system"
        return f"{quote(text)} promises nothing beyond the machine that it was built on", hint
    if text.startswith("macosx"):
        made = f"this version of the factory makes wheels for Linux and for {_WINDOWS}"
        return f"{quote(text)} is neither Linux nor Windows", made
    if text.startswith("win"):
        return f"{quote(text)} is not a platform tag of Windows", f"write {_WINDOWS}"
    return f"{quote(text)} is not a platform tag", "write for example manylinux_2_28_x86_64 or musllinux_1_2_x86_64"


def _unknown_architecture(policy: str, arch: str) -> tuple[str, str]:
    meant = _ARCHITECTURES_ELSEWHERE.get(arch)
    known = f"known: {', '.join(sorted(ARCHITECTURES))}"
    return f"no policy covers the architecture {quote(arch)}", f"write {policy}_{meant}" if meant else known
