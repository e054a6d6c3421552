"""Requirements that a project keeps in files or groups of its own, read as far as they can be."""

import posixpath
from collections.abc import Iterable, Iterator
from itertools import islice

from factory.errors import SourceError
from factory.init.commands import shell_words
from factory.init.model import Carried, Entry, Left
from factory.project.cargo import inside
from factory.project.files import Files, read_text
from factory.tables import Table
from factory.untrusted import UntrustedTextError, dependency_group, excerpt, parse_requirement

_MOST_LINES = 10_000
_DEEPEST = 5
_QUIET = frozenset({"-U", "--upgrade", "-q", "-v", "--quiet", "--verbose", "--no-cache-dir", "-y"})
_FILES = {"-r": "-r", "--requirement": "-r", "--requirements": "-r", "-c": "-c", "--constraint": "-c"}
_FILES |= {"-b": "-c", "--constraints": "-c", "--build-constraint": "-c", "--build-constraints": "-c"}
_WITH_A_VALUE = frozenset(
    {
        *("-e", "--editable", "-f", "--find-links", "-i", "--index-url", "--extra-index-url", "-t", "--target"),
        *("--prefix", "--root", "--trusted-host", "--platform", "--python", "--python-version", "--only-binary"),
        *("--no-binary", "--upgrade-strategy", "-C", "--config-settings", "--global-option", "--progress-bar"),
    }
)
_FROM_THE_INDEX = "requirements are taken as wheels, from the index of this machine"
_NO_CONSTRAINTS = "it constrains requirements and asks for none; write exact versions under test.requires"
_LOCAL = "it is a path or a wheel; the wheel under trial is always installed, and others are taken from the index"


class Wanted:
    """What the words of `pip install` ask for. Every file is read once for each field, and all lines are bounded."""

    def __init__(self, files: Files, pyproject: Table) -> None:
        """Read nothing yet."""
        self._files = files
        self._pyproject = pyproject
        self._read: set[tuple[tuple[str, ...], str]] = set()
        self._lines = 0

    def asked_for(
        self, field: tuple[str, ...], words: Iterable[str], place: str, above: tuple[str, ...] = ()
    ) -> Iterator[Carried]:
        """Yield requirements, and what the files that the words name contain; `above` are the files being read."""
        stream = iter(words)
        for word in stream:
            option, value = _option(word)
            if option in _FILES:
                yield from self._of_file(_field(field, option), value or next(stream, ""), place, above)
            elif option == "--group":
                yield from of_groups(self._pyproject, [value or next(stream, "")], field, place)
            elif option in _WITH_A_VALUE:
                yield Left(what=f"{place}: {option} {value or next(stream, '')}", why=_FROM_THE_INDEX)
            elif word.startswith("-"):
                if word not in _QUIET:
                    yield Left(what=f"{place}: {word}", why=_FROM_THE_INDEX)
            else:
                yield self._requirement(field, word, place)

    def _requirement(self, field: tuple[str, ...], word: str, place: str) -> Carried:
        if word.startswith((".", "/", "{")) or word.endswith(".whl") or self._files.size(word) is not None:
            return Left(what=f"{place}: {word}", why=_LOCAL)
        if not _is_requirement(word):
            return Left(what=f"{place}: {word}", why="it is not a requirement (PEP 508)")
        return Entry(field=field, value=(word,), why=place)

    def _of_file(
        self, field: tuple[str, ...] | None, path: str, place: str, above: tuple[str, ...]
    ) -> Iterator[Carried]:
        file = inside("", path.replace("{project}/", "").replace("{package}/", ""))
        here = f"{place}: {'-c' if field is None else '-r'} {path}"
        if field is None:
            yield Left(what=here, why=_NO_CONSTRAINTS)
        elif file is None or self._files.size(file) is None:
            yield Left(what=here, why="the source has no such file")
        elif file in above:
            yield Left(what=here, why="the file leads to itself")
        elif len(above) == _DEEPEST:
            yield Left(what=here, why=f"files are followed {_DEEPEST} deep")
        elif (field, file) not in self._read:
            self._read.add((field, file))
            yield from self._contents(field, file, place, above)

    def _contents(self, field: tuple[str, ...], file: str, place: str, above: tuple[str, ...]) -> Iterator[Carried]:
        folder = posixpath.dirname(file)
        try:
            text = read_text(self._files, file) or ""
        except SourceError as error:
            yield Left(what=f"{place}: {file}", why=error.message)
            return
        lines = text.replace("\\\n", " ").splitlines()
        for line in islice(lines, max(0, _MOST_LINES - self._lines)):
            self._lines += 1
            wanted = _wanted(line, folder)
            yield from self.asked_for(field, wanted, f"{place}: {file}", (*above, file))
        if self._lines == _MOST_LINES:
            yield Left(what=f"{place}: {file}", why=f"of requirements files, {_MOST_LINES} lines are read")


def named_files(words: Iterable[str]) -> Iterator[str]:
    """Yield the files of requirements that words of `pip install` name."""
    stream = iter(words)
    for word in stream:
        option, value = _option(word)
        if _FILES.get(option) == "-r":
            yield value or next(stream, "")
        elif option in _FILES or option in _WITH_A_VALUE:
            _ = value or next(stream, "")


def _option(word: str) -> tuple[str, str]:
    """Return an option that takes a value, and the value where the word holds it too: `-rfile`, `--target=x`."""
    name, _, value = word.partition("=")
    if word.startswith("--"):
        return name, value
    return (word[:2], word[2:]) if word[:2] in _FILES or word[:2] in _WITH_A_VALUE else (word, "")


def _field(field: tuple[str, ...], option: str) -> tuple[str, ...] | None:
    """Return the field that a file's lines belong to: constraints have one only for builds."""
    if _FILES[option] == "-r":
        return field
    return ("build", "constraints") if field[0] == "build" else None


def _wanted(line: str, folder: str) -> list[str]:
    """Return the words of a file's line, where files are named relative to the file that names them."""
    words = _words(line)
    if words[:1] and words[0].startswith("-"):
        option, value = _option(words[0])
        if option in _FILES:
            return [option, posixpath.join(folder, value or " ".join(words[1:2]))]
        return words
    return [line.partition(" #")[0].partition(" --hash")[0].strip()] if words else []


def _words(line: str) -> list[str]:
    try:
        return shell_words(line, comments=True)
    except ValueError:
        return [excerpt(line)]


def _is_requirement(text: str) -> bool:
    try:
        parse_requirement(text)
    except UntrustedTextError:
        return False
    return True


def of_groups(pyproject: Table, groups: Iterable[str], field: tuple[str, ...], place: str) -> Iterator[Carried]:
    """Yield what dependency groups of pyproject.toml ask for (PEP 735)."""
    for group in groups:
        try:
            wanted = dependency_group(pyproject.table("dependency-groups").content, group)
        except (UntrustedTextError, SourceError):
            yield Left(what=f"{place}: {group}", why="pyproject.toml has no such dependency group that can be read")
            continue
        yield Entry(field=field, value=wanted, why=f"{place}: the group {group}")
