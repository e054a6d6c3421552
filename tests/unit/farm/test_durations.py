"""How long jobs took is remembered for the next run, and nothing but its order depends on that."""

import pytest

from factory.events.model import WorkStarted
from factory.events.read import events_of
from factory.store.durations import parse_durations, written_durations
from tests.doubles.engine import Answer
from tests.doubles.projects import PLAIN, instead
from tests.doubles.run import World

CELL = "plain/cp313-cp313-manylinux_2_31_x86_64"


def expected(world: World) -> dict[str, float | None]:
    """Return what the last run expected of its jobs."""
    (begun,) = events_of(world.evidence, [WorkStarted])
    assert isinstance(begun, WorkStarted)
    return {job.subject: job.expected_s for job in begun.jobs}


def test_a_run_leaves_how_long_its_jobs_took_and_the_next_one_expects_that(world: World) -> None:
    world.run(PLAIN)
    first, took = expected(world), world.store.durations()
    world.run(PLAIN)

    assert first[CELL] is None
    assert {CELL, f"{CELL}@cp313"} <= took.keys()
    assert {subject: expected(world)[subject] for subject in took} == dict(took)


def test_what_comes_from_the_store_changes_nothing_that_is_remembered(world: World) -> None:
    world.run(PLAIN)
    world.store.note_durations({CELL: 4000.0, f"{CELL}@cp313": 50.0})

    world.run(PLAIN)

    assert world.store.durations()[CELL] == 4000.0
    assert world.store.durations()[f"{CELL}@cp313"] == 50.0


def test_a_job_that_failed_says_nothing_of_the_next_run(world: World) -> None:
    world.engine.commands = instead("build", Answer(code=1, output="error: it does not work\n"))

    world.run(PLAIN)

    assert CELL not in world.store.durations()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"a": "b"}', b'{"a": -1}', b'{"a": true}', b'{"a": NaN}', b'{"a": 1%d}' % 10**400]
)
def test_what_is_damaged_is_reported_and_forgotten(world: World, content: bytes) -> None:
    (world.store.path / "durations").write_bytes(content)

    assert world.store.durations() == {}
    assert world.said == [f"how long jobs took is not known any more: {world.store.path}/durations is damaged"]
    assert world.run(PLAIN).passed
    assert CELL in world.store.durations()


def test_the_last_written_are_kept() -> None:
    both = parse_durations(written_durations({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 4.001, "d": 5.0}, most=3))

    assert both == {"c": 3.0, "a": 4.0, "d": 5.0}
    assert list(both) == ["c", "a", "d"]
