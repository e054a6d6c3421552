"""A whole run on a double of the engine: what is done, what is remembered, and what a fault ends."""

import pytest

from factory.engine.api import ContainerSpec
from factory.engine.faults import SilentError
from factory.errors import EngineError, ImageError, PlanError
from factory.failure import Failure
from tests.doubles.engine import Answer, Call
from tests.doubles.looking import failure_of, only
from tests.doubles.projects import HASHES, PLAIN, WORDS, instead, module_of, programs, stored_wheel, wheel_of
from tests.doubles.run import HELPER, World
from tests.makers.objects import make_module
from tests.makers.plans import for_aarch64

ONE_WORD = WORDS.replace("[cp311, cp313]", "[cp313]")
BAD = Answer(code=1, output="error: it does not work\n")
LOST = Answer(code=-1, ended="lost")
BUILDER = "lookalike-manylinux_2_31_x86_64"
TRIAL = "trial-manylinux_2_41_x86_64"


def labels(world: World) -> list[str]:
    """Say what the containers were for, without what differs from run to run."""
    return [spec.label.partition("+")[0] for spec in world.engine.started]


def test_a_recipes_wheels_are_built_and_tried(world: World) -> None:
    run = world.run(WORDS)

    assert run.passed
    assert [record.status for record in run.records] == ["passed", "passed"]
    assert [trial.outcome for record in run.records for trial in record.trials] == ["passed", "passed"]
    assert {record.wheel.filename for record in run.records if record.wheel} == {
        "words-1.0-cp311-cp311-manylinux_2_31_x86_64.whl",
        "words-1.0-cp313-cp313-manylinux_2_31_x86_64.whl",
    }


def test_each_piece_of_work_has_a_container_of_its_own(world: World) -> None:
    world.run(HASHES)

    cell = "hashes/cp313-cp313-manylinux_2_31_x86_64"
    assert labels(world) == ["crates", "tools", "crates", cell, "loader:hashes", f"{cell}@cp313"]


def test_the_loader_resolves_a_recipes_wheels_in_one_container_each_in_a_folder_of_its_own(world: World) -> None:
    world.workers = 1
    run = world.run(WORDS)

    unpacked = {call.argv[-1] for call in world.engine.calls if "zipfile" in call.argv}
    wheels = {record.wheel.digest.short for record in run.records if record.wheel}
    assert labels(world).count("loader:words") == 1
    assert unpacked == {f"/work/{wheel}/unpacked" for wheel in wheels}
    assert len(unpacked) == 2


def test_each_recipe_has_a_loader_of_its_own(world: World) -> None:
    world.run(ONE_WORD, HASHES)

    assert {"loader:words", "loader:hashes"} <= set(labels(world))


def test_a_loader_that_dies_is_replaced_and_its_wheel_resolved_again(world: World) -> None:
    world.workers = 1
    world.engine.commands = instead("load", LOST)

    assert world.run(WORDS).passed
    assert labels(world).count("loader:words") == 2


def test_only_what_fetches_has_a_network(world: World) -> None:
    world.run(WORDS, HASHES)

    with_network = {spec.label.partition(":")[0] for spec in world.engine.started if spec.network}
    firewalls = {spec.firewall for spec in world.engine.started if spec.network}
    assert with_network == {"image", "crates"}
    assert firewalls == {world.image(HELPER).reference}


def test_a_second_run_starts_no_container(world: World) -> None:
    first = world.run(WORDS, HASHES, PLAIN)
    started = len(world.engine.started)

    second = world.run(WORDS, HASHES, PLAIN)

    assert (first.passed, second.passed) == (True, True)
    assert {record.status for record in second.records} == {"cached"}
    assert {trial.from_store for record in second.records for trial in record.trials} == {True}
    assert len(world.engine.started) == started


