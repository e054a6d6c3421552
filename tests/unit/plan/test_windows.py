"""Wheels for Windows: who builds them, and what is refused before anything starts."""

from dataclasses import replace

import pytest
from packaging.version import Version

from factory.errors import FactoryError, ImageError, PlanError
from factory.plan.model import Plan, Preparation
from factory.project.model import Project
from factory.recipe.model import BuildSpec, Toolchain
from tests.makers.plans import IMAGES, P31, image_of, make_image, make_plan, make_project, make_recipe

WINDOWS = "win_amd64"
IMAGES_WITH_RUST = (
    replace(make_image(platform="manylinux_2_36_x86_64"), bundled_rust=Version("1.96")),
    replace(make_image(), bundled_rust=Version("1.96")),
    *IMAGES[1:],
)
CRATE = make_project(backend="maturin", pyo3="0.29", floor="cp39")
LINKER = "gcc-mingw-w64-x86-64-win32"


def planned(project: Project = CRATE, *, platforms: str = WINDOWS, build: BuildSpec | None = None) -> Plan:
    return make_plan(make_recipe("cp39 cp313", platforms=platforms, build=build), project, images=IMAGES_WITH_RUST)


def refusal(project: Project = CRATE, *, build: BuildSpec | None = None) -> FactoryError:
    with pytest.raises((PlanError, ImageError)) as caught:
        planned(project, build=build)
    return caught.value


def test_maturin_builds_in_the_oldest_image_which_gets_mingw_and_the_factorys_own_rust() -> None:
    (cell,) = planned().cells

    assert (cell.id, image_of(cell)) == ("cp39-abi3-win_amd64", f"lookalike-{P31}")
    assert cell.builder is not None
    assert (cell.builder.compiler, cell.builder.rust) == ("mingw", "bundle")
    assert cell.builder.preparation == Preparation(manager="apt", packages=(LINKER,), before_all=())


def test_a_wheel_per_version_is_owed_where_the_crate_has_no_floor() -> None:
    made = planned(make_project(backend="maturin", pyo3="0.29"))

    assert [cell.id for cell in made.cells] == ["cp39-cp39-win_amd64", "cp313-cp313-win_amd64"]


def test_nothing_loads_repairs_or_tries_it_and_the_plan_says_why() -> None:
    made = planned()

    (cell,) = made.cells
    assert (cell.loader, [trial.image for trial in cell.trials], cell.is_repaired) == (None, [None, None], False)
    assert any("neither repaired nor tried" in note and "no Windows here" in note for note in made.notes)


def test_an_image_whose_suite_has_a_wine_loads_it_and_the_plan_says_so() -> None:
    images = tuple(
        replace(image, machines=("amd64",)) if image.role == "trial" else image for image in IMAGES_WITH_RUST
    )
    made = make_plan(make_recipe("cp39 cp313", platforms=f"{P31} {WINDOWS}"), CRATE, images=images)

    here, windows = made.cells
    assert windows.loader == "trial-manylinux_2_31_x86_64"
    assert [trial.image for trial in windows.trials] == [None, None]
    assert None not in [trial.image for trial in here.trials]
    assert any("its modules are loaded by wine, but neither repaired nor tried" in note for note in made.notes)


def test_the_recipes_own_packages_stay() -> None:
    (cell,) = planned(build=BuildSpec(system={"apt": ("nasm",)})).cells

    assert cell.builder is not None
    assert cell.builder.packages == (LINKER, "nasm")


def test_the_cells_for_linux_are_as_they_are_without_windows() -> None:
    both, alone = planned(platforms=f"{P31} {WINDOWS}"), planned(platforms=P31)

    assert both.cells[:1] == alone.cells


def test_other_backends_are_refused_with_the_platform_to_remove() -> None:
    error = refusal(make_project())

    assert "win_amd64 cannot be built: only crates that maturin builds are" in error.message
    assert "setuptools" in error.message
    assert "remove win_amd64 from platforms" in error.hint


def test_programs_that_embed_python_are_refused() -> None:
    error = refusal(make_project(backend="maturin", pyo3="0.29", programs=True))

    assert "link the library of a Python for Windows" in error.message


def test_zig_does_not_compile_for_windows() -> None:
    error = refusal(build=BuildSpec(toolchain=Toolchain(c="zig")))

    assert "zig compiles here only for Linux" in error.message
    assert "by an override" in error.hint


def test_a_rust_whose_standard_library_cannot_be_made_is_refused() -> None:
    error = refusal(build=BuildSpec(toolchain=Toolchain(rust="==1.97")))

    assert "the recipe asks for Rust ==1.97; the factory's own has 1.96" in error.message


def test_a_family_without_apt_is_refused_with_one_that_has_it() -> None:
    with pytest.raises(ImageError, match="can have mingw-w64") as caught:
        make_plan(
            make_recipe("cp39", platforms=WINDOWS), CRATE, images=(make_image(manager="dnf"),), families=["lookalike"]
        )

    assert "--families" in caught.value.hint
