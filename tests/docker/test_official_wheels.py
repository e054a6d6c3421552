"""The recipes' wheels beside those that the projects themselves publish."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import PROGRAM
from tests.docker.command import PLATFORM, Command

pytestmark = pytest.mark.index

RECIPES = Path(__file__).parents[2] / "recipes"
BUILD_TIMEOUT_S = 7200  # what the recipes of cryptography and tokenizers allow
OWED = {
    "bcrypt": {"cp39-abi3", "cp313-cp313t"},
    "cryptography": {"cp39-abi3"},
    "kiwisolver": {"cp311-cp311", "cp313-cp313", "cp314-cp314"},
    "markupsafe": {"cp39-cp39", "cp311-cp311", "cp313-cp313", "cp313-cp313t", "cp314-cp314"},
    "nh3": {"cp38-abi3"},
    "psutil": {"cp36-abi3", "cp313-cp313t"},
    "psycopg2-binary": {"cp311-cp311", "cp313-cp313", "cp314-cp314"},
    "pynacl": {"cp38-abi3"},
    "rpds-py": {"cp311-cp311", "cp313-cp313", "cp314-cp314"},
    "tokenizers": {"cp310-abi3"},
}
"""Tags that the projects publish, as far as the look-alike has interpreters for them, and those of `UNPUBLISHED`."""
UNPUBLISHED = {"markupsafe-3.0.4-cp313-cp313t"}
"""What is built here although the project has no free-threaded wheel for a 3.13 any more."""
NAMES = {
    "bcrypt": "bcrypt-5.0.0",
    "cryptography": "cryptography-50.0.2",
    "kiwisolver": "kiwisolver-1.5.1",
    "markupsafe": "markupsafe-3.0.4",
    "nh3": "nh3-0.3.7",
    "psutil": "psutil-7.2.2",
    "psycopg2-binary": "psycopg2_binary-2.9.13",
    "pynacl": "pynacl-1.6.2",
    "rpds-py": "rpds_py-2026.9.1",
    "tokenizers": "tokenizers-0.23.3",
}


def test_the_recipes_owe_the_tags_that_their_projects_publish(tmp_path: Path) -> None:
    command = Command(store=tmp_path / "store", folder=tmp_path)
    addresses = {f"{name}/{tag}-{PLATFORM}" for name, tags in OWED.items() for tag in tags}

    planned = command("plan", RECIPES, "--ids")

    assert planned.code == 0, planned.stderr
    assert set(planned.stdout.split()) >= addresses
    assert {each for each in planned.stdout.split() if each.partition("/")[0] in OWED} == addresses


def published(wheels: Iterable[Path]) -> list[Mapping[str, Any]]:
    """Compare wheels with the published ones of the same release."""
    program = [str(PROGRAM), "compare", *map(str, wheels), "--with", "same", "--json"]
    releases = json.loads(subprocess.run(program, capture_output=True, check=True).stdout)["releases"]
    return [comparison for release in releases for comparison in release["comparisons"]]


def differing(comparison: Mapping[str, Any]) -> list[str]:
    """Name what may not differ: what two images, and their libraries, cannot explain."""
    changes = ("lost", "gained", "needs")
    return [text["message"] for text in comparison["differences"] if text["change"] in changes]


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("name", OWED)
def test_a_recipes_wheels_are_what_their_project_publishes_but_for_the_platform(name: str, command: Command) -> None:
    """The official wheels of the same version: tags without platform, modules, files, and NEEDED beside libc."""
    ran = replace(command, timeout_s=BUILD_TIMEOUT_S).build(RECIPES / f"{name}.yaml")
    wheels = {wheel for wheel in command.wheels if wheel.removesuffix(f"-{PLATFORM}.whl") not in UNPUBLISHED}
    compared = published(command.folder / "dist" / wheel for wheel in command.wheels)
    beside = {each["new"]: each for each in compared if tags(each["new"]) == tags(each["old"])}

    assert ran.code == 0, ran.stderr
    assert command.wheels == {f"{NAMES[name]}-{tag}-{PLATFORM}.whl" for tag in OWED[name]}
    assert {wheel: differing(comparison) for wheel, comparison in beside.items()} == {wheel: [] for wheel in wheels}
    assert not {each["old"] for each in compared} & command.wheels, "each is another file"


def tags(filename: str) -> str:
    return filename.rpartition("-")[0]
