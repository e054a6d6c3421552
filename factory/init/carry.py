"""Each option of cibuildwheel as fields of a recipe, or the reason why it has none."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from factory.init import before, tested
from factory.init.commands import split
from factory.init.ground import Ground, Reader
from factory.init.model import Carried, Entry, Left
from factory.init.reach import RUST

_CONSTRAINTS = frozenset({"PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT"})
_PLAIN_SYNTAX = "its value cannot be read"
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
    for command in filter(None, map(str.strip, ground.settings.command(option).split("&&"))):
        if split(command)[:2] == ["auditwheel", "repair"]:
            yield from _repaired(ground, option, command)
        else:
            yield Left(what=f"{ground.at(option)}: {command}", why="the factory repairs with its own auditwheel")


def _repaired(ground: Ground, option: str, command: str) -> Iterator[Carried]:
    stream = iter(split(command)[2:])
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


_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        **before.READERS,
        "environment": _environment,
        "environment-pass": _pass_env,
        "config-settings": _config_settings,
        "build-frontend": _frontend,
        "repair-wheel-command": _repair,
        **tested.READERS,
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
