"""A cell's record is written when its last trial has ended, whatever order the outcomes come in."""

from factory.events.model import CellEnded, CellRecord, TrialEnded, TrialResult
from factory.failure import Failure
from factory.farm.graph import jobs_of
from factory.farm.jobs import BuildCell, Built, TryWheel
from factory.farm.records import Records
from tests.doubles.projects import STABLE
from tests.doubles.run import World

FAILED = Failure(step="build", message="it does not work")
LOST = Failure(step="build", message="it went away", ended="lost")


def jobs_for(world: World) -> tuple[BuildCell, list[TryWheel]]:
    """A cell with two trials."""
    jobs = jobs_of([world.planned(STABLE)], workers=1)
    (build,) = (job for job in jobs if isinstance(job, BuildCell))
    return build, [job for job in jobs if isinstance(job, TryWheel)]


def tried(job: TryWheel) -> TrialResult:
    return TrialResult(interpreter=job.trial.interpreter, image=job.image, outcome="passed")


def test_a_cell_ends_with_its_last_trial_and_has_its_trials_in_the_plans_order(world: World) -> None:
    build, (first, second) = jobs_for(world)
    events: list[object] = []
    with world.recorder() as recorder:
        recorder.listener = events.append
        records = Records(recorder=recorder, is_cancelled=lambda: False)

        records.take(build, Built(record=CellRecord(cell=build.cell, status="passed")))
        records.take(second, tried(second))
        assert [type(event) for event in events] == [TrialEnded]
        records.take(first, tried(first))

    assert [type(event) for event in events] == [TrialEnded, TrialEnded, CellEnded]
    ended = events[-1]
    assert isinstance(ended, CellEnded)
    assert [trial.interpreter for trial in ended.record.trials] == [trial.interpreter for trial in build.cell.trials]


def test_a_cell_without_a_wheel_ends_at_once_and_takes_no_result_of_its_trials(world: World) -> None:
    build, (first, _) = jobs_for(world)
    events: list[object] = []
    with world.recorder() as recorder:
        recorder.listener = events.append
        records = Records(recorder=recorder, is_cancelled=lambda: False)

        records.take(build, Built(record=CellRecord(cell=build.cell, status="failed", failure=FAILED)))
        records.take(first, tried(first))

    (ended,) = events
    assert isinstance(ended, CellEnded)
    assert [trial.outcome for trial in ended.record.trials] == ["blocked", "blocked"]


def test_what_the_end_of_a_run_lost_is_not_recorded(world: World) -> None:
    build, _ = jobs_for(world)
    events: list[object] = []
    with world.recorder() as recorder:
        recorder.listener = events.append
        records = Records(recorder=recorder, is_cancelled=lambda: True)

        records.take(build, Built(record=CellRecord(cell=build.cell, status="lost", failure=LOST)))

    assert events == []
