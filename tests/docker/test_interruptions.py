"""What Ctrl-C, SIGTERM and kill -9 leave behind, and that the next run completes the work."""

import os
import random
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import docker
import pytest

from tests.docker.command import CP313, Command, left_behind
from tests.docker.events import has_ended, is_building, wait_for
from tests.docker.projects import make_c_project, make_slow_project
from tests.slow_sdists import await_reader, living, write_slow_recipe

pytestmark = [pytest.mark.engine, pytest.mark.index]


def temporary(store: Path) -> list[str]:
    return sorted(path.name for path in (store / "temp").iterdir())


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_says_so_keeps_what_is_finished_and_leaves_nothing(
    command: Command, daemon: docker.DockerClient, number: signal.Signals
) -> None:
    quick = command.recipe(make_c_project(f"brief{number}"))
    slow = command.recipe(make_slow_project(f"lasting{number}"))
    child = command.start("build", quick, slow, "--jobs", "2", "--json", "run.json")
    wait_for(command.folder, child, has_ended(f"brief{number}"))
    wait_for(command.folder, child, is_building(f"lasting{number}"))
    assert left_behind(daemon, command.owner), "the build of `slow` runs in a container"

    child.send_signal(number)
    ended = command.end(child)
    left, temporaries, kept = left_behind(daemon, command.owner), temporary(command.store), command.wheels
    again = command.build(quick, slow)

    assert ended.code == 130, ended.stderr
    assert "interrupted: 1 of 2 wheels finished" in ended.stderr
    assert "run the same command again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "went away" not in ended.stderr, "the user interrupted it: nothing was lost"
    assert ended.run is not None
    assert ended.run.interrupted
    assert (left, temporaries) == (set(), [])
    assert kept == {f"brief{number}-1.0-{CP313}.whl"}
    assert f"brief{number}-1.0-{CP313}.whl" in command.dist["SHA256SUMS"].decode()
    assert again.code == 0, again.stderr
    assert [again.records[f"{name}{number}"].status for name in ("brief", "lasting")] == ["cached", "passed"]
    assert len(command.wheels) == 2


def test_a_run_is_interrupted_before_its_first_container(command: Command) -> None:
    child = command.start("build", command.recipe(make_c_project("early")))

    sleep(0.7)
    child.send_signal(signal.SIGINT)
    ended = command.end(child)

    assert ended.code == 130, ended.stderr
    assert "interrupted" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert command.wheels == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_waits_for_no_reader_of_a_source(alone: Command, number: signal.Signals) -> None:
    child = alone.start("build", write_slow_recipe(alone.folder, alone.store))
    readers = await_reader(child.pid, depth=3)  # the process of the run's readers, a supervisor, the reader
    sleep(0.3)
    started = monotonic()

    child.send_signal(number)
    ended = alone.end(child)

    assert monotonic() - started < 2
    assert ended.code == 130, ended.stderr
    assert "factory: interrupted\n  hint: run the same command again" in ended.stderr
    assert not living(readers)
    assert temporary(alone.store) == []


@pytest.fixture
def endless() -> Iterator[tuple[str, str]]:
    """A PATH on which the bootstrapper is one that never ends, and a word of its command.

    It runs as somebody who may enter no folder of ours, in a process namespace of its own.
    """
    word = f"600.{uuid4().int % 10**9:09}"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "mmdebstrap")
        program.write_text(f"#!/bin/sh\nsleep {word}\n")
        for path in (program.parent, program):
            path.chmod(0o755)
        yield f"{folder}:{os.environ['PATH']}", word


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_image_that_is_being_made_is_given_up_with_all_that_makes_it(
    alone: Command, endless: tuple[str, str], number: signal.Signals
) -> None:
    path, word = endless
    child = alone.start("image", "build", "trial-trixie", "--update", env={"PATH": path})
    while not running(word):
        assert child.poll() is None, alone.end(child).stderr
        sleep(0.1)

    child.send_signal(number)
    ended = alone.end(child)

    assert ended.code == 130, ended.stderr
    assert "factory: interrupted\n  hint: run the same command again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert running(word) == []
    assert temporary(alone.store) == []


