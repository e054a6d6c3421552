"""Which wheels can be built without an interpreter."""

from typing import Any

import pytest

from factory.errors import PlanError
from factory.project.model import Project
from factory.recipe.model import BuildSpec, FloorWay, Override, Recipe
from tests.makers.plans import make_plan, make_project, make_recipe, summary_of

NONE = BuildSpec(interpreter="none")
PYO3: dict[str, Any] = {"backend": "maturin", "pyo3": "0.29.2"}


def test_an_abi3_wheel_of_maturin_needs_none_even_where_the_image_has_none_that_may_build_it() -> None:
    plan = make_plan(make_recipe("cp314", build=NONE), make_project(**PYO3, floor="cp314"))

    assert summary_of(plan) == {"cp314-abi3": "None | cp314?"}
    assert [cell.builder is not None for cell in plan.cells] == [True]


@pytest.mark.parametrize(
    ("recipe", "project", "message"),
    [
        pytest.param(
            make_recipe("cp313", build=NONE), make_project(**PYO3), "is for one version of Python", id="per-version"
        ),
        pytest.param(
            make_recipe("cp313 cp314t", build=NONE),
            make_project(**PYO3, floor="cp39"),
            "cp314-cp314t-manylinux_2_31_x86_64 is for one version",
            id="per-version-beside-abi3",
        ),
        pytest.param(
            make_recipe("cp313", build=NONE),
            make_project(**PYO3, features="abi3"),
            "has the version of the interpreter that builds it as its floor",
            id="no-floor-of-its-own",
        ),
        pytest.param(
            make_recipe(abi3="cp39", build=BuildSpec(interpreter="none", floor=FloorWay(kind="project"))),
            make_project(),
            "setuptools is a Python program",
            id="setuptools",
        ),
        pytest.param(
            make_recipe(abi3="cp39", build=BuildSpec(interpreter="none", floor=FloorWay(kind="project"))),
            make_project(backend="bazel"),
            "what runs Bazel and packs the wheel is a Python program",
            id="bazel",
        ),
        pytest.param(
            make_recipe("cp313", build=NONE),
            make_project(backend="maturin", any_abi="maturin takes Cargo.toml for bin"),
            "is for crates that use PyO3",
            id="no-pyo3",
        ),
    ],
)
def test_everything_else_is_refused_before_anything_starts(recipe: Recipe, project: Project, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        make_plan(recipe, project)


def test_an_override_leaves_the_other_wheels_their_interpreters() -> None:
    override = Override(select="*-abi3-*", paths=(("build", "interpreter"),), span=None, build=NONE)

    plan = make_plan(make_recipe("cp313 cp314t", overrides=[override]), make_project(**PYO3, floor="cp39"))

    assert summary_of(plan) == {"cp39-abi3": "None | cp313", "cp314-cp314t": "None | cp314t?"}
    assert [cell.builder is not None for cell in plan.cells] == [True, False]
