"""Which machine the containers of a cell have: the engine's own, or the platform's where the recipe asks for that."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from factory import codec
from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.pins import Pin
from factory.plan.model import Cell, Plan
from factory.recipe.model import BuildSpec, ProgramsSpec, Recipe, Toolchain
from factory.tags import PlatformTag
from tests.makers.plans import IMAGES, P31, for_aarch64, image_of, make_plan, make_project, make_recipe

A31 = "manylinux_2_31_aarch64"
OWN_COMPILER = BuildSpec(toolchain=Toolchain(c=">=10"))
PINNED = Pin.parse(f"registry.test/image:1@sha256:{'0123456789abcdef' * 4}")


def with_userland(image: ImageFacts) -> ImageFacts:
    return replace(image, machines=("aarch64",)) if image.role == "trial" else image


BOTH = (*map(with_userland, IMAGES), *map(for_aarch64, IMAGES))


def naming(recipe: Recipe) -> Recipe:
    """Return the recipe with an image of its own for its platform."""
    return replace(recipe, images=MappingProxyType({PlatformTag.parse(A31): PINNED}))


def planned(*platforms: str, machine: str, build: BuildSpec | None = None) -> Plan:
    recipe = make_recipe("cp313", platforms=" ".join(platforms), build=build)
    return make_plan(recipe, images=BOTH, machine=machine)


def shown(cell: Cell) -> tuple[str | None, str | None, str, str | None]:
    """Return what builds a cell, by which compiler, on which machine, and which one is emulated in its trials."""
    compiler = None if cell.builder is None else cell.builder.compiler
    return image_of(cell), compiler, cell.machine, cell.emulated


def test_on_an_engine_of_aarch64_its_wheels_are_native() -> None:
    made = planned(A31, machine="aarch64")

    (cell,) = made.cells
    assert shown(cell) == (f"lookalike-{A31}", "image", "aarch64", None)
    assert not cell.is_foreign
    assert [trial.image for trial in cell.trials] == ["trial-manylinux_2_41_aarch64"]
    assert cell.loader == f"trial-{A31}"
    assert made.notes == ()


def test_on_an_engine_of_aarch64_zig_compiles_for_x86_64() -> None:
    made = planned(P31, machine="aarch64")

    (cell,) = made.cells
    assert shown(cell) == (f"lookalike-{A31}", "zig", "aarch64", "x86_64")
    assert cell.is_foreign
    assert [trial.image for trial in cell.trials] == ["trial-manylinux_2_41_aarch64"]
    assert "zig compiles for x86_64 on aarch64, and its trials run under QEMU" in made.notes


def test_on_an_engine_of_x86_64_zig_compiles_for_aarch64() -> None:
    (cell,) = planned(A31, machine="x86_64").cells

    assert shown(cell) == (f"lookalike-{P31}", "zig", "x86_64", "aarch64")
    assert [trial.image for trial in cell.trials] == ["trial-manylinux_2_41_x86_64"]


def test_an_images_own_compiler_is_emulated_where_the_recipe_asks_for_it_and_the_plan_says_what_is_faster() -> None:
    made = planned(A31, machine="x86_64", build=OWN_COMPILER)

    (cell,) = made.cells
    assert shown(cell) == (f"lookalike-{A31}", "image", "aarch64", None)
    assert cell.loader == f"trial-{A31}"
    (note,) = made.notes
    assert note == (
        "containers for aarch64 are emulated on x86_64, where a build takes many times as long; without "
        f"build: {{toolchain: {{c: …}}}}, zig compiles for {A31} and nothing of the build is emulated"
    )


def test_one_recipe_has_each_platform_in_images_for_its_machine() -> None:
    made = planned(P31, A31, machine="x86_64", build=OWN_COMPILER)

    assert [(cell.platform.arch, cell.machine) for cell in made.cells] == [("x86_64", "x86_64"), ("aarch64", "aarch64")]
    assert [image_of(cell) for cell in made.cells] == [f"lookalike-{P31}", f"lookalike-{A31}"]


def test_an_image_that_the_recipe_names_for_a_platform_has_the_platforms_machine() -> None:
    named = replace(for_aarch64(IMAGES[0]), name=PINNED.reference, family="recipe")
    recipe = naming(make_recipe("cp313", platforms=A31))

    made = make_plan(recipe, images=(*BOTH, named))

    (cell,) = made.cells
    assert shown(cell) == (PINNED.reference, "image", "aarch64", None)
    assert "without images: for it, zig compiles" in " ".join(made.notes)


def test_zig_is_not_emulated() -> None:
    named = replace(for_aarch64(IMAGES[0]), name=PINNED.reference, family="recipe")
    build = BuildSpec(toolchain=Toolchain(c="zig"))
    recipe = naming(make_recipe("cp313", platforms=A31, build=build))

    with pytest.raises(PlanError) as caught:
        make_plan(recipe, images=(*BOTH, named))

    assert "zig compiles for every machine on x86_64" in caught.value.message
    assert caught.value.hint == f"remove images: for {A31}, or name one for x86_64"


def test_programs_run_on_the_engines_own_machine() -> None:
    recipe = make_recipe("cp313", platforms=A31, programs=ProgramsSpec(run=("cargo run",)))

    made = make_plan(recipe, make_project(backend="maturin", crate=True), images=BOTH, machine="aarch64")

    program = next(cell for cell in made.cells if not cell.makes_wheel)
    assert (program.id, program.machine) == ("cp313-program-linux_aarch64", "aarch64")
    assert image_of(program) == "program-manylinux_2_41_aarch64"


def test_documents_of_the_usual_machine_name_none() -> None:
    usual, other = (codec.dump(planned(P31, machine=machine)) for machine in ("x86_64", "aarch64"))

    assert "machine" not in str(usual)
    assert "'machine': 'aarch64'" in str(other)
