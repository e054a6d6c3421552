"""What cannot be built is refused by `factory plan`, before anything is: real sources, and no engine."""

from pathlib import Path

import pytest

from tests.docker.command import Command
from tests.docker.rust_projects import PYO3_FFI, ffi_module, make_maturin_project

RECIPES = Path(__file__).parents[2] / "recipes"
OLD_LOCK = """\
version = 4

[[package]]
name = "linked"
version = "1.0.0"
dependencies = ["pyo3-ffi"]

[[package]]
name = "pyo3-ffi"
version = "0.25.1"
"""


@pytest.fixture
def planner(tmp_path: Path) -> Command:
    return Command(store=tmp_path / "store", folder=tmp_path)


@pytest.mark.index
def test_a_pyo3_that_knows_no_free_threaded_313_is_refused_with_the_line_that_skips_it(planner: Command) -> None:
    ran = planner("plan", RECIPES / "nh3.yaml", "--set", "interpreters=[cp313, cp313t]")

    assert ran.code == 3
    assert "cp313t is listed, but PyO3 0.29.2 needs free-threaded Python 3.14 or newer" in ran.stderr
    assert 'skip: [{select: "cp313-cp313t-*"' in ran.stderr


def test_a_module_that_would_link_libpython_is_refused(planner: Command) -> None:
    linked = make_maturin_project(
        "linked", code=ffi_module("linked"), cargo=PYO3_FFI % ("=0.25.1", ""), files={"Cargo.lock": OLD_LOCK}
    )

    ran = planner("plan", planner.recipe(linked))

    assert ran.code == 3
    assert "PyO3 0.25.1 links libpython unless its feature extension-module is on" in ran.stderr
    assert "build: {features: [pyo3/extension-module]}" in ran.stderr


def test_the_feature_in_the_recipe_is_enough(planner: Command) -> None:
    linked = make_maturin_project(
        "linked", code=ffi_module("linked"), cargo=PYO3_FFI % ("=0.25.1", ""), files={"Cargo.lock": OLD_LOCK}
    )

    ran = planner("plan", planner.recipe(linked, build={"features": ["pyo3-ffi/extension-module"]}))

    assert ran.code == 0, ran.stderr


def test_an_abi3_floor_for_what_holds_no_module_is_refused(planner: Command) -> None:
    program = make_maturin_project("program", code="fn main() {}", maturin='bindings = "bin"', library=False)

    ran = planner("plan", planner.recipe(program, abi3="cp39"))

    assert ran.code == 3
    assert "tool.maturin says bindings = bin, which makes one py3-none wheel for every Python" in ran.stderr
