"""The same source gives the same bytes, whatever this machine's environment says."""

from collections.abc import Mapping

import pytest

from tests.docker.command import Command
from tests.docker.projects import make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

POISON: Mapping[str, str] = {
    "VIRTUAL_ENV": "/no/venv",
    "CONDA_PREFIX": "/no/conda",
    "PYO3_PYTHON": "/no/python3.9",
    "PYO3_NO_PYTHON": "1",
    "PYO3_CROSS": "1",
    "PYO3_CROSS_LIB_DIR": "/no/lib",
    "PYO3_CROSS_PYTHON_VERSION": "3.9",
    "PYO3_CONFIG_FILE": "/no/config",
    "_PYTHON_HOST_PLATFORM": "linux-armv7l",
    "RUSTFLAGS": "--cfg poisoned",
    "CARGO_BUILD_TARGET": "no-such-target",
    "CFLAGS": "-DPOISONED -O0 -g3",
    "LDFLAGS": "-Wl,-rpath,/no",
    "CC": "/bin/false",
    "ARCHFLAGS": "-arch no",
    "DISTUTILS_DEBUG": "1",
    "PIP_NO_BINARY": ":all:",
    "PIP_TARGET": "/no/target",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "UV_NO_BINARY": "1",
    "UV_PYTHON": "3.9",
    "SOURCE_DATE_EPOCH": "1",
    "PYTHONPATH": "/no/path",
    "PYTHONHASHSEED": "7",
    "TZ": "Asia/Tokyo",
    "LANG": "ja_JP.UTF-8",
}


def test_a_second_build_under_a_poisoned_environment_changes_no_byte(command: Command) -> None:
    recipe = command.recipe(make_c_project("clean"))

    plain = command.build(recipe)
    made = command.dist
    poisoned = command.build(recipe, "--no-cache", env=POISON)

    assert plain.code == 0, plain.stderr
    assert poisoned.code == 0, poisoned.stderr
    assert poisoned.containers > 0, "everything was done again"
    assert command.dist == made


@pytest.mark.slow
@pytest.mark.parametrize("source", ["markupsafe==3.0.4", "rpds-py==2026.9.1"])
def test_a_real_package_builds_twice_to_the_same_bytes(command: Command, source: str) -> None:
    recipe = command.recipe(source)

    command.build(recipe)
    made = command.dist
    poisoned = command.build(recipe, "--no-cache", env=POISON)

    assert poisoned.code == 0, poisoned.stderr
    assert len(made) == 2
    assert command.dist == made
