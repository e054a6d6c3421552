"""Whose Rust compiles, and when none does."""

import re
from dataclasses import replace

import pytest
from packaging.version import Version

from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.plan.model import RustRelease
from factory.plan.toolchain import brought_rusts
from factory.project.model import RustFile
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


def with_server(image: ImageFacts, *, bundle: str | None = "1.96") -> ImageFacts:
    """Return an image to which releases of the Rust project can be brought, of which 1.95.0 is pinned."""
    return replace(image, pinned_rust=Version("1.95.0"), bundled_rust=Version(bundle) if bundle else None)


def chosen(
    image: ImageFacts, *, asked: str | None = None, needs: str | None = None, file: str | None = None
) -> set[tuple[object, str | None, str | None]]:
    """Return the origin, the release and what it has to meet."""
    project = replace(make_project(crate=True, rust=needs), rust_file=None if file is None else rust_file(file))
    plan = make_plan(make_recipe(rust=asked), project, images=(image, *IMAGES[1:]))
    builders = [cell.builder for cell in plan.cells if cell.builder is not None]
    return {(builder.rust, *_parts(builder.rust_release)) for builder in builders}


def _parts(release: RustRelease | None) -> tuple[str | None, str | None]:
    return (None, None) if release is None else (release.name, release.wanted)


def rust_file(channel: str | None) -> RustFile:
    return RustFile(path="rust-toolchain.toml", channel=channel)


OLD, NONE = make_image(rust="1.83"), make_image(rust=None)


@pytest.mark.parametrize(
    ("image", "asked", "needs", "file", "expected"),
    [
        pytest.param(OLD, "1.89", None, None, ("release", "1.89", ""), id="a release beats the image's own"),
        pytest.param(OLD, "stable", None, None, ("release", "stable", ""), id="and so does stable"),
        pytest.param(NONE, "1.89.0", "1.80", "1.70", ("release", "1.89.0", ">=1.80"), id="and the project's file"),
        pytest.param(OLD, ">=1.80", None, "1.70", ("image", None, None), id="a floor that the image meets"),
        pytest.param(NONE, ">=1.80", None, None, ("release", "1.95.0", ""), id="a floor that the pinned one meets"),
        pytest.param(NONE, ">=1.96", "1.90", None, ("release", "stable", ">=1.96,>=1.90"), id="one beyond it"),
        pytest.param(
            NONE, ">=1.96,<2", None, None, ("release", "stable", ">=1.96,<2"), id="with a ceiling that it meets"
        ),
        pytest.param(NONE, "==1.96.*", None, None, ("bundle", None, None), id="what only the bundle meets"),
        pytest.param(OLD, None, None, "1.85", ("release", "1.85", ""), id="the project's file is used"),
        pytest.param(OLD, None, None, "stable", ("image", None, None), id="any stable Rust is stable"),
        pytest.param(NONE, None, None, "stable", ("release", "1.95.0", ""), id="where there is none, the pinned one"),
        pytest.param(NONE, None, None, "nightly", ("release", "1.95.0", ""), id="a nightly is not used"),
        pytest.param(NONE, None, None, None, ("release", "1.95.0", ""), id="the pinned release before the bundle"),
        pytest.param(OLD, None, None, None, ("image", None, None), id="the image's own before the pinned release"),
        pytest.param(OLD, None, "1.90", None, ("release", "1.95.0", ""), id="unless that is too old"),
        pytest.param(NONE, None, "1.99", None, ("release", "stable", ">=1.99"), id="the crate needs a newer one"),
    ],
)
def test_which_rust_compiles_where_releases_can_be_brought(
    image: ImageFacts, asked: str | None, needs: str | None, file: str | None, expected: tuple[object, ...]
) -> None:
    assert chosen(with_server(image), asked=asked, needs=needs, file=file) == {expected}


@pytest.mark.parametrize("file", [None, "1.85", "stable", "nightly"])
@pytest.mark.parametrize(("image", "origin"), [(OLD, "image"), (NONE, "bundle")])
def test_without_a_server_no_file_of_the_project_changes_whose_rust_compiles(
    image: ImageFacts, file: str | None, origin: str
) -> None:
    assert chosen(with_bundle(image), file=file) == {(origin, None, None)}


