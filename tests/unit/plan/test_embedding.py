"""Wheels of programs that embed Python: refused unless declared, and then built and tried where libpython is."""

from typing import Any

import pytest

from factory.catalogue import Waiver
from factory.errors import PlanError
from factory.recipe.model import AuditSpec, Recipe, RepairSpec
from tests.makers.plans import make_plan, make_project, make_recipe

P36, P41 = "manylinux_2_36_x86_64", "manylinux_2_41_x86_64"
EMBEDS: dict[str, Any] = {"backend": "maturin", "pyo3": "0.29.2", "programs": True}
WAIVER = Waiver(rule="libpython-linked", reason="for those who have it")


def declared(
    listed: str = "cp311", platforms: str = P36, *, exclude: str = "libpython*", waivers: tuple[Waiver, ...] = (WAIVER,)
) -> Recipe:
    repair, audit = RepairSpec(exclude=(exclude,)), AuditSpec(waive=waivers)
    return make_recipe(listed, platforms=platforms, repair=repair, audit=audit)


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(make_recipe("cp311", platforms=P36), id="not-at-all"),
        pytest.param(declared(exclude="libcuda.so.*"), id="not-to-the-repair"),
        pytest.param(declared(waivers=()), id="not-to-the-gate"),
    ],
)
def test_one_that_is_not_declared_is_refused_with_the_lines_to_write(recipe: Recipe) -> None:
    with pytest.raises(PlanError, match="would hold programs that link libpython") as caught:
        make_plan(recipe, make_project(**EMBEDS))

    assert "programs: {run: cargo run}" in caught.value.hint
    assert "exclude: [libpython*]" in caught.value.hint


def test_one_that_is_declared_is_built_and_tried_in_the_image_with_its_libpython() -> None:
    (cell,) = make_plan(declared(), make_project(**EMBEDS)).cells

    assert cell.id == f"cp311-cp311-{P36}"
    assert cell.builder is not None
    assert (cell.builder.image, cell.builder.rust) == (f"program-{P36}", "bundle")
    assert [trial.image for trial in cell.trials] == [f"program-{P36}"]


def test_its_platform_is_no_older_than_the_libc_of_that_image() -> None:
    with pytest.raises(PlanError, match=f"program-{P41} has the libpython of cp313, and builds {P41}, not {P36}"):
        make_plan(declared("cp313"), make_project(**EMBEDS))

    assert len(make_plan(declared("cp311 cp313", P41), make_project(**EMBEDS)).cells) == 2


def test_one_whose_interpreter_no_image_has_is_owed_all_the_same() -> None:
    (cell,) = make_plan(declared("cp312"), make_project(**EMBEDS)).cells

    assert (cell.builder, [trial.image for trial in cell.trials]) == (None, [None])


def test_one_of_the_stable_abi_would_promise_what_its_programs_cannot_keep() -> None:
    with pytest.raises(PlanError, match="promises more than one version of Python"):
        make_plan(declared(), make_project(**EMBEDS, floor="cp39"))


def test_programs_without_python_are_built_as_ever() -> None:
    (cell,) = make_plan(make_recipe("cp313"), make_project(backend="maturin", programs=True, any_abi="bin")).cells

    assert cell.builder is not None
    assert cell.builder.image.startswith("lookalike-")