def running(word: str) -> list[str]:
    """List the processes of this machine that have a word in their command; one that ended has no command."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
    return found


def test_what_a_kill_9_leaves_is_reaped_at_the_next_start(command: Command, daemon: docker.DockerClient) -> None:
    child = command.start("build", command.recipe(make_slow_project("killed")))
    wait_for(command.folder, child, is_building("killed"))

    child.kill()
    command.end(child)
    left, temporaries = left_behind(daemon, command.owner), temporary(command.store)
    other = command.build(command.recipe(make_c_project("other")))

    assert len(left) >= 2, "a container and its workspace: else there is nothing to reap"
    assert temporaries
    assert other.code == 0, other.stderr
    assert left_behind(daemon, command.owner) == set()
    assert temporary(command.store) == []


@pytest.mark.slow
def test_a_signal_that_comes_twice_at_once_is_one(command: Command, daemon: docker.DockerClient) -> None:
    """A wrapper passes on what the terminal has sent to all."""
    slow = command.recipe(make_slow_project("impatient"))
    child = command.start("build", slow, "--json", "run.json")
    wait_for(command.folder, child, is_building("impatient"))

    child.send_signal(signal.SIGINT)
    sleep(0.2)
    child.send_signal(signal.SIGINT)
    ended = command.end(child)

    assert ended.code == 130, ended.stderr
    assert "interrupted: 0 of 1 wheel finished" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (left_behind(daemon, command.owner), temporary(command.store)) == (set(), [])


@pytest.mark.slow
@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumped_since_the_last_run_changes_nothing(
    command: Command, daemon: docker.DockerClient, years: int
) -> None:
    """Everything in the store seems to be of the future, or of long ago."""
    recipe = command.recipe(make_c_project(f"clock{abs(years + 1)}"))
    first = command.build(recipe)
    made = command.dist
    for path in command.store.rglob("*"):
        moment_s = path.lstat().st_mtime + years * 365 * 86400
        os.utime(path, (moment_s, moment_s), follow_symlinks=False)

    again = command.build(recipe)
    anew = command.build(recipe, "--no-cache")

    assert (first.code, again.code, anew.code) == (0, 0, 0), first.stderr + again.stderr + anew.stderr
    assert again.containers == 0
    assert command.dist == made
    assert left_behind(daemon, command.owner) == set()


MADE = ("build", "repair", "audit", "load", "trial", "volume")
"""Stages of a run's own work: forgotten, they are done again, while sources and requirements stay."""


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_moment_is_completed_by_the_next_with_the_same_wheels(
    alone: Command, daemon: docker.DockerClient, kills: int
) -> None:
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    recipe = alone.recipe(make_c_project("spam"), interpreters=("cp311", "cp313"))
    started = monotonic()
    undisturbed = alone.build(recipe, "-o", "undisturbed")
    lasts_s = monotonic() - started
    assert undisturbed.code == 0, undisturbed.stderr
    owed = wheels_in(alone.folder / "undisturbed")

    for number in range(kills):
        forget(alone)
        moment_s = moments.uniform(0, lasts_s)
        said = f"seed {seed}, kill {number} after {moment_s:.3f} s of {lasts_s:.3f} s"
        child = alone.start("build", recipe)
        sleep(moment_s)
        child.kill()
        alone.end(child)
        ended = alone.build(recipe)

        assert ended.code == 0, (said, ended.stderr)
        assert wheels_in(alone.folder / "dist") == owed, said
        assert left_behind(daemon, alone.owner) == set(), said
        assert temporary(alone.store) == [], said
        assert sorted((alone.store / "locks").iterdir()) == [], said


def forget(command: Command) -> None:
    """Have the next run do all of its own work again."""
    shutil.rmtree(command.folder / "dist", ignore_errors=True)
    for stage in MADE:
        shutil.rmtree(command.store / "ledger" / stage, ignore_errors=True)


def wheels_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
