"""Which compiler makes a cell: the image's own, or zig for an older glibc."""

from dataclasses import replace

import pytest
from packaging.version import Version

from factory.errors import FactoryError, ImageError, PlanError
from factory.pins import Pin
from factory.plan.model import Plan
from factory.recipe.model import BuildSpec, Override, Toolchain
from factory.tags import PlatformTag
from tests.makers.plans import IMAGES, P31, image_of, interpreters, make_image, make_plan, make_project, make_recipe

OLD = "manylinux_2_17_x86_64"
ZIG = BuildSpec(toolchain=Toolchain(c="zig"))
WITH_RUST = (replace(make_image(), bundled_rust=Version("1.96")), *IMAGES[1:])
PINNED = Pin.parse(f"registry.test/image:1@sha256:{'0123456789abcdef' * 4}")


def planned(*platforms: str, build: BuildSpec | None = None) -> Plan:
    return make_plan(make_recipe("cp313", platforms=" ".join(platforms), build=build))


def compilers(plan: Plan) -> list[str]:
    return [cell.builder.compiler for cell in plan.cells if cell.builder is not None]


def refusal(*platforms: str, build: BuildSpec | None = None) -> FactoryError:
    with pytest.raises((PlanError, ImageError)) as caught:
        planned(*platforms, build=build)
    return caught.value


def test_the_images_compiler_builds_what_the_image_serves() -> None:
    assert compilers(planned(P31)) == ["image"]


def test_zig_builds_in_the_oldest_image_what_none_serves_and_the_plan_says_why() -> None:
    made = make_plan(
        make_recipe("cp313", platforms=OLD), images=(*IMAGES, make_image(platform="manylinux_2_36_x86_64"))
    )

    (cell,) = made.cells
    assert (compilers(made), image_of(cell), cell.id) == (["zig"], f"lookalike-{P31}", f"cp313-cp313-{OLD}")
    assert any(
        "no image of lookalike is as old as manylinux_2_17_x86_64, so zig compiles" in note for note in made.notes
    )


def test_zig_builds_wherever_the_recipe_asks_for_it_and_no_note_repeats_that() -> None:
    made = planned(P31, OLD, build=ZIG)

    assert compilers(made) == ["zig", "zig"]
    assert not [note for note in made.notes if "zig" in note]


def test_an_override_chooses_the_compiler_of_its_cells() -> None:
    override = Override(select=f"*{P31}", span=None, paths=(("build", "toolchain", "c"),), build=ZIG)
    made = make_plan(make_recipe("cp313", platforms=f"{P31} manylinux_2_36_x86_64", overrides=[override]))

    assert compilers(made) == ["zig", "image"]


def test_a_recipe_that_asks_for_gcc_is_never_built_by_zig() -> None:
    error = refusal(OLD, build=BuildSpec(toolchain=Toolchain(c=">=8")))

    assert error.message == f"no image of lookalike builds {OLD}"


def test_libraries_of_the_image_are_refused_because_they_need_its_glibc() -> None:
    build = replace(ZIG, system={"apt": ("cmake", "libpq-dev", "zlib1g-dev")})

    error = refusal(OLD, build=build)

    assert "need its newer glibc: libpq-dev, zlib1g-dev" in error.message
    assert P31 in error.hint


def test_programs_of_the_image_are_not_refused() -> None:
    assert compilers(planned(OLD, build=replace(ZIG, system={"apt": ("cmake", "nasm")}))) == ["zig"]


def test_everything_that_zig_cannot_build_is_told_at_once() -> None:
    error = refusal("manylinux_2_12_x86_64", "musllinux_1_1_x86_64", "musllinux_1_2_riscv64", build=ZIG)

    assert (
        "manylinux_2_12_x86_64 cannot be built: the oldest for x86_64 that zig compiles for is manylinux_2_17_x86_64"
        in error.message
    )
    assert "the oldest for x86_64 that zig compiles for is musllinux_1_2_x86_64" in error.message
    assert "there is no compiler for riscv64 with musl here" in error.message
    assert OLD in error.hint


def test_an_unknown_machine_is_refused_by_name() -> None:
    error = refusal("manylinux_2_17_ppc64")

    assert error.message == "manylinux_2_17_ppc64 cannot be built: there is no compiler for ppc64 here"
    assert "there is one for x86_64, aarch64, armv7l, ppc64le, riscv64, s390x" in error.hint


def test_an_image_that_the_recipe_names_keeps_its_own_compiler_unless_zig_is_asked_for() -> None:
    images = (*IMAGES, make_image("cp313", platform="manylinux_2_36_x86_64", family="recipe", name=PINNED.reference))
    recipe = replace(make_recipe("cp313", platforms=OLD), images={PlatformTag.parse(OLD): PINNED})

    with pytest.raises(ImageError, match="does not run wherever"):
        make_plan(recipe, images=images)
    asking = replace(recipe, build=ZIG)

    assert compilers(make_plan(asking, images=images)) == ["zig"]


def test_rust_is_linked_by_zig_as_well() -> None:
    made = make_plan(make_recipe("cp313", platforms=OLD), make_project(backend="maturin", crate=True))

    assert compilers(made) == ["zig"]


@pytest.mark.parametrize("arch", ["aarch64", "armv7l", "ppc64le", "riscv64", "s390x"])
def test_another_machine_is_compiled_for_in_an_image_of_this_one(arch: str) -> None:
    platform = f"manylinux_2_31_{arch}"
    made = make_plan(
        make_recipe("cp313", platforms=platform), make_project(backend="maturin", crate=True), images=WITH_RUST
    )

    (cell,) = made.cells
    assert (compilers(made), image_of(cell), cell.is_foreign) == (["zig"], f"lookalike-{P31}", True)
    assert cell.builder is not None
    assert cell.builder.rust == "bundle", "the image's own Rust has the standard library of this machine alone"
    assert any(f"zig compiles for {arch}" in note for note in made.notes)


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_musl_is_compiled_for_in_an_image_with_glibc(arch: str) -> None:
    made = planned(f"musllinux_1_2_{arch}")

    (cell,) = made.cells
    assert (compilers(made), image_of(cell), cell.is_foreign) == (["zig"], f"lookalike-{P31}", True)
    assert any("zig compiles" in note for note in made.notes)


