"""What a build image gets before its cells use it, and when a recipe's packages are none of its distribution's."""

import pytest

from factory.catalogue import PackageManager
from factory.errors import PlanError
from factory.plan.model import Preparation
from factory.recipe.model import BuildSpec
from tests.makers.plans import IMAGES, make_image, make_plan, make_recipe

POSTGRES = BuildSpec(system={"apt": ("zlib1g-dev", "libpq-dev"), "dnf": ("libpq-devel",)})


def preparations(build: BuildSpec, *, manager: PackageManager | None = "apt") -> set[Preparation | None]:
    plan = make_plan(make_recipe(build=build), images=(make_image(manager=manager), *IMAGES[1:]))
    return {cell.builder.preparation for cell in plan.cells if cell.builder is not None}


def test_a_recipe_without_system_packages_uses_the_image_as_it_is() -> None:
    assert preparations(BuildSpec()) == {None}


@pytest.mark.parametrize(
    ("manager", "packages"),
    [
        pytest.param("apt", ("libpq-dev", "zlib1g-dev"), id="apt-in-one-order"),
        pytest.param("dnf", ("libpq-devel",), id="dnf"),
    ],
)
def test_the_packages_are_those_of_the_images_own_manager(manager: PackageManager, packages: tuple[str, ...]) -> None:
    wanted = Preparation(manager=manager, packages=packages, before_all=())

    assert preparations(POSTGRES, manager=manager) == {wanted}


def test_an_empty_list_says_that_a_distribution_needs_no_package() -> None:
    assert preparations(BuildSpec(system={"apt": (), "dnf": ("libpq-devel",)})) == {None}


def test_commands_alone_make_a_preparation_too() -> None:
    wanted = Preparation(manager=None, packages=(), before_all=("make install",))

    assert preparations(BuildSpec(before_all=("make install",)), manager=None) == {wanted}


@pytest.mark.parametrize(
    ("manager", "message", "hint"),
    [
        pytest.param("apk", "lists system packages for apt, dnf; .* has apk", "system: {apk: […]}", id="another"),
        pytest.param(None, "lists system packages for apt, dnf; .* installs none", "another platform", id="none"),
    ],
)
def test_packages_of_other_distributions_alone_are_a_plan_that_cannot_be(
    manager: PackageManager | None, message: str, hint: str
) -> None:
    with pytest.raises(PlanError, match=message) as caught:
        preparations(POSTGRES, manager=manager)

    assert hint in caught.value.hint
