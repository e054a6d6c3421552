"""Each option of cibuildwheel as fields of a recipe, or the reason why it has none."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from factory.init.cibuildwheel import Settings
from factory.init.commands import (
    copies,
    foreign_manager,
    in_tree,
    in_trial,
    needs_a_tool,
    parts,
    pip_installs,
    split,
    system_packages,
)
from factory.init.model import Carried, Entry, Left
from factory.init.requirements import asked_for, of_groups
from factory.project.files import Files
from factory.tables import Table

_CONSTRAINTS = frozenset({"PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT"})
_PLAIN_SYNTAX = "its value cannot be read"
_RUNS_AS_ROOT = (
    "build.before-all was copied from the project: `factory build` runs it as root, with network, in a container of "
    "the build image, once for each image. Read it before you build."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an option is read with: the options, the tree they are in, and the project's folder in it."""

    settings: Settings
    files: Files
    pyproject: Table
    folder: str = ""

    def at(self, option: str) -> str:
        """Return where an option is, as messages say it."""
        return f"{self.settings.place}.{option}"


def carry(ground: Ground) -> Iterator[Carried]:
    """Yield what the recipe takes over of each option: those with a field in the order in which a build meets them."""
    options = ground.settings.options
    for option in (
        *(name for name in _READERS if name in options),
        *(name for name in options if name not in _READERS),
    ):
        reader = _READERS.get(option)
        try:
            if reader is not None:
                yield from reader(ground, option)
            elif option in _WITHOUT_A_FIELD:
                yield Left(what=ground.at(option), why=_WITHOUT_A_FIELD[option])
            elif option not in _READ_ELSEWHERE and not option.endswith("-image"):
                yield Left(what=ground.at(option), why="it is not a known option of cibuildwheel")
        except ValueError:
            yield Left(what=ground.at(option), why=_PLAIN_SYNTAX)


def _before_all(ground: Ground, option: str) -> Iterator[Carried]:
    command = ground.settings.command(option)
    packages = system_packages(command)
    if packages is None:
        if any(re.search(r"\{(project|package)\}|^[\w.-]+/", word) for word in split(command)):
            yield Left(what=f"{ground.at(option)}: {command}", why="build.before-all runs without the source")
        elif manager := foreign_manager(command):
            yield Left(
                what=f"{ground.at(option)}: {command}",
                why=f"images of Debian have no {manager}: list the packages under build.system, and put the rest "
                "under build.before-all",
            )
        elif command:
            yield Entry(field=("build", "before-all"), value=command, why=ground.at(option), caution=_RUNS_AS_ROOT)
        return
    yield from _system(ground, option, command, packages)


def _system(ground: Ground, option: str, command: str, packages: Mapping[str, tuple[str, ...]]) -> Iterator[Carried]:
    for manager, names in packages.items():
        yield Entry(field=("build", "system", manager), value=names, why=ground.at(option))
    if packages and "apt" not in packages:
        yield Left(
            what=f"{ground.at(option)}: {command}",
            why="list Debian's packages under build.system.apt for images of Debian",
        )


def _before_build(ground: Ground, option: str) -> Iterator[Carried]:
    isolated = not re.search(r"--no-(build-)?isolation", str(ground.settings.options.get("build-frontend")))
    for command in parts(ground.settings.lines(option)):
        words, packages = pip_installs(command), system_packages(command)
        if packages is not None:
            yield from _system(ground, option, command, packages)
        elif words is None:
            yield Entry(field=("build", "before"), value=(in_tree(command, ground.folder),), why=ground.at(option))
        elif isolated:
            yield Left(
                what=f"{ground.at(option)}: {command}", why="builds are isolated: list what they need in build.requires"
            )
        else:
            yield from asked_for(ground.files, ("build", "requires"), words, ground.at(option))


def _environment(ground: Ground, option: str) -> Iterator[Carried]:
    for name, values in ground.settings.pairs(option):
        text = " ".join(values)
        if name in _CONSTRAINTS:
            yield from _constraints(ground, text.replace("{project}/", ""), f"{ground.at(option)}.{name}")
        elif re.search(r"[$`]", text):
            yield Left(
                what=f"{ground.at(option)}.{name}: {text}",
                why="it needs a shell; build.env is taken literally",
            )
        else:
            yield Entry(field=("build", "env", name), value=text, why=ground.at(option))


def _constraints(ground: Ground, paths: str, place: str) -> Iterator[Carried]:
    for path in paths.split():
        yield from asked_for(ground.files, ("build", "constraints"), ("-r", path), place)


def _pass_env(ground: Ground, option: str) -> Iterator[Carried]:
    yield from _listed(("build", "pass-env"), ground.settings.words(option), ground.at(option))


def _config_settings(ground: Ground, option: str) -> Iterator[Carried]:
    for name, values in ground.settings.pairs(option):
        if "--py-limited-api=" not in f"{name}={' '.join(values)}":  # said by abi3 and build.floor
            value = values[0] if len(values) == 1 else values
            yield Entry(field=("build", "config-settings", name), value=value, why=ground.at(option))