def test_rust_for_musl_is_compiled_by_the_factorys_own() -> None:
    recipe = make_recipe("cp313", platforms="musllinux_1_2_x86_64")

    (cell,) = make_plan(recipe, make_project(backend="maturin", crate=True), images=WITH_RUST).cells

    assert cell.builder is not None
    assert cell.builder.rust == "bundle", "the image's own Rust has glibc's standard library alone"


def test_an_image_with_musl_builds_for_it_by_its_own_compiler() -> None:
    images = (*IMAGES, make_image(platform="musllinux_1_2_x86_64", family="pypa"))
    made = make_plan(
        make_recipe("cp313", platforms="musllinux_1_2_x86_64"), images=images, families=("lookalike", "pypa")
    )

    (cell,) = made.cells
    assert (compilers(made), cell.is_foreign) == (["image"], False)


def test_pypy_is_refused_for_musl_with_the_line_that_skips_it() -> None:
    with pytest.raises(PlanError) as caught:
        make_plan(make_recipe("pp311", platforms="musllinux_1_2_x86_64"), images=(make_image("pp311"),))

    assert caught.value.message.endswith("musllinux_1_2_x86_64 cannot be built: there is no PyPy for musl")
    assert 'select: "pp311-*-musllinux_*"' in caught.value.hint


def test_libraries_of_glibc_are_refused_for_musl() -> None:
    error = refusal("musllinux_1_2_x86_64", build=BuildSpec(system={"apt": ("libpq-dev",)}))

    assert f"the libraries of lookalike-{P31} need its glibc: libpq-dev" in error.message


def test_no_foreign_wheel_is_tried_on_this_machine() -> None:
    (cell,) = planned("manylinux_2_31_aarch64").cells

    assert ([trial.image for trial in cell.trials], cell.loader) == ([None], None)


def test_a_policy_that_a_machine_does_not_have_is_refused_with_the_oldest() -> None:
    error = refusal("manylinux_2_17_riscv64", "manylinux_2_17_ppc64le")

    assert "the oldest for riscv64 that zig compiles for is manylinux_2_31_riscv64" in error.message
    assert "the oldest for ppc64le that zig compiles for is manylinux_2_24_ppc64le" in error.message


def test_c_is_compiled_for_a_machine_of_32_bits() -> None:
    assert compilers(planned("manylinux_2_31_armv7l")) == ["zig"]


FAR = tuple(
    replace(image, machines=("aarch64",))
    if image.role == "trial" and image.interpreters == interpreters("cp313")
    else image
    for image in IMAGES
)


def test_an_image_whose_suite_has_the_machine_tries_and_loads_its_wheels() -> None:
    recipe = make_recipe("cp39 cp313", platforms="manylinux_2_31_aarch64 manylinux_2_31_riscv64")
    made = make_plan(recipe, images=FAR)

    assert [(cell.id.rpartition("_")[2], cell.loader, cell.trials[0].image) for cell in made.cells] == [
        ("aarch64", "trial-manylinux_2_41_x86_64", None),
        ("aarch64", "trial-manylinux_2_41_x86_64", "trial-manylinux_2_41_x86_64"),
        ("riscv64", None, None),
        ("riscv64", None, None),
    ]
    assert "zig compiles for aarch64 on x86_64, and its trials run under QEMU" in made.notes
    assert "zig compiles for riscv64 on x86_64" in made.notes


def test_a_build_script_that_asks_for_its_own_machine_is_noted_where_that_is_another() -> None:
    project = make_project(backend="maturin", crate=True)
    asking = replace(project, host_questions=("build.rs:3",))

    here, there = (
        make_plan(make_recipe("cp313", platforms=platform), asking, images=WITH_RUST)
        for platform in (P31, "manylinux_2_31_aarch64")
    )

    assert not any("build.rs" in note for note in here.notes)
    assert (
        "build.rs:3 asks for the architecture of the machine that it runs on, which is x86_64, and not for that of the "
        "wheel, aarch64: cargo says that in CARGO_CFG_TARGET_ARCH"
    ) in there.notes


def test_the_images_compiler_has_no_linker_for_a_machine_without_images() -> None:
    error = refusal("manylinux_2_31_riscv64", build=BuildSpec(toolchain=Toolchain(c=">=10")))

    assert "no image's own compiler has a linker for riscv64" in error.message
    assert "let zig compile for riscv64" in error.hint


def test_another_rust_than_the_factorys_own_has_no_standard_library_for_another_machine() -> None:
    recipe = make_recipe(
        "cp313", platforms="manylinux_2_31_aarch64", build=BuildSpec(toolchain=Toolchain(rust="<1.90"))
    )
    with pytest.raises(PlanError) as caught:
        make_plan(recipe, make_project(backend="maturin", crate=True), images=WITH_RUST)

    message = "the recipe asks for Rust <1.90; the factory's own has 1.96"
    assert caught.value.message == f"{message}, and no other here has a standard library for aarch64"


def test_bazel_is_refused_what_only_zig_compiles() -> None:
    said = refusal(OLD, build=BuildSpec(backend="bazel"))

    assert said.message == f"cp313-cp313-{OLD} would be compiled by zig, which Bazel's toolchains do not call"
    assert P31 in said.hint
