"""Shell commands of other tools: which only install something, and how the rest reads in a recipe."""

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator

MANAGERS = {"yum": "dnf", "dnf": "dnf", "microdnf": "dnf", "apt-get": "apt", "apt": "apt", "apk": "apk"}
_MANAGER = re.compile(rf"\b(?:{'|'.join(MANAGERS)})\b")
_NOTHING_OF_THEIR_OWN = frozenset({"update", "upgrade", "makecache", "clean"})
_NOT_IN_A_TRIAL = frozenset(
    {
        "make",
        "cmake",
        "ninja",
        "meson",
        "gcc",
        "g++",
        "cc",
        "c++",
        "cargo",
        "git",
        "docker",
        "tox",
        "nox",
        "hatch",
        "uv",
    }
)
_JOINTS = re.compile(r"&&|\|\||[;\n]")
_STRUCTURE = frozenset({"if", "then", "elif", "else", "fi"})
_ASKS = re.compile(r"set [+-]\w.*|(?:command -v|which|type|hash|test|\[) .*|:?|true|#.*")
"""What a script does around the commands of package managers: it sets options of the shell, and asks what is there."""
_MOST_CHARACTERS = 10_000


def system_packages(command: str) -> dict[str, tuple[str, ...]] | None:
    """Return the packages that a command installs, by the recipe's names of the managers; None where it does more.

    Alternatives (`yum install a || apk add a`, `if command -v apk; then …`) are one list for each manager.
    """
    installed: dict[str, tuple[str, ...]] = {}
    calls = [part for part in map(_without_structure, _JOINTS.split(command)) if not _ASKS.fullmatch(part)]
    for part in calls:
        read = _installed(part)
        if read is None:
            return None
        manager, packages = read
        if packages:
            installed[manager] = tuple(dict.fromkeys((*installed.get(manager, ()), *packages)))
    return installed if calls else None


def _without_structure(part: str) -> str:
    """Return a simple command without the words of the shell that lead to it: `then apt-get install x`."""
    words = part.strip(" \t(){}").split()
    while words and words[0] in _STRUCTURE:
        words = words[1:]
    return " ".join(words)


def foreign_manager(command: str) -> str:
    """Return the package manager that a command calls, if the command calls none of Debian's."""
    calls = filter(_MANAGER.search, _JOINTS.split(command))  # `shlex` takes microseconds even for an empty part
    called = [word for call in calls for word in split(call) if word in MANAGERS]
    return "" if any(MANAGERS[word] == "apt" for word in called) else next(iter(called), "")


def _installed(part: str) -> tuple[str, tuple[str, ...]] | None:
    words = split(part)
    words = words[1:] if words[:1] == ["sudo"] else words
    if not words or words[0] not in MANAGERS:
        return None
    manager = MANAGERS[words[0]]
    verb, *names = [word for word in words[1:] if not word.startswith("-")] or [""]
    if verb in _NOTHING_OF_THEIR_OWN and not names:
        return manager, ()
    plain = all(re.fullmatch(r"[A-Za-z0-9_.+-]+", name) for name in names)
    return (manager, tuple(names)) if verb in ("install", "add") and names and plain else None


def pip_installs(command: str) -> tuple[str, ...] | None:
    """Return the words after `pip install`, None where the command is, or does, anything else."""
    words = split(command)
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]):
        words.pop(0)
    if words[:1] == ["uv"]:
        words.pop(0)
    if words[:2] and words[0].startswith("python") and words[1] == "-m":
        words = words[2:]
    shell = any(word in ("|", "&", ";", "||", "&&") for word in words)
    if shell or words[:2] not in (["pip", "install"], ["pip3", "install"]):
        return None
    return tuple(words[2:])


def parts(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the commands that `&&` joins; a line whose quotes, brackets or conditions span several stays whole."""
    commands: list[str] = []
    for line in lines:
        pieces = [piece.strip() for piece in line.split("&&")]
        whole = re.search(r"[(){};|]|\bif\b|\bfor\b", line) or not all(split(piece) for piece in pieces)
        commands += [line.strip()] if whole else pieces
    return tuple(commands)


def needs_a_tool(command: str) -> str:
    """Return the program that a command begins with if no trial image has it, else nothing."""
    words = [word for word in split(command) if not re.fullmatch(r"[A-Za-z_]\w*=.*", word)]
    return words[0] if words and words[0] in _NOT_IN_A_TRIAL else ""


def split(command: str) -> list[str]:
    """Return a command's words; none where its quotes do not match, or where it is too long."""
    try:
        return shell_words(command)
    except ValueError:
        return []


def shell_words(text: str, *, comments: bool = False) -> list[str]:
    """Split a text as a shell does. A word of some megabytes would take `shlex` minutes.

    Raises:
        ValueError: a quote is never closed, or the text has more than 10 000 characters.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"it has {len(text)} characters; at most {_MOST_CHARACTERS} are read")
    return shlex.split(text, comments=comments)


def in_tree(command: str, folder: str) -> str:
    """Spell cibuildwheel's placeholders for a command that runs in the project's folder of the source."""
    root = posixpath.relpath(".", folder) if folder else "."
    return command.replace("{package}", ".").replace("{project}", root)


def in_trial(command: str, folder: str) -> str:
    """Spell cibuildwheel's placeholders for a command of a trial."""
    package = posixpath.join("{source}", folder.strip("/")) if folder.strip("/") else "{source}"
    return command.replace("{package}", package).replace("{project}", "{source}")


def copies(paths: tuple[str, ...]) -> Iterator[str]:
    """Yield what puts files of the source into the folder of the trial, below the same paths."""
    for path in paths:
        folder = posixpath.dirname(path.strip("/"))
        into = f"{shlex.quote(folder)}/" if folder else "."
        copy = f"cp -r {{source}}/{shlex.quote(path.strip('/'))} {into}"
        yield f"mkdir -p {into} && {copy}" if folder else copy