def _frontend(ground: Ground, option: str) -> Iterator[Carried]:
    value = ground.settings.options.get(option)
    if isinstance(value, dict) or ";" in str(value):
        yield Left(
            what=f"{ground.at(option)}: {value}", why="the factory calls the backend's hooks itself, in isolation"
        )


def _repair(ground: Ground, option: str) -> Iterator[Carried]:
    command = ground.settings.command(option)
    words = split(command)
    if words[:2] != ["auditwheel", "repair"]:
        if command:
            yield Left(what=f"{ground.at(option)}: {command}", why="the factory repairs with its own auditwheel")
        return
    stream = iter(words[2:])
    for word in stream:
        name, _, text = word.partition("=")
        if name == "--exclude":
            yield Entry(field=("repair", "exclude"), value=(text or next(stream, ""),), why=ground.at(option))
        elif name == "--strip":
            yield Entry(field=("repair", "strip"), value=True, why=ground.at(option))
        elif name in ("-w", "--wheel-dir", "--plat"):
            text = text or next(stream, "")
        elif word not in ("{wheel}", "-v", "--only-plat"):
            yield Left(what=f"{ground.at(option)}: {word}", why="no field of a recipe passes it on to auditwheel")


def _test_environment(ground: Ground, option: str) -> Iterator[Carried]:
    for name, values in ground.settings.pairs(option):
        line = f"export {name}={shlex.quote(' '.join(values))}"
        yield Entry(field=("test", "run"), value=(line,), why=ground.at(option))


def _test_sources(ground: Ground, option: str) -> Iterator[Carried]:
    yield from _listed(("test", "run"), tuple(copies(ground.settings.quoted(option))), ground.at(option))


def _before_test(ground: Ground, option: str) -> Iterator[Carried]:
    for command in parts(ground.settings.lines(option)):
        words = pip_installs(command)
        if words is None:
            yield from _tried(ground, option, command)
        else:
            yield from asked_for(ground.files, ("test", "requires"), words, ground.at(option))


def _test_command(ground: Ground, option: str) -> Iterator[Carried]:
    for command in parts(ground.settings.lines(option)):
        yield from _tried(ground, option, command)


def _tried(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    missing = needs_a_tool(command)
    if missing:
        why = f"trials have no {missing}, only an interpreter and what test.requires installs"
        yield Left(what=f"{ground.at(option)}: {command}", why=why)
    else:
        yield Entry(field=("test", "run"), value=(in_trial(command, ground.folder),), why=ground.at(option))


def _test_requires(ground: Ground, option: str) -> Iterator[Carried]:
    yield from asked_for(ground.files, ("test", "requires"), ground.settings.quoted(option), ground.at(option))


def _test_extras(ground: Ground, option: str) -> Iterator[Carried]:
    names = tuple(name for word in ground.settings.words(option) for name in word.split(",") if name)
    yield from _listed(("test", "extras"), names, ground.at(option))


def _test_groups(ground: Ground, option: str) -> Iterator[Carried]:
    yield from of_groups(ground.pyproject, ground.settings.words(option), ("test", "requires"), ground.at(option))


def _listed(field: tuple[str, ...], values: tuple[str, ...], why: str) -> Iterator[Carried]:
    if values:
        yield Entry(field=field, value=values, why=why)


_READERS: Mapping[str, Callable[[Ground, str], Iterator[Carried]]] = MappingProxyType(
    {
        "before-all": _before_all,
        "before-build": _before_build,
        "environment": _environment,
        "environment-pass": _pass_env,
        "config-settings": _config_settings,
        "build-frontend": _frontend,
        "repair-wheel-command": _repair,
        "test-environment": _test_environment,
        "test-sources": _test_sources,
        "before-test": _before_test,
        "test-command": _test_command,
        "test-requires": _test_requires,
        "test-extras": _test_extras,
        "test-groups": _test_groups,
    }
)
_READ_ELSEWHERE = frozenset({"archs", "build", "enable", "inherit", "platform", "skip", "test-skip"})
_WITHOUT_A_FIELD = MappingProxyType(
    {
        "audit-command": "the gate checks every wheel; `factory audit` checks it again",
        "audit-requires": "the gate checks every wheel; `factory audit` checks it again",
        "build-verbosity": "`factory build -v` shows every step's output",
        "container-engine": "the factory speaks to the engine that DOCKER_HOST names, and makes its containers itself",
        "dependency-versions": "the factory pins its own tools; build.constraints pins what a build installs",
        "free-threaded-support": "list free-threaded builds under interpreters: cp314t",
        "pyodide-version": "the factory makes wheels only for Linux",
        "test-runtime": "trials run in the factory's own containers",
        "xbuild-files": "the factory makes no wheels for iOS, Android or Pyodide",
        "xbuild-tools": "the factory makes no wheels for iOS, Android or Pyodide",
    }
)