def test_a_run_without_memory_does_all_work_again_but_images_and_volumes(world: World) -> None:
    world.run(ONE_WORD)
    before, volumes = len(world.engine.started), set(world.engine.volumes)
    world.fresh = True

    run = world.run(ONE_WORD)

    cell = "words/cp313-cp313-manylinux_2_31_x86_64"
    assert only(run).status == "passed"
    assert labels(world)[before:] == [cell, "loader:words", f"{cell}@cp313"]
    assert set(world.engine.volumes) == volumes


def test_a_wheel_that_is_made_anew_with_other_bytes_is_a_finding(world: World) -> None:
    first = world.run(PLAIN)
    world.fresh = True
    same = world.run(PLAIN)
    filename, _ = wheel_of("plain", "cp313", "cp313", "linux_x86_64")
    other = stored_wheel(filename, {module_of("plain", "cp313"): make_module(), "plain/more.txt": b""})

    def build(call: Call) -> Answer:
        call.files.write(f"/work/built/{filename}", other)
        return Answer()

    world.engine.commands = instead("build", build)
    unlike = world.run(PLAIN)

    assert [only(run).unlike for run in (first, same)] == ["", ""]
    path = world.evidence / only(unlike).unlike
    assert path.name == filename
    assert path.read_bytes() == wheel_of("plain", "cp313", "cp313", "linux_x86_64")[1]


def test_a_volume_that_somebody_deleted_is_filled_again(world: World) -> None:
    world.run(PLAIN)
    volumes = set(world.engine.volumes)
    world.engine.volumes.clear()
    world.fresh = True

    assert only(world.run(PLAIN)).status == "passed"
    assert set(world.engine.volumes) == volumes


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("step", "status", "named", "trial", "started_again"),
    [
        pytest.param("package-sources", "blocked", "package-sources", "blocked", 5, id="package sources"),
        pytest.param("packages", "blocked", "packages", "blocked", 5, id="system packages"),
        pytest.param("package-list", "blocked", "package-list", "blocked", 5, id="list of packages"),
        pytest.param("compile-tools", "failed", "compile-tools", "blocked", 4, id="bytecode of the tools"),
        pytest.param("environment", "failed", "environment", "blocked", 3, id="environment"),
        pytest.param("install", "failed", "install", "blocked", 3, id="requirements of the build"),
        pytest.param("requirements", "failed", "requirements", "blocked", 3, id="requirements hook"),
        pytest.param("reset-source", "failed", "reset-source", "blocked", 3, id="source after the hook"),
        pytest.param("before", "failed", "before", "blocked", 3, id="command before the build"),
        pytest.param("build", "failed", "build", "blocked", 3, id="build"),
        pytest.param("repair", "failed", "repair", "blocked", 3, id="repair"),
        pytest.param("load", "failed", "load", "blocked", 2, id="loader"),
        pytest.param("trial install", "failed", "install", "failed", 1, id="install of a trial"),
        pytest.param("import", "failed", "import", "failed", 1, id="import"),
        pytest.param("test", "failed", "test", "failed", 1, id="tests of the recipe"),
    ],
)
def test_a_step_that_fails_ends_its_cell_and_is_done_again_with_all_that_needs_it(
    world: World, step: str, status: str, named: str, trial: str, started_again: int
) -> None:
    world.engine.commands = instead(step, *[BAD] * 3)
    record = only(world.run(ONE_WORD))
    log = (world.evidence / failure_of(record).log).read_text()
    started = len(world.engine.started)
    world.engine.commands = programs

    again = only(world.run(ONE_WORD))

    assert (record.status, failure_of(record).step) == (status, named)
    assert [ended.outcome for ended in record.trials] == [trial]
    assert "it does not work" in failure_of(record).message
    assert "error: it does not work" in log
    assert (again.status, len(world.engine.started) - started) == ("passed", started_again)


def test_crates_that_cannot_be_fetched_fail_the_cell(world: World) -> None:
    world.engine.commands = instead("crates", BAD)

    record = only(world.run(HASHES))

    assert (record.status, failure_of(record).step) == ("failed", "crates")
    assert failure_of(record).message == "cargo could not fetch the crates: it does not work"


