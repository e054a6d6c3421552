"""One job at a time: what it is given, what it returns, and what becomes of one that cannot begin."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.digest import Digest
from factory.events.model import CellRecord, TrialResult
from factory.failure import Failure
from factory.farm.graph import jobs_of
from factory.farm.jobs import BuildCell, Built, FitImage, Job, Key, MakeImage, Outcome, TryWheel, passed
from factory.farm.perform import Performer, blocked
from factory.images.ready import ReadyImage
from factory.stages import reading
from factory.wheel import Wheel, read_wheel
from tests.doubles.projects import WORDS
from tests.doubles.run import TODAY, World

ONE_WORD = WORDS.replace("[cp311, cp313]", "[cp313]")
FAILED = Failure(step="packages", message="no package")
LOST = Failure(step="packages", message="the engine went away", ended="lost")


@pytest.fixture
def jobs(world: World) -> dict[type[Job], Job]:
    """One job of each kind; of the images the one that is made last."""
    return {type(job): job for job in jobs_of([world.planned(ONE_WORD)], workers=1)}


def perform(world: World, job: Job, done: Mapping[Key, Outcome]) -> Outcome:
    """Carry out one job with services of its own, as a worker elsewhere would."""
    with world.recorder() as recorder:
        performer = Performer(services=world.services(recorder), make_image=world.image, today=TODAY)
        return performer.perform(job, {need: done[need] for need in job.needs})


def test_each_job_needs_nothing_but_its_own_value_and_the_outcomes_of_its_needs(world: World) -> None:
    done: dict[Key, Outcome] = {}
    for job in jobs_of([world.planned(ONE_WORD)], workers=1):
        done[job.key] = perform(world, job, done)

    kinds = [type(outcome) for outcome in done.values()]
    assert kinds == [ReadyImage, ReadyImage, ReadyImage, Built, ReadyImage, TrialResult]
    assert all(passed(outcome) for outcome in done.values())


def test_a_cell_reads_its_raw_and_its_repaired_wheel_once_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(path: Path) -> Wheel:
        wheel = read_wheel(path)
        read.extend(tag.platform for tag in wheel.tags)
        return wheel

    monkeypatch.setattr(reading, "read_wheel", counted)
    done: dict[Key, Outcome] = {}
    for job in jobs_of([world.planned(ONE_WORD)], workers=1):
        done[job.key] = perform(world, job, done)

    assert read == ["linux_x86_64", "manylinux_2_31_x86_64"]


def test_a_job_that_is_performed_again_takes_its_result_from_the_store(world: World) -> None:
    done: dict[Key, Outcome] = {}
    for job in jobs_of([world.planned(ONE_WORD)], workers=1):
        done[job.key] = perform(world, job, done)
        started = len(world.engine.started)
        perform(world, job, done)
        assert len(world.engine.started) == started


@pytest.mark.parametrize(
    ("kind", "failure", "ended"),
    [
        pytest.param(BuildCell, FAILED, "blocked", id="a build without its image"),
        pytest.param(BuildCell, LOST, "lost", id="a build whose image was lost"),
        pytest.param(TryWheel, FAILED, "blocked", id="a trial without its image"),
        pytest.param(TryWheel, LOST, "lost", id="a trial whose image was lost"),
    ],
)
def test_a_job_without_its_image_has_the_failure_of_the_image(
    jobs: dict[type[Job], Job], kind: type[Job], failure: Failure, ended: str
) -> None:
    job = jobs[kind]

    outcome = blocked(job, {job.needs[-1]: failure})

    result = outcome.record if isinstance(outcome, Built) else outcome
    assert isinstance(result, CellRecord | TrialResult)
    assert result.failure is not None
    assert (result.failure.message, result.failure.ended) == (failure.message, failure.ended)
    assert (result.status if isinstance(result, CellRecord) else result.outcome) == ended


def test_a_fitting_without_its_image_has_the_failure_of_the_image(jobs: dict[type[Job], Job]) -> None:
    fitting = jobs[FitImage]

    assert blocked(fitting, {fitting.needs[0]: FAILED}) == FAILED


def test_a_trial_without_a_wheel_is_blocked_and_has_no_failure_of_its_own(jobs: dict[type[Job], Job]) -> None:
    build, trial = jobs[BuildCell], jobs[TryWheel]
    assert isinstance(build, BuildCell)
    record = CellRecord(cell=build.cell, status="failed", failure=FAILED)

    outcome = blocked(trial, {build.key: Built(record=record)})

    assert isinstance(outcome, TrialResult)
    assert (outcome.outcome, outcome.failure) == ("blocked", None)


def test_a_build_whose_image_is_not_one_is_refused(world: World, jobs: dict[type[Job], Job]) -> None:
    build = jobs[BuildCell]

    with pytest.raises(TypeError, match="is not an image"):
        perform(world, build, dict.fromkeys(build.needs, FAILED))


def test_a_failure_and_a_trial_that_failed_did_not_pass(world: World, jobs: dict[type[Job], Job]) -> None:
    trial = jobs[TryWheel]
    assert isinstance(trial, TryWheel)

    outcome = blocked(trial, {trial.needs[-1]: FAILED})

    assert not passed(outcome)
    assert not passed(FAILED)
    assert passed(world.image(trial.image))
    assert isinstance(jobs[MakeImage].key, type(trial.needs[-1]))
    assert Digest.of(trial.image.encode()) == world.image(trial.image).identity
