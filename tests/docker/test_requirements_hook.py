"""What a backend asks for when it runs: on one interpreter it may be other than on the next."""

import pytest

from tests.docker.command import Command
from tests.docker.projects import Project, make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

BACKEND = """\
import importlib.util, sys
from setuptools import build_meta

WANTED = ["iniconfig"] if sys.version_info < (3, 12) else []

def get_requires_for_build_wheel(config_settings=None):
    return WANTED

def build_wheel(*arguments):
    installed = importlib.util.find_spec("iniconfig") is not None
    if installed != bool(WANTED):
        sys.exit(f"error: iniconfig is {'here' if installed else 'missing'} on {sys.version_info[:2]}")
    return build_meta.build_wheel(*arguments)
"""
PYPROJECT = """\
[project]
name = "asks"
version = "1.0"
[build-system]
requires = ["setuptools"]
build-backend = "backend"
backend-path = ["."]
"""


def make_asking_project() -> Project:
    return make_c_project("asks", files={"backend.py": BACKEND, "pyproject.toml": PYPROJECT})


def test_a_backend_that_asks_for_more_on_one_interpreter_gets_it_there_and_nowhere_else(command: Command) -> None:
    recipe = command.recipe(make_asking_project(), interpreters=("cp311", "cp313"))

    ran = command.build(recipe)

    assert (ran.code, set(ran.statuses.values())) == (0, {"passed"}), ran.stderr