def test_a_lock_that_the_source_does_not_have_is_missed_before_any_container_starts(world: World) -> None:
    with pytest.raises(PlanError, match=r"the source has no Cargo\.lock"):
        world.run(HASHES.replace("{locked: false}", "{locked: true}"))

    assert world.engine.calls == []


def test_requirements_that_cannot_be_resolved_fail_the_cell(world: World) -> None:
    world.refuse_requirements(Failure(step="resolve", message="no version fits"))

    record = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("failed", "resolve")
    assert world.engine.started == []


def test_a_cell_whose_image_cannot_be_prepared_blocks_no_other_recipes_cell(world: World) -> None:
    world.engine.commands = instead("packages", BAD)

    run = world.run(ONE_WORD, PLAIN)

    assert {record.cell.recipe: record.status for record in run.records} == {"words": "blocked", "plain": "passed"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("ended", "status", "message"),
    [
        pytest.param(Answer(duration_s=1e9), "timeout", "did not end within", id="time"),
        pytest.param(Answer(code=137, ended="oom"), "failed", "ran out of memory", id="memory"),
        pytest.param(Answer(code=137, ended="workspace"), "failed", "its workspace holds more than", id="workspace"),
        pytest.param(Answer(code=137, ended="unwatched"), "failed", "could not be measured", id="unwatched"),
    ],
)
@pytest.mark.parametrize("step", ["build", "import"])
def test_a_step_that_passes_a_limit_is_not_tried_again(
    world: World, step: str, ended: Answer, status: str, message: str
) -> None:
    world.engine.commands = instead(step, ended)

    record = only(world.run(ONE_WORD))

    assert record.status == status
    assert message in failure_of(record).message
    assert world.engine.waits == 0


@pytest.mark.thorough
@pytest.mark.parametrize("step", ["packages", "requirements", "build", "repair", "load", "import"])
@pytest.mark.parametrize("ended", [LOST, Answer(code=137, ended="disk")], ids=["lost", "disk"])
def test_what_the_engine_lost_is_done_once_more(world: World, step: str, ended: Answer) -> None:
    world.engine.commands = instead(step, ended)

    run = world.run(ONE_WORD)

    assert only(run).status == "passed"
    assert world.engine.waits == 1


@pytest.mark.thorough
@pytest.mark.parametrize("step", ["requirements", "build", "repair", "load", "import"])
def test_what_the_engine_lost_twice_is_lost_and_remembered_no_more_than_a_failure(world: World, step: str) -> None:
    world.engine.commands = instead(step, LOST, LOST)

    record = only(world.run(ONE_WORD))
    again = only(world.run(ONE_WORD))

    assert (record.status, world.engine.waits) == ("lost", 1)
    assert failure_of(record).message == "its container or the engine went away"
    assert again.status == "passed"


def test_an_image_that_was_lost_twice_while_it_was_prepared_stops_no_other_recipe(world: World) -> None:
    world.engine.commands = instead("packages", LOST, LOST)

    run = world.run(ONE_WORD, PLAIN)

    assert {record.cell.recipe: record.status for record in run.records} == {"words": "lost", "plain": "passed"}


def refusals(world: World, of: str, *errors: Exception) -> None:
    """Let the engine refuse the first containers of a label."""
    left = list(errors)

    def on_start(spec: ContainerSpec) -> None:
        if spec.label.startswith(of) and left:
            raise left.pop(0)

    world.engine.on_start = on_start


def test_a_container_that_the_engine_refuses_is_asked_for_once_more(world: World) -> None:
    refusals(world, "plain/", EngineError("the engine is busy"))

    assert only(world.run(PLAIN)).status == "passed"
    assert world.engine.waits == 1


