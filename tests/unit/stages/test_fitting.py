"""A build image gets what a recipe asks for once for all cells, and the factory's own Rust as a volume."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.doubles.engine import Answer, Call
from tests.doubles.looking import calls_of, failure_of, images_of, values
from tests.doubles.projects import HASHES, PLAIN, WORDS, instead, programs
from tests.doubles.run import HELPER, World, make_world

BUILDER = "lookalike-manylinux_2_31_x86_64"
PIN = "registry.example/image@sha256:" + "ab" * 32
PROXY = "http://user:pa55word@proxy.example:3128"


def test_an_image_is_prepared_once_for_all_cells_that_ask_for_the_same(world: World) -> None:
    run = world.run(WORDS)

    (prepared,) = world.engine.images({"wheel-factory.kind": "prepared"})
    assert len(run.records) == 2
    assert len(images_of(world, "image:")) == 1
    assert set(images_of(world, "words/cp311-cp311-manylinux_2_31_x86_64")) >= {prepared}


def test_a_prepared_image_is_found_again_and_made_anew_by_update(world: World) -> None:
    world.run(WORDS)
    (first,) = world.engine.images({"wheel-factory.kind": "prepared"})

    world.run(WORDS)
    found = len(images_of(world, "image:"))
    world.update = True
    world.engine.commands = instead("package-list", newer)
    world.run(WORDS)

    (second,) = world.engine.images({"wheel-factory.kind": "prepared"})
    assert (found, len(images_of(world, "image:"))) == (1, 2)
    assert first != second


def newer(call: Call) -> Answer:
    call.files.write("/work/manifest", b"libwords-dev:amd64=2.0\n")
    return Answer()


def test_other_packages_in_the_same_image_build_the_wheel_again(world: World) -> None:
    world.run(WORDS)
    world.update = True
    world.engine.commands = instead("package-list", newer)

    run = world.run(WORDS)

    assert {record.status for record in run.records} == {"passed"}


def test_an_image_that_somebody_removed_is_prepared_again(world: World) -> None:
    world.run(WORDS)
    (prepared,) = world.engine.images({"wheel-factory.kind": "prepared"})
    world.engine.remove_image(prepared)

    run = world.run(WORDS)

    assert run.passed
    assert len(images_of(world, "image:")) == 2


@pytest.mark.thorough
def test_a_recipes_own_commands_see_no_password(tmp_path: Path) -> None:
    with make_world(tmp_path, https_proxy=PROXY) as world:
        world.run(WORDS)
        by_packages = values(calls_of(world, "packages"), "HTTPS_PROXY")
        world.run(WORDS.replace("before: [", "before-all: [echo hello]\n  before: ["))
        by_commands = values(calls_of(world, "packages")[1:], "HTTPS_PROXY")

    assert by_packages == {PROXY}
    assert by_commands == {"http://proxy.example:3128"}


def test_a_recipes_commands_are_in_no_manifest_so_each_preparation_is_another_image(world: World) -> None:
    commanded = PLAIN + "build: {before-all: [echo hello]}\n"
    first = world.run(commanded)
    (prepared,) = world.engine.images({"wheel-factory.kind": "prepared"})
    world.engine.remove_image(prepared)

    second = world.run(commanded)

    assert {record.status for record in (*first.records, *second.records)} == {"passed"}


def test_our_rust_is_mounted_and_first_on_the_path_after_the_environment(world: World) -> None:
    world.run(HASHES)

    (build,) = calls_of(world, "build")
    assert build.env["PATH"].startswith("/work/env/bin:/rust/bin:")
    assert "/rust" in {str(mount.path) for mount in build.spec.mounts}


def test_an_image_that_cannot_be_prepared_blocks_all_its_cells(world: World) -> None:
    world.engine.commands = instead("packages", Answer(code=100, output="E: Unable to locate package libwords-dev\n"))

    run = world.run(WORDS)

    assert {record.status for record in run.records} == {"blocked"}
    assert {failure_of(record).step for record in run.records} == {"packages"}
    assert "libwords-dev" in failure_of(run.records[0]).message


def test_a_mirror_that_is_away_is_asked_once_more(world: World) -> None:
    away = Answer(code=100, output="E: Failed to fetch http://deb.example/x.deb  Could not connect to deb.example:80\n")
    world.engine.commands = instead("packages", away)

    run = world.run(WORDS)

    assert run.passed
    assert world.engine.waits == 1


def test_the_bytecode_of_the_tools_is_made_where_no_recipe_has_changed_anything(world: World) -> None:
    world.run(WORDS)

    assert images_of(world, "tools") == [world.image(BUILDER).reference]


def test_the_bytecode_lies_beside_the_tools_in_a_build_and_in_no_trial(world: World) -> None:
    seen: dict[str, bytes | None] = {}

    def look(call: Call) -> Answer:
        seen["@" if "@" in call.spec.label else "build"] = call.read("/tools/site/tool.pyc")
        return programs(call)

    world.engine.commands = instead("environment", look, look)
    world.run(PLAIN)

    assert seen == {"build": b"bytecode", "@": None}


def pinned(world: World, text: str) -> str:
    """Have a recipe name its build image itself; return the recipe, and have the image here as it would be probed."""
    image = next(image for image in world.images if image.name == BUILDER)
    world.images = (*world.images, replace(image, name=PIN, family="recipe"))
    return f"{text}images: {{manylinux_2_31_x86_64: '{PIN}'}}\n"


def test_an_image_that_only_a_recipe_names_is_trusted_with_nothing(world: World) -> None:
    run = world.run(pinned(world, HASHES))

    assert run.passed
    assert images_of(world, "tools") == [], "no bytecode of ours is made there"
    assert set(images_of(world, "crates")) == {world.image(HELPER).reference}
    assert set(images_of(world, "hashes/")[:1]) == {world.image(PIN).reference}


def test_cargo_fetches_with_our_rust_where_the_image_is_a_recipes(world: World) -> None:
    world.run(pinned(world, HASHES))

    mounts = {str(mount.path) for spec in world.engine.started if spec.label == "crates" for mount in spec.mounts}
    assert mounts == {"/rust"}
    assert {path and path.partition(":")[0] for path in values(calls_of(world, "crates"), "PATH")} == {"/rust/bin"}


def test_packages_of_an_image_that_a_recipe_names_are_installed_without_passwords(tmp_path: Path) -> None:
    with make_world(tmp_path, https_proxy=PROXY) as world:
        run = world.run(pinned(world, WORDS))
        proxies = values(calls_of(world, "packages"), "HTTPS_PROXY")

    assert run.passed
    assert proxies == {"http://proxy.example:3128"}
