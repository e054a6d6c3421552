"""Wheels for every Python that a project tags itself, and wheels whose tags no reading shows."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.projects import C_MODULE, Project, make_c_project, pyproject

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

ANY = f"py3-none-{PLATFORM}"
LIBRARY = "int answer(void) { return 42; }\n"
PACKAGE = """\
import ctypes, pathlib
answer = ctypes.CDLL(str(pathlib.Path(__file__).with_name("libanswer.so"))).answer
"""
SETUP = """\
import os, subprocess
from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
class Build(build_py):
    def run(self):
        subprocess.check_call(["gcc", "-shared", "-fPIC", "NAME/answer.c", "-o", "NAME/libanswer.so"])
        super().run()
class Binary(Distribution):
    def has_ext_modules(self):
        return True
class Wheel(bdist_wheel):
    def get_tag(self):
        return PYTHON, "none", super().get_tag()[2]
setup(distclass=Binary, cmdclass={"build_py": Build, "bdist_wheel": Wheel})
"""
HOOK = """\
import subprocess
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        subprocess.check_call(["gcc", "-shared", "-fPIC", "hooked/answer.c", "-o", "hooked/libanswer.so"])
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-linux_x86_64"
"""
LIMITED = """\
from setuptools import Extension, setup
limited = Extension("limited", ["limited.c"], py_limited_api=True, define_macros=[("Py_LIMITED_API", "0x03090000")])
setup(ext_modules=[limited], options={"bdist_wheel": {"py_limited_api": f"cp3{9}"}})
"""


def typed(name: str, python: str = '"py3"') -> Project:
    """A library for ctypes whose `bdist_wheel` gives its wheel a Python tag."""
    table = f"[tool.setuptools]\npackages = ['{name}']\n[tool.setuptools.package-data]\n{name} = ['*.so']\n"
    return Project(
        name,
        {
            "pyproject.toml": pyproject(name, ["setuptools>=70.1"], "setuptools.build_meta", table),
            "setup.py": SETUP.replace("NAME", name).replace("PYTHON", python),
            f"{name}/__init__.py": PACKAGE,
            f"{name}/answer.c": LIBRARY,
        },
    )


def computed() -> Project:
    """The same, but nothing tells the tag without running setup.py."""
    return typed("computed", 'os.environ.get("PYTHON_TAG", "py3")')


def hooked() -> Project:
    tables = "[tool.hatch.build.targets.wheel]\nartifacts = ['*.so']\n[tool.hatch.build.targets.wheel.hooks.custom]\n"
    return Project(
        "hooked",
        {
            "pyproject.toml": pyproject("hooked", ["hatchling"], "hatchling.build", tables),
            "hatch_build.py": HOOK,
            "hooked/__init__.py": PACKAGE,
            "hooked/answer.c": LIBRARY,
        },
    )


def limited() -> Project:
    """A module whose setup.py limits its API by itself, where reading does not show it."""
    return make_c_project("limited", code=C_MODULE, files={"setup.py": LIMITED})


def asks(module: str) -> dict[str, str]:
    return {"run": f"python -c 'import {module}; assert {module}.answer() == 42'"}


def write_owed(command: Command) -> Iterator[object]:
    both = ("cp39", "cp313")
    yield command.recipe(typed("typed"), interpreters=both, test=asks("typed"))
    yield command.recipe(hooked(), interpreters=both, test=asks("hooked"))
    yield command.recipe(computed(), interpreters=both, test=asks("computed"), wheel="py3-none")


@pytest.fixture(scope="module")
def owed(workshop: Command) -> Ran:
    return workshop.build(*map(str, write_owed(workshop)))


@pytest.mark.parametrize("name", ["typed", "hooked", "computed"])
def test_a_library_for_ctypes_is_owed_once_and_tried_on_every_interpreter(owed: Ran, name: str) -> None:
    assert owed.code == 0, owed.stderr
    record = owed.records[name]
    assert record.wheel is not None
    assert record.wheel.filename == f"{name}-1.0-{ANY}.whl"
    assert [(str(trial.interpreter), trial.outcome) for trial in record.trials] == [
        ("cp39", "passed"),
        ("cp313", "passed"),
    ]
    assert record.after is not None
    assert not any(finding.rule == "modules-unnamed" for finding in record.after.findings)


@pytest.fixture(scope="module")
def unforeseen(workshop: Command) -> Ran:
    """One run of what comes out with other tags than a plan could read."""
    three = ("cp39", "cp311", "cp313")
    recipes = [
        workshop.recipe(computed(), name="computed", interpreters=three),
        workshop.recipe(limited(), interpreters=three),
    ]
    return workshop.build(*map(str, recipes), "--jobs", "4")


LINES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "computed": ("py3-none", "write wheel: py3-none", {"wheel": "py3-none"}),
    "limited": (
        "cp39-abi3",
        "write abi3: cp39 and build: {floor: project}",
        {"abi3": "cp39", "build": {"floor": "project"}},
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_only_the_first_of_the_cells_is_built_that_come_out_with_the_same_other_tags(
    unforeseen: Ran, name: str
) -> None:
    tags, hint, _ = LINES[name]

    first, *others = (record for address, record in unforeseen.records.items() if address.startswith(f"{name}/"))

    assert unforeseen.code == 1
    assert (first.status, [record.status for record in others]) == ("failed", ["blocked", "blocked"])
    assert first.failure is not None
    assert f"tag-unexpected: has {tags}; cp39-cp39 is expected" in first.failure.message
    assert hint in first.failure.hint
    assert all(record.failure is not None for record in others)
    assert (
        f"{first.cell.address} came out as {tags}; this wheel would get the same tags, so it was not built"
        in unforeseen.stderr
    )
    assert [record.cell.id for record in (first, *others) if record.built is not None] == [first.cell.id]


def test_the_lines_of_the_refusal_are_what_a_recipe_needs(unforeseen: Ran, workshop: Command) -> None:
    assert unforeseen.code == 1
    projects = {"computed": computed(), "limited": limited()}
    recipes = [
        workshop.recipe(projects[name], interpreters=("cp39", "cp311", "cp313"), **fields)
        for name, (_, _, fields) in LINES.items()
    ]

    ran = workshop.build(*map(str, recipes))

    assert ran.code == 0, ran.stderr
    assert {record.cell.id for record in ran.records.values()} == {ANY, f"cp39-abi3-{PLATFORM}"}
    assert all(len(record.trials) == len(("cp39", "cp311", "cp313")) for record in ran.records.values())
