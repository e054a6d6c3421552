"""A wheel whose stubs promise what its module lacks, and twins of it: one that keeps the promise, one that says so."""

from collections.abc import Mapping

import pytest

from tests.docker.command import Command
from tests.docker.projects import C_MODULE, Project, pyproject

pytestmark = [pytest.mark.engine, pytest.mark.index]

TRUE = "def answer() -> int: ...\n"
UNTRUE = f"{TRUE}def question() -> str: ...\n"


def typed(name: str, stub: str | None, files: Mapping[str, str] | None = None) -> Project:
    """A package with a compiled module, and with its stubs where there are some."""
    arguments = f"packages=[{name!r}], package_data={{{name!r}: ['py.typed', '*.pyi']}}"
    extension = f"ext_modules=[Extension('{name}.core', ['core.c'])]"
    return Project(
        name,
        {
            "pyproject.toml": pyproject(name, ["setuptools"], "setuptools.build_meta"),
            "setup.py": f"from setuptools import Extension, setup\nsetup({arguments}, {extension})\n",
            "core.c": C_MODULE.replace("NAME", "core"),
            f"{name}/__init__.py": f"from {name}.core import answer as answer\n",
            f"{name}/py.typed": "",
            **({} if stub is None else {f"{name}/core.pyi": stub}),
            **(files or {}),
        },
    )


def test_stubs_that_differ_from_the_module_fail_the_wheel_and_true_or_accepted_ones_do_not(command: Command) -> None:
    test = {"stubs": True}
    allowed = {**test, "stub-allowlist": "tests/allowed.txt"}

    ran = command.build(
        command.recipe(typed("untrue", UNTRUE), test=test),
        command.recipe(typed("honest", TRUE), test=test),
        command.recipe(typed("accepted", UNTRUE, {"tests/allowed.txt": "accepted\\.core\\.question\n"}), test=allowed),
        command.recipe(typed("lacking", TRUE), test=allowed),
        command.recipe(typed("stubless", None), test=test),
    )

    assert {name: ran.records[name].status for name in ("honest", "accepted")} == {
        "honest": "passed",
        "accepted": "passed",
    }, ran.stderr
    assert ran.failure("untrue").step == "stubs"
    assert ran.failure("untrue").message == "untrue.core.question is not present at runtime"
    assert ran.failure("lacking").message == "the source has no tests/allowed.txt"
    assert ran.failure("stubless").message == "the wheel has no stubs (.pyi) to compare"
