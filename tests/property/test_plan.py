"""Laws of planning."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, reject
from hypothesis import strategies as st

from factory.errors import PlanError
from factory.plan.model import Plan
from factory.recipe.model import FloorWay, Recipe, Wanted
from factory.tags import Interpreter, claims
from tests.makers.plans import IMAGES, make_image, make_plan, make_project, make_recipe

_INTERPRETERS = st.builds(Interpreter, st.integers(7, 15), st.booleans()).filter(
    lambda one: not one.free_threaded or one.minor >= 13
)
_FLOORS = st.lists(st.sampled_from(["cp38", "cp39", "cp311", "cp312", "cp315t"]), min_size=1, max_size=3, unique=True)
_HELD = " ".join(f"cp3{minor}" for minor in range(8, 16))


@st.composite
def _recipes(draw: st.DrawFn) -> Recipe:
    listed = " ".join(str(one) for one in draw(st.lists(_INTERPRETERS, min_size=1, max_size=6)))
    if draw(st.booleans()):
        return make_recipe(listed, origin="range")
    way = FloorWay(kind="feature", value="abi3-{floor}")
    return make_recipe(listed, origin="range", abi3=" ".join(draw(_FLOORS)), way=way)


def _plan(
    recipe: Recipe, pyo3: str | None, requires_python: str, *, only: Sequence[str] = (), skip: Sequence[str] = ()
) -> Plan:
    project = make_project(backend="maturin", pyo3=pyo3, requires_python=requires_python)
    try:
        return make_plan(recipe, project, images=(make_image(_HELD), *IMAGES[1:]), only=only, skip=skip)
    except PlanError:
        reject()


_WORLDS = st.tuples(_recipes(), st.sampled_from([None, "0.26", "0.29.2"]), st.sampled_from(["", ">=3.9", "<3.14"]))


@given(_WORLDS)
def test_every_listed_interpreter_is_tried_or_skipped_and_never_both(world: tuple[Recipe, str | None, str]) -> None:
    made = _plan(*world)

    listed = {wanted.interpreter for wanted in world[0].interpreters}
    tried = {trial.interpreter for cell in made.cells for trial in cell.trials}
    skipped = {Interpreter.parse(skip.subject) for skip in made.skips if "-" not in skip.subject}
    assert tried | skipped == listed
    assert not tried & skipped


@given(_WORLDS)
def test_a_cell_is_tried_exactly_where_its_tags_claim_what_is_listed(world: tuple[Recipe, str | None, str]) -> None:
    made = _plan(*world)

    skipped = {skip.subject for skip in made.skips}
    for cell in made.cells:
        tried = [trial.interpreter for trial in cell.trials]
        listed = [wanted.interpreter for wanted in world[0].interpreters]
        owed = [
            one for one in dict.fromkeys(listed) if str(one) not in skipped and claims(cell.wheel_tag.expanded, one)
        ]
        assert tried == owed
        assert not set(cell.untried) & set(tried)
        assert all(claims(cell.wheel_tag.expanded, one) for one in cell.untried)


@given(_WORLDS)
def test_ids_are_unique_and_no_builder_is_below_its_floor(world: tuple[Recipe, str | None, str]) -> None:
    made = _plan(*world)

    assert len({cell.id for cell in made.cells}) == len(made.cells)
    for cell in made.cells:
        built_by = None if cell.builder is None else cell.builder.interpreter
        assert built_by is None or claims(cell.wheel_tag.expanded, built_by)


@given(_WORLDS)
def test_planning_twice_gives_one_plan(world: tuple[Recipe, str | None, str]) -> None:
    assert _plan(*world) == _plan(*world)


@given(_WORLDS, _INTERPRETERS)
def test_one_more_interpreter_never_removes_a_cell(world: tuple[Recipe, str | None, str], more: Interpreter) -> None:
    recipe, pyo3, requires_python = world
    larger = replace(recipe, interpreters=(*recipe.interpreters, Wanted(interpreter=more, origin="range")))

    before = _plan(recipe, pyo3, requires_python)
    after = _plan(larger, pyo3, requires_python)

    assert {cell.id for cell in before.cells} <= {cell.id for cell in after.cells}


@given(_WORLDS, st.sampled_from(["cp39-*", "*abi3*", "demo/*", "cp314t-*", "none"]))
def test_only_and_skip_of_one_selector_part_the_cells(world: tuple[Recipe, str | None, str], select: str) -> None:
    every = _plan(*world)
    only = _plan(*world, only=[select])
    skip = _plan(*world, skip=[select])

    assert sorted(cell.id for cell in (*only.cells, *skip.cells)) == sorted(cell.id for cell in every.cells)