@pytest.mark.parametrize(
    ("image", "asked", "needs", "message", "hint"),
    [
        pytest.param(
            with_bundle(OLD),
            "1.89",
            None,
            "asks for Rust 1.89, and RUSTUP_DIST_SERVER, the server",
            "RUSTUP_DIST_SERVER",
        ),
        pytest.param(with_bundle(OLD), "stable", None, "asks for Rust stable, and RUSTUP_DIST_SERVER", "'>=1.83'"),
        pytest.param(with_server(NONE), "1.80", "1.83", "demo needs Rust 1.83; the recipe asks for 1.80", "1.83 or a"),
        pytest.param(
            with_server(NONE, bundle=None),
            "<1.80",
            None,
            "<1.80; the Rust project's pinned release has 1.95.0",
            "or the newest release; to have another one fetched, name a release, such as build: {toolchain: {rust: "
            "'1.79'}}",
        ),
        pytest.param(
            with_bundle(NONE),
            ">=1.83,<1.90",
            None,
            "<1.90,>=1.83; the factory's own has 1.96",
            "a version specifier takes a Rust that is at hand; to have another one fetched, name a release, such as "
            "build: {toolchain: {rust: '1.89'}}, and set RUSTUP_DIST_SERVER",
        ),
        pytest.param(with_bundle(NONE), "<1.90", "1.90", "has 1.96", "name a release, and set RUSTUP_DIST_SERVER"),
        pytest.param(with_bundle(OLD), ">=1.99", None, "has 1.83", "name a release, and set RUSTUP_DIST_SERVER"),
    ],
)
def test_a_release_that_cannot_be_is_refused_with_a_way_out(
    image: ImageFacts, asked: str, needs: str | None, message: str, hint: str
) -> None:
    with pytest.raises(PlanError, match=re.escape(message)) as caught:
        chosen(image, asked=asked, needs=needs)

    assert hint in caught.value.hint


def test_no_release_is_the_way_out_for_an_image_with_musl() -> None:
    image = make_image(rust="1.80", platform="musllinux_1_2_x86_64")

    with pytest.raises(PlanError, match=r"has 1\.80") as caught:
        make_plan(make_recipe(rust=">=1.83", platforms="musllinux_1_2_x86_64"), CRATE, images=(image, *IMAGES))

    assert caught.value.hint.startswith("no release of the Rust project is brought to it; ")


def test_no_release_is_brought_to_musl() -> None:
    image = make_image(rust=None, platform="musllinux_1_2_x86_64")

    with pytest.raises(PlanError, match=r"no release of the Rust project is brought to .*, which has musl"):
        make_plan(make_recipe(rust="1.89", platforms="musllinux_1_2_x86_64"), CRATE, images=(image, *IMAGES))


def test_another_machines_standard_library_comes_with_a_release() -> None:
    project = make_project(crate=True, backend="maturin")
    recipe = make_recipe("cp313", platforms="manylinux_2_31_aarch64")

    made = make_plan(recipe, project, images=(with_server(make_image()), *IMAGES[1:]))

    assert {cell.builder and cell.builder.rust for cell in made.cells} == {"release"}


@pytest.mark.parametrize(
    ("channel", "note"),
    [
        ("1.85", "rust-toolchain.toml asks for Rust 1.85, and is not used in lookalike-"),
        ("nightly-2026-01-01", "rust-toolchain.toml asks for Rust 'nightly-2026-01-01', and is not used"),
        (None, "rust-toolchain.toml names no channel, and is not used"),
    ],
)
def test_a_file_that_is_not_used_is_noted_unless_the_recipe_decides(channel: str | None, note: str) -> None:
    project = replace(CRATE, rust_file=rust_file(channel))
    images = (with_bundle(OLD), *IMAGES[1:])

    (noted,) = make_plan(project=project, images=images).notes

    assert noted.startswith(note)
    assert make_plan(make_recipe(rust=">=1.80"), project, images=images).notes == ()


@pytest.mark.parametrize("channel", ["1.85", "stable"])
def test_a_file_that_is_used_is_not_noted(channel: str) -> None:
    project = replace(CRATE, rust_file=rust_file(channel))

    assert make_plan(project=project, images=(with_server(OLD), *IMAGES[1:])).notes == ()


@pytest.mark.parametrize(
    ("asked", "needs", "or_bundle"),
    [
        (None, None, True),
        (">=1.80", None, True),
        ("==1.95.0", None, False),
        (None, "1.99", False),
        ("1.89", None, False),
    ],
)
def test_the_bundle_takes_a_silent_servers_place_where_it_fits_and_nothing_names_a_release(
    asked: str | None, needs: str | None, *, or_bundle: bool
) -> None:
    made = make_plan(
        make_recipe(rust=asked), make_project(crate=True, rust=needs), images=(with_server(NONE), *IMAGES[1:])
    )

    releases = {cell.builder.rust_release for cell in made.cells if cell.builder is not None}
    assert {release is not None and release.or_bundle for release in releases} == {or_bundle}


@pytest.mark.parametrize(
    ("image", "asked", "lines"),
    [
        (with_bundle(OLD), None, []),
        (with_bundle(NONE), None, [f"rust: Debian's is brought to {NONE.name}"]),
        (with_server(NONE), "1.89", [f"rust: 1.89 of the Rust project is brought to {NONE.name}"]),
        (
            with_server(NONE),
            None,
            [f"rust: 1.95.0 of the Rust project is brought to {NONE.name}; Debian's where the server does not answer"],
        ),
    ],
)
def test_which_rust_is_brought_is_said_once_for_an_image(
    image: ImageFacts, asked: str | None, lines: list[str]
) -> None:
    made = make_plan(make_recipe(rust=asked), CRATE, images=(image, *IMAGES[1:]))

    assert list(brought_rusts(made.cells)) == lines