def test_a_container_that_the_engine_refuses_twice_loses_the_cell(world: World) -> None:
    refusals(world, "plain/", EngineError("the engine is busy"), EngineError("the engine is busy"))

    record = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("lost", "engine")
    assert failure_of(record).message == "the engine is busy"


def test_an_engine_that_is_silent_stops_the_run(world: World) -> None:
    refusals(world, "plain/", SilentError("the engine was silent for 60 s"))

    with pytest.raises(SilentError, match="silent"):
        world.run(PLAIN)


@pytest.mark.parametrize("image", [BUILDER, HELPER, TRIAL])
def test_an_image_that_does_not_come_blocks_what_needs_it(world: World, image: str) -> None:
    world.lost_images[image] = ImageError("the mirror has no packages", hint="name another mirror")

    record = only(world.run(PLAIN))

    assert record.status == "blocked"
    assert failure_of(record) == Failure(step="image", message="the mirror has no packages", hint="name another mirror")


def test_cells_of_other_images_go_on_without_an_image_that_does_not_come(world: World) -> None:
    world.lost_images[TRIAL] = ImageError("the mirror has no packages")

    run = world.run(PLAIN, ONE_WORD.replace("[cp313]", "[cp311]"))

    assert {record.cell.recipe: record.status for record in run.records} == {"plain": "blocked", "words": "passed"}


def test_cells_of_another_machine_go_on_without_an_image_that_the_engine_does_not_run(world: World) -> None:
    world.images = (*world.images, *map(for_aarch64, world.images))
    world.lost_images["lookalike-manylinux_2_31_aarch64"] = ImageError("the engine does not run its programs")
    both = "[manylinux_2_31_x86_64, manylinux_2_31_aarch64]\nbuild: {toolchain: {c: '>=10'}}"

    run = world.run(PLAIN.replace("[manylinux_2_31_x86_64]", both))

    assert {record.cell.machine: record.status for record in run.records} == {"x86_64": "passed", "aarch64": "blocked"}


def test_an_engine_that_makes_no_image_stops_the_run(world: World) -> None:
    world.lost_images[TRIAL] = EngineError("the engine is busy")

    with pytest.raises(EngineError, match="the engine is busy"):
        world.run(PLAIN)

    assert world.engine.waits == 1


def test_a_cell_whose_interpreter_no_image_has_is_blocked(world: World) -> None:
    run = world.run(PLAIN.replace("[cp313]", "[cp312, cp313]"))

    statuses = {str(record.cell.builder and record.cell.builder.interpreter): record.status for record in run.records}
    assert statuses == {"None": "unbuildable", "cp313": "passed"}


@pytest.mark.thorough
@pytest.mark.parametrize("step", ["requirements", "build", "repair", "load", "import"])
def test_a_fault_of_our_own_ends_its_cell_alone(world: World, step: str) -> None:
    world.engine.commands = instead(step, KeyError("a"), of="loader:words" if step == "load" else "words/")

    run = world.run(ONE_WORD, PLAIN)

    assert {record.cell.recipe: record.status for record in run.records} == {"words": "error", "plain": "passed"}
    failure = next(failure_of(record) for record in run.records if record.cell.recipe == "words")
    assert "Traceback" in (world.evidence / failure.log).read_text()


def test_a_run_that_is_ended_counts_what_it_killed_as_never_begun(world: World) -> None:
    def end(_: Call) -> Answer:
        world.cancelled.set()
        assert world.engine.ended.wait(60)
        return BAD

    world.engine.commands = instead("build", end)

    run = world.run(PLAIN)

    assert run.records == ()
    assert "build" not in world.remembered()


def test_the_workspace_of_a_cell_that_failed_is_kept_on_request(world: World) -> None:
    world.keep = True
    world.engine.commands = instead("build", BAD)

    world.run(PLAIN)

    kept = world.evidence / "kept/plain/cp313-cp313-manylinux_2_31_x86_64"
    assert (kept / "source/pyproject.toml").is_file()
