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
from factory.init.reach import REQUIRES, RUST, needs, only_prints
from factory.init.requirements import Wanted, of_groups
from factory.init.scripts import called_script, installed_in
from factory.project.cargo import inside
from factory.project.files import Files
from factory.tables import Table

_CONSTRAINTS = frozenset({"PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT"})
_PLAIN_SYNTAX = "its value cannot be read"
_PIP = re.compile("(?:PIP|UV|CIBW)_.*")
_NO_PIP = "builds and trials call neither pip nor uv: requirements come from the index of this machine"
_NO_BUILD_VARIABLES = (
    (
        re.compile("(?:PYTEST|HYPOTHESIS|COVERAGE|TOX|NOX)_.*"),
        "only tests read it: write `export NAME=VALUE` as a line of test.run",
    ),
    (
        re.compile("(?:PIP|UV|CIBW)_.*"),
        "builds call neither pip nor uv: requirements come from the index of this machine",
    ),
    (re.compile("MACOSX_.*|SYSTEM_VERSION_COMPAT"), "it is for macOS"),
    (re.compile("RUSTUP_.*"), RUST),
)
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
    wanted: Wanted
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
    """Yield build.before-all. Its commands build on each other: without one of them, the others are left out too."""
    kept, broken = [], False
    for command in parts(ground.settings.lines(option)):
        packages = system_packages(command)
        if packages is not None:
            yield from _system(ground, option, packages)
        elif only_prints(command):
            yield Left(what=f"{ground.at(option)}: {command}", why="it only prints")
        elif why := _not_before_all(ground, command):
            broken = True
            yield from _installed(ground, option, command)
            yield Left(what=f"{ground.at(option)}: {command}", why=why)
        else:
            kept.append(command)
    if kept:
        yield from _kept(ground, option, " && ".join(kept), broken=broken)


def _kept(ground: Ground, option: str, command: str, *, broken: bool) -> Iterator[Carried]:
    if broken:
        yield Left(
            what=f"{ground.at(option)}: {command}", why="other commands of it, on which it may rest, are left out"
        )
    else:
        yield Entry(field=("build", "before-all"), value=command, why=ground.at(option), caution=_RUNS_AS_ROOT)


def _not_before_all(ground: Ground, command: str) -> str:
    """Return why a command cannot be a line of build.before-all, "" where it can."""
    if _names_the_source(ground, command):
        return (
            "build.before-all runs without the source; what needs it goes into build.before, offline and without root"
        )
    if manager := foreign_manager(command):
        return (
            f"images of Debian have no {manager}: list the packages under build.system, and put the rest under "
            "build.before-all"
        )
    needed = [need for need in needs(command) if need.instead in (REQUIRES, RUST)]
    return f"no build sees what {needed[0].program} installs there: {needed[0].instead}" if needed else ""


def _names_the_source(ground: Ground, command: str) -> bool:
    words = split(command) or command.split()
    return any(
        re.search(r"\{(project|package)\}|^[\w.-]+/", word) or ground.files.size(word) is not None for word in words
    )


