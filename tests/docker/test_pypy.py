"""Wheels for PyPy: C and Rust, built with Debian's PyPy and tried in a plain image that has it."""

import pytest

from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.projects import make_c_project
from tests.docker.rust_projects import PYO3_FFI, ffi_module, make_maturin_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

LINKING = "libraries=['pypy3.11-c'], library_dirs=[__import__('sys').base_prefix + '/lib/x86_64-linux-gnu']"


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    crate = make_maturin_project("rusty", cargo=PYO3_FFI % ("0.29", ""), code=ffi_module("rusty"))
    recipes = (
        workshop.recipe(
            make_c_project("plain"),
            interpreters=("pp311",),
            test={"run": "python -c 'import plain; assert plain.answer() == 42'"},
        ),
        workshop.recipe(
            crate, interpreters=("pp311",), build={"locked": False}, test={"run": "python -c 'import rusty'"}
        ),
        workshop.recipe(make_c_project("linking", extension=LINKING), interpreters=("pp311",)),
    )
    return workshop.build(*recipes)


@pytest.mark.parametrize("name", ["plain", "rusty"])
def test_c_and_rust_are_built_and_tried(name: str, ran: Ran, workshop: Command) -> None:
    record = ran.records[name]

    assert record.status == "passed", ran.stderr
    assert [(str(trial.interpreter), trial.image, trial.outcome) for trial in record.trials] == [
        ("pp311", "trial-trixie-pp311", "passed")
    ]
    assert f"{name}-1.0-pp311-pypy311_pp73-{PLATFORM}.whl" in {
        wheel.replace("1.0.0", "1.0") for wheel in workshop.wheels
    }


def test_a_module_that_links_pypys_library_is_refused(ran: Ran) -> None:
    assert "libpypy3.11-c.so" in ran.failure("linking").message
