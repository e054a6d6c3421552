"""Programs that link libpython: where they run, with what, and what a failure makes of their cell."""

from pathlib import PurePosixPath

import pytest

from factory.events.model import CellRecord
from tests.doubles.engine import Answer
from tests.doubles.looking import calls_of, failure_of, images_of, values
from tests.doubles.projects import EMBEDS, instead
from tests.doubles.run import HELPER, World

PANIC = "running 1 test\nthread 'tests::adds' (7) panicked at src/lib.rs:9:9:\nassertion failed: 1 > 2\n"
BAD = Answer(code=101, output=f"{PANIC}error: test failed, to rerun pass `--lib`\n")


def records_of(world: World, recipe: str = EMBEDS) -> dict[str, CellRecord]:
    return {record.cell.id.partition("-")[0]: record for record in world.run(recipe).records}


def test_each_interpreters_programs_run_in_the_image_that_has_its_libpython(world: World) -> None:
    records = records_of(world)

    assert {name: record.status for name, record in records.items()} == {"cp311": "passed", "cp313": "passed"}
    assert images_of(world, "embeds/cp311-program-") == [world.image("program-manylinux_2_36_x86_64").reference]
    calls = [call for call in calls_of(world, "programs") if call.spec.label.startswith("embeds/cp311-")]
    assert [(call.argv[0], call.argv[-1]) for call in calls] == [
        ("/usr/bin/python3.11", "cargo test --no-default-features"),
        ("/usr/bin/python3.11", "cargo run"),
    ]


def test_nothing_there_tells_pyo3_to_leave_libpython_out(world: World) -> None:
    records_of(world)
    calls = calls_of(world, "programs")

    assert values(calls, "PYO3_BUILD_EXTENSION_MODULE") == {None}
    assert values(calls, "PYO3_PYTHON") == {"/usr/bin/python3.11", "/usr/bin/python3.13"}
    assert values(calls, "CARGO_NET_OFFLINE") == {"true"}
    assert values(calls, "COLOUR") == {"blue"}
    assert {path for call in calls for path in call.mounted} == {PurePosixPath("/rust"), PurePosixPath("/cargo")}


def test_what_comes_before_a_build_comes_before_programs(world: World) -> None:
    records_of(world)

    assert len(calls_of(world, "before")) == 2
    assert {call.cwd for call in calls_of(world, "before")} == {PurePosixPath("/work/source")}


def test_cargo_fetches_once_in_the_helper_for_all_interpreters(world: World) -> None:
    records_of(world)

    fetching = [call.spec for call in calls_of(world, "crates")]
    assert {spec.image for spec in fetching} == {world.image(HELPER).reference}
    assert len([name for name in world.engine.volumes if name.startswith("factory-crates-")]) == 1


def test_what_passed_is_remembered_and_starts_no_container(world: World) -> None:
    records_of(world)
    before = len(world.engine.started)

    again = records_of(world)

    assert {record.status for record in again.values()} == {"cached"}
    assert len(world.engine.started) == before
    assert {material.stage for material in again["cp311"].materials} >= {"crates", "programs"}


def test_another_command_is_another_result(world: World) -> None:
    records_of(world)

    again = records_of(world, EMBEDS.replace("cargo run]", "cargo run --release]"))

    assert {record.status for record in again.values()} == {"passed"}


def test_a_program_that_fails_fails_its_cell_with_the_first_error(world: World) -> None:
    world.engine.commands = instead("programs", BAD, of="embeds/cp311-")

    records = records_of(world)
    again = records_of(world)

    assert (records["cp311"].status, records["cp313"].status) == ("failed", "passed")
    assert failure_of(records["cp311"]).message == (
        "thread 'tests::adds' (7) panicked at src/lib.rs:9:9: assertion failed: 1 > 2"
    )
    assert failure_of(records["cp311"]).step == "programs"
    assert (again["cp311"].status, again["cp313"].status) == ("passed", "cached")


def test_the_commands_after_one_that_failed_do_not_run(world: World) -> None:
    world.engine.commands = instead("programs", BAD, of="embeds/cp311-")

    records_of(world)

    assert len([call for call in calls_of(world, "programs") if "3.11" in call.argv[0]]) == 1


def test_crates_that_cannot_be_fetched_fail_the_cell(world: World) -> None:
    absent = Answer(code=101, output="error: no matching package named `spam` found\n")
    world.engine.commands = instead("crates", absent, absent)

    records = records_of(world)

    assert {failure_of(record).step for record in records.values()} == {"crates"}


def test_the_limits_of_a_build_hold_for_programs(world: World) -> None:
    records_of(world, EMBEDS.replace("build: {", "build: {memory: 1GB, disk: 2GB, "))

    specs = [spec for spec in world.engine.started if spec.label.startswith("embeds/")]
    assert {(spec.memory_bytes, spec.workspace_bytes, spec.network) for spec in specs} == {(10**9, 2 * 10**9, False)}


@pytest.mark.parametrize("kept", [False, True])
def test_the_workspace_of_programs_that_failed_is_kept_if_asked_for(world: World, kept: bool) -> None:
    world.keep = kept
    world.engine.commands = instead("programs", BAD, of="embeds/cp311-")

    records_of(world)

    assert (world.evidence / "kept/embeds/cp311-program-linux_x86_64").exists() == kept
