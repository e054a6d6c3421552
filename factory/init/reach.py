"""What a command needs that builds and trials do not have: a network, root, programs that only install."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from factory.init.commands import MANAGERS, split

_JOINTS = re.compile(r"&&|\|\||[;|&\n]")
_LEADING = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "(", "{", "time", "exec", "sudo", "env", "eval", "nice"}
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*")
_PYTHON = re.compile(r"python[0-9.]*|\$\{?PYTHON\w*\}?")
_IN_SUBSTITUTION = re.compile(r"\$\(|`|\"|'")
REQUIRES: Final = "list what it installs under build.requires"
_SYSTEM = "list the packages under build.system"
RUST: Final = "rust comes with the image: build: {toolchain: {rust: '>=1.83'}} says which one it must be"
_FETCH = "put the file into the source, or fetch it in build.before-all, which has a network"
_INSTALLERS = MappingProxyType(
    {
        **dict.fromkeys(("pip", "pip3", "uv", "pipx", "easy_install", "conda", "mamba", "poetry"), REQUIRES),
        **dict.fromkeys((*MANAGERS, "brew", "pacman", "zypper"), _SYSTEM),
        **dict.fromkeys(("rustup", "rustup-init", "sh.rustup.rs"), RUST),
        **dict.fromkeys(("curl", "wget"), _FETCH),
        **dict.fromkeys(("npm", "yarn", "vcpkg", "conan"), _FETCH),
    }
)
_NAMED = re.compile("|".join(map(re.escape, ("git", *_INSTALLERS))))
_PRINTERS = frozenset(
    {"uname", "echo", "printf", "env", "pwd", "ls", "cat", "which", "whoami", "id", "date", "df", "nproc"}
)
_GIT_FETCHES = frozenset({"clone", "fetch", "pull", "submodule"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A program that a command calls and that cannot work, and the recipe's own line instead."""

    program: str
    instead: str


def needs(command: str) -> Iterator[Need]:
    """Yield the programs in a command that install or fetch something, each once."""
    seen = set[str]()
    for part in filter(_NAMED.search, _JOINTS.split(_IN_SUBSTITUTION.sub(" ; ", command))):
        program, words = _called(part)
        if program == "git" and not _GIT_FETCHES.isdisjoint(words):
            need = Need(program="git", instead=_FETCH)
        elif program in _INSTALLERS:
            need = Need(program=program, instead=RUST if "rustup" in part else _INSTALLERS[program])
        else:
            continue
        if need.program not in seen:
            seen.add(need.program)
            yield need


def only_prints(command: str) -> bool:
    """Tell whether a command prints something and does nothing else: `uname -a`, `gcc --version`."""
    if re.search(r"[>`]|\$\(", command):
        return False
    parts = list(filter(str.strip, _JOINTS.split(command)))
    return bool(parts) and all(map(_prints, parts))


def _prints(part: str) -> bool:
    program, words = _called(part)
    alone = program == "env" or program in _PRINTERS
    return alone or (bool(program) and words in (["--version"], ["-V"], ["-v"], ["version"]))


def _called(part: str) -> tuple[str, list[str]]:
    """Return the program of a simple command, without its folder, and the words after it."""
    words = split(part) or part.split()
    while len(words) > 1 and (words[0] in _LEADING or _ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    words = [word.strip("(){}") for word in words] if words else words
    if len(words) > 2 and _PYTHON.fullmatch(words[0].rpartition("/")[2]) and words[1] == "-m":  # noqa: PLR2004 -- python -m pip
        words = words[2:]
    return (words[0].rpartition("/")[2], words[1:]) if words else ("", [])
