"""Scripts of the source that a command calls: which system packages they install, and what in them cannot work."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.errors import SourceError
from factory.init.commands import MANAGERS, split
from factory.init.reach import Need, needs
from factory.project.cargo import inside
from factory.project.files import Files, read_text

_SHELLS = frozenset({"sh", "bash", "source", ".", "dash"})
_MOST_LINES = 5_000
_INSTALL = re.compile(
    r"(?<![\w./-])(?P<manager>yum|dnf|microdnf|apt-get|apt|apk)\s++(?:-\S++\s++){0,20}(?:install|add)\b(?P<rest>[^;&|\n)}]*+)"
)
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script that a command calls, as text: comments are gone, and lines that a backslash joins are one."""

    path: str
    text: str

    def needs(self) -> tuple[Need, ...]:
        """Return the programs in it that install or fetch something, each once."""
        found = {need.program: need for line in self.text.splitlines() for need in needs(line)}
        return tuple(found.values())

    def system_packages(self) -> Mapping[str, tuple[str, ...]]:
        """Return the packages that it installs, by the recipe's names of the managers."""
        return installed_in(self.text)


def called_script(files: Files, command: str) -> Script | None:
    """Return the script of the source that a command runs: `bash {project}/ci/prepare.sh`, `./prepare.sh`."""
    for word in split(command):
        path = inside("", re.sub(r"^\{(?:project|package)\}/", "", word))
        if path and (text := _text(files, path)) is not None and (_is_run(command, word) or text.startswith("#!")):
            return Script(path=path, text=text)
    return None


def installed_in(text: str) -> Mapping[str, tuple[str, ...]]:
    """Return the packages that shell text installs wherever in it; names that are computed are left out."""
    packages: dict[str, dict[str, None]] = defaultdict(dict)
    for match in _INSTALL.finditer(text):
        names = (word.strip("\"'") for word in match["rest"].split())
        packages[MANAGERS[match["manager"]]] |= dict.fromkeys(name for name in names if _PACKAGE.fullmatch(name))
    return {manager: tuple(names) for manager, names in packages.items() if names}


def _is_run(command: str, word: str) -> bool:
    words = split(command)
    place = words.index(word)
    return place == 0 or words[place - 1].rpartition("/")[2] in _SHELLS


def _text(files: Files, path: str) -> str | None:
    try:
        text = read_text(files, path)
    except SourceError:
        return None  # no script: too large, or not text
    if text is None:
        return None
    lines = text.replace("\\\n", " ").splitlines()[:_MOST_LINES]
    return "\n".join(_lines(lines))


def _lines(lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if (number == 0 and line.startswith("#!")) or not line.lstrip().startswith("#"):
            yield line
