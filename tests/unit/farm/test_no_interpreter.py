"""A wheel that is built without an interpreter: what its container shows, and what its builder is."""

import io
import zipfile
from pathlib import PurePosixPath

import pytest

from factory.digest import Artifact
from tests.doubles.engine import Answer
from tests.doubles.looking import calls_of, failure_of, only, values
from tests.doubles.projects import UNSEEN, instead
from tests.doubles.run import World

OPT_PYTHON = PurePosixPath("/opt/python")


def maturin(world: World, member: str = "maturin-1.16.0.data/scripts/maturin") -> Artifact:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as wheel:
        wheel.writestr(member, b"\x7fELF")
    return world.store.put_bytes(content.getvalue(), "maturin-1.16.0-py3-none-manylinux_2_12_x86_64.whl")


@pytest.fixture(autouse=True)
def requirements(world: World) -> None:
    world.resolve_to(maturin(world))


def test_the_images_interpreters_are_hidden_where_it_is_built_and_seen_where_it_is_repaired(world: World) -> None:
    record = only(world.run(UNSEEN))

    (built,), (repaired,) = calls_of(world, "maturin"), calls_of(world, "repair")
    assert record.status == "passed"
    assert (built.spec.hidden, repaired.spec.hidden) == ((OPT_PYTHON,), ())
    assert repaired.argv[0].startswith("/opt/python/")


def test_what_is_in_sight_is_looked_at_before_the_build_and_stops_it(world: World) -> None:
    world.engine.commands = instead("no-interpreter", Answer(code=1, output="error: /usr/bin/python3 is on PATH\n"))

    record = only(world.run(UNSEEN))

    assert (failure_of(record).step, failure_of(record).message) == (
        "no-interpreter",
        "error: /usr/bin/python3 is on PATH",
    )
    assert calls_of(world, "maturin") == []


def test_pyo3_is_told_that_there_is_none(world: World) -> None:
    world.run(UNSEEN)

    calls = [*calls_of(world, "no-interpreter"), *calls_of(world, "maturin")]
    assert values(calls, "PYO3_NO_PYTHON") == values(calls, "PYO3_BUILD_EXTENSION_MODULE") == {"1"}
    assert values(calls, "PYO3_PYTHON") == {None}


def test_maturins_own_program_is_all_of_the_environment(world: World) -> None:
    world.run(UNSEEN)

    (built,) = calls_of(world, "maturin")
    assert built.argv[0] == "/work/maturin/bin/maturin"
    assert built.read("/work/maturin/bin/maturin") == b"\x7fELF"
    assert (calls_of(world, "requirements"), [call for call in calls_of(world, "environment") if call.spec.hidden]) == (
        [],
        [],
    )


def test_the_wheel_is_tried_as_every_other(world: World) -> None:
    record = only(world.run(UNSEEN))

    assert [(str(trial.interpreter), trial.outcome) for trial in record.trials] == [
        ("cp311", "passed"),
        ("cp313", "passed"),
    ]


def test_a_second_run_starts_no_container(world: World) -> None:
    world.run(UNSEEN)
    before = len(world.engine.started)

    assert (only(world.run(UNSEEN)).status, len(world.engine.started)) == ("cached", before)


def test_a_repair_that_fails_builds_nothing_where_interpreters_are_seen(world: World) -> None:
    world.engine.commands = instead("repair", Answer(code=1, output="error: it does not work\n"))
    world.run(UNSEEN)
    world.engine.commands = instead("repair", Answer(code=1, output="error: it does not work\n"))

    record = only(world.run(UNSEEN))

    assert failure_of(record).step == "repair"
    assert {call.spec.hidden for call in calls_of(world, "maturin")} == {(OPT_PYTHON,)}


def test_a_project_that_requires_no_maturin_is_told_what_to_add(world: World) -> None:
    world.resolve_to(world.store.put_bytes(b"", "setuptools-80.0-py3-none-any.whl"))

    record = only(world.run(UNSEEN))

    assert failure_of(record).hint == "add build: {requires: [maturin]}"


def test_a_maturin_without_a_program_is_refused(world: World) -> None:
    world.resolve_to(maturin(world, "maturin/__init__.py"))

    record = only(world.run(UNSEEN))

    assert "holds no program" in failure_of(record).message
