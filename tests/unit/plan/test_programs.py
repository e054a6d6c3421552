"""On which interpreters programs that link libpython are owed, and where they run."""

from dataclasses import replace
from typing import Any

import pytest

from factory.errors import PlanError
from factory.plan.model import Plan
from factory.recipe.model import BuildSpec, Override, ProgramsSpec, SkipRule
from tests.makers.plans import interpreters, make_plan, make_project, make_recipe

RUN = ("cargo test --no-default-features",)
PROGRAMS = ProgramsSpec(run=RUN)
CRATE: dict[str, Any] = {"backend": "maturin", "pyo3": "0.29.2", "floor": "cp38"}


def programs_of(plan: Plan) -> dict[str, str]:
    """Show the cells that make no wheel, each with its image and whose Rust it compiles with."""
    cells = [(cell.id, cell.builder) for cell in plan.cells if not cell.makes_wheel]
    return {name: f"{builder.image} {builder.rust}" for name, builder in cells if builder is not None}


def test_they_run_on_every_listed_interpreter_that_has_a_program_image() -> None:
    plan = make_plan(make_recipe("cp311 cp312 cp313", programs=PROGRAMS), make_project(**CRATE))

    assert programs_of(plan) == {
        "cp311-program-linux_x86_64": "program-manylinux_2_36_x86_64 bundle",
        "cp313-program-linux_x86_64": "program-manylinux_2_41_x86_64 bundle",
    }
    assert [(skip.subject, skip.kind) for skip in plan.skips] == [("cp312-program-linux_x86_64", "image")]


def test_the_wheels_are_owed_as_without_them() -> None:
    without = make_plan(make_recipe(), make_project(**CRATE))

    plan = make_plan(make_recipe(programs=PROGRAMS), make_project(**CRATE))

    assert [cell for cell in plan.cells if cell.makes_wheel] == [*without.cells]


def test_a_recipe_may_name_some_interpreters() -> None:
    programs = ProgramsSpec(run=RUN, interpreters=interpreters("cp313"))

    plan = make_plan(make_recipe(programs=programs), make_project(**CRATE))

    assert [*programs_of(plan)] == ["cp313-program-linux_x86_64"]
    assert plan.skips == ()


@pytest.mark.parametrize(
    ("listed", "named"),
    [pytest.param("cp39 cp313", "cp39", id="one-by-name"), pytest.param("cp39 cp310", None, id="all-that-are-listed")],
)
def test_where_no_image_has_them_nothing_is_planned(listed: str, named: str | None) -> None:
    programs = ProgramsSpec(run=RUN, interpreters=None if named is None else interpreters(named))

    with pytest.raises(PlanError, match="of which no image has a shared libpython") as caught:
        make_plan(make_recipe(listed, programs=programs), make_project(**CRATE))

    assert "cp311, cp313" in caught.value.hint


def test_an_interpreter_that_the_project_excludes_runs_none_and_the_reason_is_told() -> None:
    programs = ProgramsSpec(run=RUN, interpreters=interpreters("cp311 cp313"))
    recipe = make_recipe("cp311 cp313", origin="range", programs=programs)

    plan = make_plan(recipe, make_project(**CRATE, requires_python=">=3.12"))

    assert [*programs_of(plan)] == ["cp313-program-linux_x86_64"]
    assert ("cp311-program-linux_x86_64", "requires-python is >=3.12") in [
        (skip.subject, skip.reason) for skip in plan.skips
    ]


def test_selectors_and_skip_rules_reach_them() -> None:
    skip = SkipRule(select="cp311-program-*", reason="too slow")
    recipe = make_recipe("cp311 cp313", programs=PROGRAMS, skip=[skip])

    plan = make_plan(recipe, make_project(**CRATE), only=["*-program-*"])

    assert [*programs_of(plan)] == ["cp313-program-linux_x86_64"] == [cell.id for cell in plan.cells]


def test_an_override_changes_the_build_of_programs_alone() -> None:
    build = BuildSpec(system={"apt": ("libwords-dev",)})
    override = Override(
        select="*-program-*", paths=(("build", "system", "apt"),), span=None, build=BuildSpec(system={"apt": ()})
    )

    plan = make_plan(make_recipe(programs=PROGRAMS, build=build, overrides=[override]), make_project(**CRATE))

    prepared = {cell.makes_wheel: cell.builder.preparation is not None for cell in plan.cells if cell.builder}
    assert prepared == {True: True, False: False}


def test_system_packages_come_into_their_images_too() -> None:
    plan = make_plan(
        make_recipe(programs=PROGRAMS, build=BuildSpec(system={"apt": ("libwords-dev",)})), make_project(**CRATE)
    )

    assert {str(cell.builder.preparation) for cell in plan.cells if cell.builder} == {"apt libwords-dev"}


def test_programs_of_another_language_need_no_rust() -> None:
    plan = make_plan(make_recipe("cp313", programs=ProgramsSpec(run=("make run",))), make_project())

    assert programs_of(plan) == {"cp313-program-linux_x86_64": "program-manylinux_2_41_x86_64 None"}


def test_a_crate_of_their_own_has_to_have_its_lock() -> None:
    project = make_project(program_manifest="profiling/Cargo.toml", absent_program_locks=("profiling/Cargo.lock",))

    with pytest.raises(PlanError, match=r"the source has no profiling/Cargo\.lock"):
        make_plan(make_recipe(programs=PROGRAMS), project)

    recipe = make_recipe(programs=PROGRAMS, build=BuildSpec(locked=False))
    assert len(programs_of(make_plan(recipe, project))) == 2


def test_a_lock_that_only_the_programs_lack_does_not_stop_wheels_alone() -> None:
    project = replace(make_project(crate=True), absent_program_locks=("profiling/Cargo.lock",))

    plan = make_plan(make_recipe(programs=PROGRAMS), project, skip=["*-program-*"])

    assert all(cell.makes_wheel for cell in plan.cells)
