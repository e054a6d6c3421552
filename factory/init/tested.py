"""How cibuildwheel tests a wheel, as fields of a recipe, or the reason why no trial can do the same."""

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import chain
from types import MappingProxyType

from factory.init.commands import copies, in_trial, needs_a_tool, parts, pip_installs, split
from factory.init.ground import Ground, Reader
from factory.init.model import Carried, Entry, Left
from factory.init.reach import needs, only_prints
from factory.init.requirements import named_files, of_groups
from factory.project.cargo import inside
from factory.project.files import Files

_PIP = re.compile("(?:PIP|UV|CIBW)_.*")
_NO_PIP = "builds and trials call neither pip nor uv: requirements come from the index of this machine"


def _test_environment(ground: Ground, option: str) -> Iterator[Carried]:
    for name, values in ground.settings.pairs(option):
        if _PIP.fullmatch(name):
            yield Left(what=f"{ground.at(option)}.{name}: {' '.join(values)}", why=_NO_PIP)
        elif _is_tested(ground):
            line = f"export {name}={shlex.quote(' '.join(values))}"
            yield Entry(field=("test", "run"), value=(line,), why=ground.at(option))


def _test_sources(ground: Ground, option: str) -> Iterator[Carried]:
    paths = ground.settings.quoted(option)
    there = tuple(path for path in paths if (file := inside(ground.folder, path)) and _is_there(ground.files, file))
    if _is_tested(ground):
        yield from _listed(("test", "run"), tuple(copies(there)), ground.at(option))
    for path in paths:
        if path not in there:
            yield Left(what=f"{ground.at(option)}: {path}", why="the source has no such file or folder")


def _before_test(ground: Ground, option: str) -> Iterator[Carried]:
    for command in parts(ground.settings.lines(option)):
        words = pip_installs(command)
        if words is None:
            yield from _tried(ground, option, command)
        else:
            yield from ground.wanted.asked_for(("test", "requires"), words, ground.at(option))


def _test_command(ground: Ground, option: str) -> Iterator[Carried]:
    for command in parts(ground.settings.lines(option)):
        yield from _tried(ground, option, command)


def _test_requires(ground: Ground, option: str) -> Iterator[Carried]:
    yield from ground.wanted.asked_for(("test", "requires"), ground.settings.quoted(option), ground.at(option))


def _test_extras(ground: Ground, option: str) -> Iterator[Carried]:
    names = tuple(name for word in ground.settings.words(option) for name in word.split(",") if name)
    yield from _listed(("test", "extras"), names, ground.at(option))


def _test_groups(ground: Ground, option: str) -> Iterator[Carried]:
    yield from of_groups(ground.pyproject, ground.settings.words(option), ("test", "requires"), ground.at(option))


def _tried(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    if why := _untried(ground, command):
        yield Left(what=f"{ground.at(option)}: {command}", why=why)
    else:
        yield Entry(field=("test", "run"), value=(in_trial(command, ground.folder),), why=ground.at(option))


def _untried(ground: Ground, command: str) -> str:
    """Return why no trial can run a command, "" where one can."""
    missing, absent = needs_a_tool(command), next(chain(_absent(ground, command), _lacking(ground)), "")
    if absent:
        return f"the source has no {absent}: an sdist may leave its tests out; source: {{git: …}} has them"
    if only_prints(command):
        return "it only prints"
    if needed := next(needs(command), None):
        return f"trials have no network, and it calls {needed.program}: list what it installs under test.requires"
    if missing:
        return f"trials have no {missing}, only an interpreter and what test.requires installs"
    return ""


def _is_tested(ground: Ground) -> bool:
    """Tell whether a command is left that uses the files and the environment of a test."""
    return not all(_untried(ground, command) for command in parts(ground.settings.lines("test-command")))


def _absent(ground: Ground, command: str) -> Iterator[str]:
    """Yield the paths below the source that a command names and that are not there."""
    for word in split(command):
        match = re.match(r"\{(?:project|package)\}/(?P<path>[\w./-]+)", word)
        path = None if match is None else inside(ground.folder, match["path"])
        if path and not _is_there(ground.files, path):
            yield path


def _lacking(ground: Ground) -> Iterator[str]:
    """Yield the files that every command of the test needs and that are not there: to copy, or with requirements."""
    needed = (*_words(ground, "test-sources"), *named_files(_words(ground, "test-requires")))
    for path in needed:
        file = inside(ground.folder, re.sub(r"^\{(?:project|package)\}/", "", path))
        if file is None or not _is_there(ground.files, file):
            yield path


def _words(ground: Ground, option: str) -> tuple[str, ...]:
    try:
        return ground.settings.quoted(option)
    except ValueError:
        return ()  # the option's own reader says that it cannot be read


def _is_there(files: Files, path: str) -> bool:
    return files.size(path) is not None or any(other.startswith(f"{path.rstrip('/')}/") for other in files.paths)


def _listed(field: tuple[str, ...], values: tuple[str, ...], why: str) -> Iterator[Carried]:
    if values:
        yield Entry(field=field, value=values, why=why)


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "test-environment": _test_environment,
        "test-sources": _test_sources,
        "before-test": _before_test,
        "test-command": _test_command,
        "test-requires": _test_requires,
        "test-extras": _test_extras,
        "test-groups": _test_groups,
    }
)
