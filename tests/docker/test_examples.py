"""What our examples show is needed: the same recipe without the field fails, and says why."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.docker.command import Command, Ran
from tests.docker.fields import without

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "examples"
NO_WAY = "nothing in the source says how cp39"
PLANNED = {
    "checksum source.subdir": "there is no project in the source",
    "checksum build.floor": NO_WAY,
    "keywords build.floor": NO_WAY,
    "tally build.floor": NO_WAY,
    "checksum build.locked": "Cargo.lock, where cargo looks",
}
"""What is said before anything is built."""
BUILT = {
    "checksum build.manifest": "Cargo.toml",
    "checksum build.default-features": "AssertionError",
    "checksum build.features": "AssertionError",
    "checksum build.profile": "AssertionError",
    "checksum build.args": "AssertionError",
    "checksum build.env": "CHECKSUM_SEED",
    "devices build.backend": "tag-unexpected: has cp39-cp39",
    "devices build.system": "CL/cl.h: No such file or directory",
    "devices audit.waive": "library-missing: needs libOpenCL.so.1",
    "keywords build.system": "gperf: not found",
    "keywords build.before-all": "keyword-table: not found",
    "keywords build.path": "keyword-table: not found",
    "keywords build.before": "table.h: No such file or directory",
    "keywords build.config-settings": "AssertionError",
    "tally overrides.2": "no image here has cp312",
    "words skip": "unbuildable",
    "words build.requires": "module-missing: extension module words._fast is expected",
    "words test.requires": "pytest",
    "words test.extras": "No module named 'inflect'",
}
"""What the first cell that fails is told."""


def name_of(case: str) -> str:
    return case.replace(" ", "-").replace(".", "-")


def write(command: Command, case: str) -> Path:
    """Write an example again, without a field."""
    example, _, field = case.partition(" ")
    folder = command.folder / name_of(case)
    shutil.copytree(EXAMPLES / example, folder)
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    changed = {**without(recipe, field), "name": name_of(case)}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    return folder / "recipe.yaml"


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    """One run of as many recipes as there are fields to leave out."""
    return workshop.build("--keep-going", *(write(workshop, case) for case in (*PLANNED, *BUILT)))


@pytest.mark.parametrize("case", PLANNED)
def test_without_the_field_there_is_no_plan(ran: Ran, case: str) -> None:
    said = [line for line in ran.stderr.splitlines() if f"{name_of(case)}/recipe.yaml" in line]

    assert any(PLANNED[case] in line for line in said), said


@pytest.mark.parametrize("case", BUILT)
def test_without_the_field_the_example_fails(ran: Ran, case: str) -> None:
    records = [record for record in ran.records.values() if record.cell.recipe == name_of(case)]
    said = [f"{record.status} {record.failure.message if record.failure else ''}" for record in records]

    assert any(BUILT[case] in each for each in said), said
