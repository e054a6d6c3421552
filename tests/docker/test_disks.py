"""Disks that are full or read-only, and two runs that share a store and an output folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import docker
import pytest

from tests.disks import mounted
from tests.docker.command import CP313, Command, left_behind, remove_all
from tests.docker.projects import make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

ROOM = "1g"


@contextmanager
def on_small_disk(command: Command, daemon: docker.DockerClient, size: str) -> Iterator[mounted]:
    """Lay a command's store on a disk of its own."""
    command.store.mkdir(exist_ok=True)
    with mounted(command.store, f"size={size}") as disk:
        try:
            yield disk
        finally:
            if (command.store / "owner").exists():
                remove_all(daemon, command.owner)


@pytest.fixture(scope="module")
def needed_bytes(tmp_path_factory: pytest.TempPathFactory, daemon: docker.DockerClient) -> int:
    """How much a store holds after one undisturbed run."""
    command = Command(store=tmp_path_factory.mktemp("whole"), folder=tmp_path_factory.mktemp("here"))
    with on_small_disk(command, daemon, ROOM) as disk:
        assert command.build(command.recipe(make_c_project("spacious"))).code == 0
        return disk.used_bytes


@pytest.mark.slow
@pytest.mark.parametrize(
    "share",
    [
        pytest.param(0.005, id="at-once"),
        pytest.param(0.3, id="among-the-tools"),
        pytest.param(0.7, id="later"),
        pytest.param(0.995, id="at-the-end"),
    ],
)
def test_a_full_store_ends_the_run_and_with_room_the_next_one_completes(
    alone: Command, daemon: docker.DockerClient, needed_bytes: int, share: float
) -> None:
    recipe = alone.recipe(make_c_project("spacious"))
    with on_small_disk(alone, daemon, str(int(needed_bytes * share))) as disk:
        full = alone.build(recipe)
        left = left_behind(daemon, alone.owner) if (alone.store / "owner").exists() else set()
        disk.resize(ROOM)
        again = alone.build(recipe)
        temporaries = list((alone.store / "temp").iterdir())

    assert full.code == 5, full.stderr
    assert "no space left on device" in full.stderr.lower()
    assert "free space on that disk" in full.stderr
    assert "Traceback" not in full.stderr
    assert (left, temporaries) == (set(), [])
    assert again.code == 0, again.stderr
    assert alone.wheels == {f"spacious-1.0-{CP313}.whl"}


def test_a_full_output_folder_keeps_the_wheels_in_the_store(command: Command) -> None:
    recipe = command.recipe(make_c_project("cramped"))
    output = command.folder / "dist"
    output.mkdir()
    with mounted(output, "size=4k") as disk:
        full = command.build(recipe)
        half = sorted(command.dist)
        disk.resize(ROOM)
        again = command.build(recipe)
        whole = command.wheels

    assert full.code == 5, full.stderr
    assert "the output folder dist cannot be used: No space left on device" in full.stderr
    assert not [name for name in half if name.startswith(".")], "no half-written file stays"
    assert (again.code, again.containers, whole) == (0, 0, {f"cramped-1.0-{CP313}.whl"}), again.stderr


def test_an_output_folder_that_cannot_be_written_is_reported_before_any_work(command: Command) -> None:
    recipe = command.recipe(make_c_project("unwritten"))
    output = command.folder / "dist"
    output.mkdir()
    with mounted(output, "ro,size=1m"):
        ran = command.build(recipe)

    assert ran.code == 5, ran.stderr
    assert "the output folder dist cannot be used: Read-only file system" in ran.stderr
    assert "begins" not in ran.stderr.partition("source passed")[2], "nothing was built for a place that cannot be had"


def test_a_full_disk_for_the_evidence_ends_the_run(command: Command) -> None:
    recipe = command.recipe(make_c_project("unrecorded"))
    evidence = command.folder / ".factory"
    evidence.mkdir()
    with mounted(evidence, "size=16k"):
        full = command.build(recipe)
    again = command.build(recipe)

    assert full.code == 5, full.stderr
    assert "No space left on device" in full.stderr
    assert "evidence lies in ./.factory/runs" in full.stderr
    assert "Traceback" not in full.stderr
    assert again.code == 0, again.stderr


@pytest.mark.slow
def test_two_runs_at_once_share_a_store_and_an_output_folder(command: Command) -> None:
    common, first, second = (command.recipe(make_c_project(name)) for name in ("common", "left", "right"))
    other = replace(command, folder=command.folder / "other")
    other.folder.mkdir()

    child = command.start("build", common, first, "--json", "run.json")
    there = other.build(common, second, "-o", command.folder / "dist")
    here = command.end(child)

    assert (here.code, there.code) == (0, 0), here.stderr + there.stderr
    assert (here.stderr + there.stderr).count(f"common/{CP313}: build passed") == 1, "made once"
    assert command.wheels == {f"{name}-1.0-{CP313}.whl" for name in ("common", "left", "right")}
    assert sorted(line.partition("  ")[2] for line in command.dist["SHA256SUMS"].decode().splitlines()) == sorted(
        command.wheels
    )
