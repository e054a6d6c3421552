"""Interpreters that no image holds and that can be compiled where a recipe lists them."""

from collections.abc import Sequence

import pytest

from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.plan.model import Cell, Plan, Trial
from factory.project.model import Project
from factory.recipe.model import FloorWay
from factory.tags import Interpreter
from tests.makers.plans import P31, interpreters, make_image, make_plan, make_project, make_recipe, make_trial_image

OPTION = FloorWay(kind="option", value="--py-limited-api={floor}")
COMPILED = "cp314t cp315 cp315t"
IMAGES = (
    make_image("cp39 cp313", on_demand=COMPILED),
    make_trial_image("cp39", P31, on_demand=COMPILED),
    make_trial_image("cp313", "manylinux_2_41_x86_64", on_demand=COMPILED),
)


def cells_of(made: Plan) -> dict[str, Cell]:
    return {cell.id.removesuffix(f"-{P31}"): cell for cell in made.cells}


def planned(listed: str, images: Sequence[ImageFacts] = IMAGES, floor: str | None = None) -> dict[str, Cell]:
    return cells_of(make_plan(make_recipe(listed), crate(floor), images=images))


def crate(floor: str | None) -> Project:
    return make_project(backend="maturin", pyo3="0.29", floor=floor)


def test_a_listed_one_builds_and_tries_its_own_wheel_on_the_oldest_libc() -> None:
    cells = planned("cp313 cp314t")

    assert {name: built(cell) for name, cell in cells.items()} == {
        "cp313-cp313": ("cp313", False),
        "cp314-cp314t": ("cp314t", True),
    }
    assert cells["cp314-cp314t"].trials == (
        Trial(interpreter=Interpreter(14, free_threaded=True), image=f"trial-{P31}", on_demand=True),
    )
    assert [trial.on_demand for trial in cells["cp313-cp313"].trials] == [False]


def test_without_being_listed_none_is_made() -> None:
    cells = planned("cp39 cp313", floor="cp39")

    assert [(built(cell)[1], [trial.on_demand for trial in cell.trials]) for cell in cells.values()] == [
        (False, [False, False])
    ]


def test_two_floors_of_a_crate_are_built_by_the_lowest_of_each_and_tried_on_all_they_claim() -> None:
    cells = planned("cp39 cp313 cp314t cp315 cp315t", floor="cp39 cp315t")

    assert {name: (*built(cell), tried(cell)) for name, cell in cells.items()} == {
        "cp39-abi3": ("cp39", False, "cp39 cp313 cp315"),
        "cp315-abi3.abi3t": ("cp315", True, "cp315 cp315t"),
        "cp314-cp314t": ("cp314t", True, "cp314t"),
    }


def built(cell: Cell) -> tuple[str, bool]:
    assert cell.builder is not None
    return str(cell.builder.interpreter), cell.builder.on_demand


def tried(cell: Cell) -> str:
    return " ".join(str(trial.interpreter) for trial in cell.trials if trial.image is not None)


def test_a_free_threaded_one_builds_for_both_where_it_alone_is_listed() -> None:
    cells = planned("cp39 cp315t", floor="cp39 cp315t")

    assert built(cells["cp315-abi3.abi3t"])[0] == "cp315t"


@pytest.mark.parametrize("backend", ["setuptools", "pep517"])
def test_only_maturin_makes_a_wheel_for_both_builds_by_one_with_the_gil(backend: str) -> None:
    made = make_plan(
        make_recipe("cp315 cp315t", abi3="cp315t", way=OPTION), make_project(backend=backend), images=IMAGES
    )

    assert built(cells_of(made)["cp315-abi3.abi3t"])[0] == "cp315t"
    with pytest.raises(PlanError, match="can build the abi3 floor cp315t") as caught:
        make_plan(make_recipe("cp315", abi3="cp315t", way=OPTION), make_project(backend=backend), images=IMAGES)
    assert caught.value.hint.endswith("; abi3t is made by a free-threaded one alone")


def test_a_plan_says_what_has_to_be_made_first() -> None:
    made = make_plan(make_recipe("cp313 cp314t cp315"), images=IMAGES)

    assert "no image holds cp314t, cp315: made once on this machine, in some minutes, and kept" in made.notes
    assert not any("no image holds" in note for note in make_plan(make_recipe("cp313"), images=IMAGES).notes)


def test_an_image_whose_libc_is_too_old_cannot_have_one() -> None:
    images = (make_image("cp39 cp313"), *IMAGES[1:])

    assert planned("cp314t", images)["cp314-cp314t"].builder is None


def test_a_floor_that_only_such_a_one_can_build_asks_for_it_to_be_listed() -> None:
    with pytest.raises(PlanError, match="can build the abi3 floor cp315t") as caught:
        make_plan(make_recipe("cp316t", abi3="cp315t"), crate("cp315t"), images=IMAGES)

    assert caught.value.hint == "it has cp39, cp313; cp314t, cp315, cp315t are made where a recipe lists them"


def test_the_note_of_a_floor_that_could_be_tried_says_that_it_is_not_listed() -> None:
    made = make_plan(make_recipe("cp315t"), crate("cp315t"), images=IMAGES)

    assert interpreters("cp315")[0] in made.cells[0].untried


def test_a_wheel_for_every_python_is_built_by_a_held_one_first() -> None:
    made = make_plan(make_recipe("cp313 cp315"), make_project(any_abi="the source says so"), images=IMAGES)

    assert [built(cell) for cell in made.cells] == [("cp313", False)]
