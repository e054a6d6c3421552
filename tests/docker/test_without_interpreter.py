"""A wheel that is built without an interpreter: nothing in its container can find one, and it works all the same."""

import pytest

from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.rust_projects import PYO3_FFI, ffi_module, make_maturin_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

BUILD_SCRIPT = """\
fn main() {
    assert!(std::fs::read_dir("/opt/python").map_or(true, |mut entries| entries.next().is_none()));
    assert!(std::process::Command::new("/opt/python/cp313-cp313/bin/python").output().is_err());
    assert!(std::process::Command::new("python3").output().is_err());
    assert!(std::env::var("PYO3_PYTHON").is_err());
}
"""


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    project = make_maturin_project(
        "unseen",
        cargo=PYO3_FFI % ("0.29", '"abi3-py310"'),
        code=ffi_module("unseen"),
        files={"build.rs": BUILD_SCRIPT},
    )
    recipe = workshop.recipe(
        project,
        interpreters=("cp311", "cp313"),
        build={"locked": False, "interpreter": "none", "before": "! command -v python3"},
        audit={"modules": ["unseen.unseen"]},
    )
    return workshop.build(recipe, "-o", "unseen")


def test_the_wheel_has_the_floor_of_the_crate_which_no_interpreter_of_the_image_is(ran: Ran) -> None:
    assert ran.code == 0, ran.stderr
    assert ran.statuses == {f"cp310-abi3-{PLATFORM}": "passed"}


def test_the_log_shows_that_none_was_in_sight(ran: Ran) -> None:
    lines = ran.log("unseen", "no-interpreter").splitlines()

    assert {"PYO3_NO_PYTHON is 1", "no interpreter in /usr/bin", "/opt/python is empty"} <= {*lines}
    assert not [line for line in lines if line.startswith("error")]


def test_maturin_names_no_program_that_it_has_found(ran: Ran) -> None:
    """It lists versions, from descriptions of its own; of an interpreter that runs it would name the path."""
    log = ran.log("unseen", "build")

    assert "Found CPython" in log
    assert "/python" not in log.partition("Found CPython")[2]
