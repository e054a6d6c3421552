"""An interpreter that no image holds is compiled once; only its source is asked for again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.errors import ImageError
from tests.doubles.run import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_world(tmp_path) as made:
        made.compiled.mkdir(parents=True)
        yield made


def ran(world: World) -> list[str]:
    return (world.compiled / "ran").read_text().split()


def test_an_interpreter_is_compiled_once(world: World) -> None:
    (world.compiled / "made.txt").write_text("an interpreter")

    first, second = world.compile(), world.compile()

    assert first == second == b"an interpreter"
    assert ran(world) == ["source", "made"]
    assert world.progress == ["fetching the source of cp313t from sid", "compiling cp313t on trixie"]


def test_update_asks_for_the_source_and_compiles_only_another_one(world: World) -> None:
    world.compile()
    world.update = True

    world.compile()
    (world.compiled / "source.txt").write_text("a newer source")
    world.compile()

    assert ran(world) == ["source", "made", "source", "source", "made"]


def test_a_script_that_fails_is_named_and_run_again(world: World) -> None:
    world.compile()
    world.forget("interpreter")
    (world.compiled / "made.txt").unlink()
    (world.compiled / "made.txt").mkdir()

    with pytest.raises(ImageError, match="cp313t could not be compiled on trixie"):
        world.compile()

    (world.compiled / "made.txt").rmdir()
    world.compile()
    assert ran(world) == ["source", "made", "made", "made"]


def test_an_interpreter_whose_file_is_gone_is_compiled_again(world: World) -> None:
    (world.compiled / "made.txt").write_text("an interpreter")
    world.compile()
    for blob in (world.store.path / "blobs").rglob("*"):
        if blob.is_file() and blob.read_bytes() == b"an interpreter":
            blob.unlink()

    assert world.compile() == b"an interpreter"
    assert ran(world) == ["source", "made", "made"]


def test_an_interpreter_of_a_suite_is_moved_once_and_asked_for_again_by_update(world: World) -> None:
    (world.compiled / "made.txt").write_text("an interpreter")

    first, second = world.compile("cp315"), world.compile("cp315")
    world.update = True
    world.compile("cp315")

    assert first == second == b"an interpreter"
    assert ran(world) == ["made", "made"]
    assert world.progress == ["unpacking cp315 of sid"] * 2


def test_another_helper_moves_an_interpreter_again(world: World) -> None:
    world.compile("cp315")
    (world.compiled.parent / "scripts/relocate.py").write_text("pass\n")

    world.compile("cp315")

    assert ran(world) == ["made", "made"]