def _installed(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    """Yield the system packages that a command installs somewhere in it, or in the script that it calls."""
    packages = dict(installed_in(command))
    script = called_script(ground.files, command)
    if script is not None:
        packages |= script.system_packages()
    yield from _system(ground, option, packages, "" if script is None else script.path)


def _system(
    ground: Ground, option: str, packages: Mapping[str, tuple[str, ...]], script: str = ""
) -> Iterator[Carried]:
    why = f"{ground.at(option)}{f': {script}' if script else ''}"
    for manager, names in packages.items():
        yield Entry(field=("build", "system", manager), value=names, why=why)


def _before_build(ground: Ground, option: str) -> Iterator[Carried]:
    isolated = not re.search(r"--no-(build-)?isolation", str(ground.settings.options.get("build-frontend")))
    for command in parts(ground.settings.lines(option)):
        words, packages = pip_installs(command), system_packages(command)
        if packages is not None:
            yield from _system(ground, option, packages)
        elif words is None:
            yield from _before(ground, option, command)
        elif isolated:
            yield Left(
                what=f"{ground.at(option)}: {command}", why="builds are isolated: list what they need in build.requires"
            )
        else:
            yield from ground.wanted.asked_for(("build", "requires"), words, ground.at(option))


def _before(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    """Yield a line of build.before, unless it cannot work offline and without root."""
    script = called_script(ground.files, command)
    needed = [*needs(command), *(script.needs() if script is not None else ())]
    if only_prints(command):
        yield Left(what=f"{ground.at(option)}: {command}", why="it only prints")
    elif needed:
        yield from _installed(ground, option, command)
        where = f"{script.path} calls" if script is not None else "it calls"
        why = f"build.before has no network and no root, and {where} {needed[0].program}: {needed[0].instead}"
        yield Left(what=f"{ground.at(option)}: {command}", why=why)
    else:
        yield Entry(field=("build", "before"), value=(in_tree(command, ground.folder),), why=ground.at(option))


def _environment(ground: Ground, option: str) -> Iterator[Carried]:
    for name, values in ground.settings.pairs(option):
        text = " ".join(values)
        why = _no_build_variable(name)
        if name in _CONSTRAINTS:
            yield from _constraints(ground, text.replace("{project}/", ""), f"{ground.at(option)}.{name}")
        elif why:
            yield Left(what=f"{ground.at(option)}.{name}: {text}", why=why)
        elif re.search(r"[$`]", text):
            yield Left(
                what=f"{ground.at(option)}.{name}: {text}",
                why="it needs a shell; build.env is taken literally",
            )
        else:
            yield Entry(field=("build", "env", name), value=text, why=ground.at(option))


def _no_build_variable(name: str) -> str:
    """Return why a variable does nothing in a build, "" where it may."""
    return next((why for pattern, why in _NO_BUILD_VARIABLES if pattern.fullmatch(name)), "")


def _constraints(ground: Ground, paths: str, place: str) -> Iterator[Carried]:
    for path in paths.split():
        yield from ground.wanted.asked_for(("build", "constraints"), ("-r", path), place)


def _pass_env(ground: Ground, option: str) -> Iterator[Carried]:
    names = ground.settings.words(option)
    if names:
        why = f"whoever builds must allow each: write build.pass-env: [{', '.join(names)}], and type --allow-env NAME"
        yield Left(what=f"{ground.at(option)}: {', '.join(names)}", why=why)


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
        if _PIP.fullmatch(name):
            yield Left(what=f"{ground.at(option)}.{name}: {' '.join(values)}", why=_NO_PIP)
        else:
            line = f"export {name}={shlex.quote(' '.join(values))}"
            yield Entry(field=("test", "run"), value=(line,), why=ground.at(option))


def _test_sources(ground: Ground, option: str) -> Iterator[Carried]:
    paths = ground.settings.quoted(option)
    there = tuple(path for path in paths if (file := inside(ground.folder, path)) and _is_there(ground.files, file))
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


def _tried(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    missing, absent = needs_a_tool(command), _absent(ground, command)
    if absent:
        why = f"the source has no {absent}: an sdist may leave its tests out; source: {{git: …}} has them"
        yield Left(what=f"{ground.at(option)}: {command}", why=why)
    elif only_prints(command):
        yield Left(what=f"{ground.at(option)}: {command}", why="it only prints")
    elif needed := next(needs(command), None):
        why = f"trials have no network, and it calls {needed.program}: list what it installs under test.requires"
        yield Left(what=f"{ground.at(option)}: {command}", why=why)
    elif missing:
        why = f"trials have no {missing}, only an interpreter and what test.requires installs"
        yield Left(what=f"{ground.at(option)}: {command}", why=why)
    else:
        yield Entry(field=("test", "run"), value=(in_trial(command, ground.folder),), why=ground.at(option))


def _absent(ground: Ground, command: str) -> str:
    """Return the first path below the source that a command names and that is not there, "" where all are."""
    for word in split(command):
        match = re.match(r"\{(?:project|package)\}/(?P<path>[\w./-]+)", word)
        path = None if match is None else inside(ground.folder, match["path"])
        if path and not _is_there(ground.files, path):
            return path
    return ""


def _is_there(files: Files, path: str) -> bool:
    return files.size(path) is not None or any(other.startswith(f"{path.rstrip('/')}/") for other in files.paths)


def _test_requires(ground: Ground, option: str) -> Iterator[Carried]:
    yield from ground.wanted.asked_for(("test", "requires"), ground.settings.quoted(option), ground.at(option))


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
