"""Requirements that a project keeps in files or groups of its own, read as far as they can be."""

import posixpath
from collections.abc import Iterable, Iterator

from factory.errors import SourceError
from factory.init.commands import shell_words
from factory.init.model import Carried, Entry, Left
from factory.project.cargo import inside
from factory.project.files import Files, read_text
from factory.tables import Table
from factory.untrusted import UntrustedTextError, dependency_group, parse_requirement

_DEEPEST = 5


def asked_for(
    files: Files, field: tuple[str, ...], words: Iterable[str], place: str, depth: int = 0
) -> Iterator[Carried]:
    """Yield what the words of a `pip install` ask for: requirements, and what `-r` files of the tree contain."""
    stream = iter(words)
    for word in stream:
        if word in ("-r", "--requirement"):
            yield from _from_file(files, field, next(stream, ""), place, depth)
        elif word.startswith(("-r", "--requirement=")):
            yield from _from_file(files, field, word.removeprefix("--requirement=").removeprefix("-r"), place, depth)
        elif word.startswith("-"):
            if word not in ("-U", "--upgrade", "-q", "-v", "--quiet", "--verbose"):
                yield Left(
                    what=f"{place}: {word}", why="requirements are taken as wheels, from the index of this machine"
                )
        elif _is_requirement(word):
            yield Entry(field=field, value=(word,), why=place)
        else:
            yield Left(what=f"{place}: {word}", why="it is not a requirement (PEP 508)")


def _from_file(files: Files, field: tuple[str, ...], path: str, place: str, depth: int) -> Iterator[Carried]:
    file = inside("", path.replace("{project}/", "").replace("{package}/", ""))
    text = None if file is None else read_text(files, file)
    if text is None or file is None or depth == _DEEPEST:
        yield Left(what=f"{place}: -r {path}", why="the source has no such file")
        return
    folder = posixpath.dirname(file)
    for line in text.replace("\\\n", " ").splitlines():
        words = _words(line)
        if words[:1] in (["-r"], ["-c"]) and words[1:]:
            words[1] = posixpath.join(folder, words[1])
        wanted = (
            words
            if words[:1] and words[0].startswith("-")
            else [line.partition(" #")[0].partition(" --hash")[0].strip()]
        )
        if words:
            yield from asked_for(files, field, wanted, f"{place}: {file}", depth + 1)


def _words(line: str) -> list[str]:
    try:
        return shell_words(line, comments=True)
    except ValueError:
        return [line]


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
