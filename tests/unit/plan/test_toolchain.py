"""Whose Rust compiles, and when none does."""

from dataclasses import replace

import pytest
from packaging.version import Version

from factory.errors import PlanError
from factory.image_facts import ImageFacts
from tests.makers.plans import IMAGES, make_image, make_plan, make_project, make_recipe

CRATE = make_project(crate=True)


def with_bundle(image: ImageFacts, version: str = "1.96") -> ImageFacts:
    return replace(image, bundled_rust=Version(version))


def origins(
    image: ImageFacts, *, asked: str | None = None, needs: str | None = None, crate: bool = True
) -> set[object]:
    project = make_project(crate=crate, rust=needs)
    plan = make_plan(make_recipe(rust=asked), project, images=(image, *IMAGES[1:]))
    return {cell.builder and cell.builder.rust for cell in plan.cells}


def test_an_image_compiles_with_its_own_rust() -> None:
    assert origins(with_bundle(make_image(rust="1.83"))) == {"image"}


def test_rust_is_brought_to_an_image_that_has_none() -> None:
    assert origins(with_bundle(make_image(rust=None))) == {"bundle"}


def test_nothing_is_brought_where_nothing_is_to_be_compiled_by_rust() -> None:
    assert origins(with_bundle(make_image(rust=None)), crate=False) == {None}


@pytest.mark.parametrize(
    ("asked", "needs"),
    [pytest.param(None, "1.90", id="the crate says so"), pytest.param(">=1.90", None, id="the recipe says so")],
)
def test_rust_is_brought_to_an_image_whose_own_is_too_old(asked: str | None, needs: str | None) -> None:
    assert origins(with_bundle(make_image(rust="1.83")), asked=asked, needs=needs) == {"bundle"}


@pytest.mark.parametrize(
    ("image", "needs", "message"),
    [
        pytest.param(make_image(rust=None), None, "has none, and .* does not support glibc on x86_64", id="neither"),
        pytest.param(with_bundle(make_image(rust="1.83")), "1.99", "needs Rust 1.99; lookalike.* has 1.83", id="both"),
        pytest.param(with_bundle(make_image(rust=None)), "1.99", "the factory's own has 1.96", id="ours is too old"),
    ],
)
def test_what_no_rust_here_compiles_is_no_plan(image: ImageFacts, needs: str | None, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        origins(image, needs=needs)
