"""How long a run still takes and what its jobs wait for, on a clock that stands still."""

from dataclasses import dataclass

import pytest

from factory.events.model import CellEnded, CellRecord, ExpectedJob, JobEnded, JobStarted, WorkStarted
from factory.report.forecast import Forecast, Left
from tests.makers.plans import make_plan

AT = "2026-11-30T12:00:00.000Z"


@dataclass(slots=True)
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def job(subject: str, *needs: str, expected_s: float | None = None) -> ExpectedJob:
    return ExpectedJob(subject=subject, needs=needs, expected_s=expected_s)


def forecast_of(clock: Clock, *jobs: ExpectedJob, workers: int = 2) -> Forecast:
    forecast = Forecast(clock)
    forecast.fold(WorkStarted(at=AT, workers=workers, jobs=jobs))
    return forecast


def test_work_is_shared_by_all_workers(clock: Clock) -> None:
    jobs = [job(name, expected_s=10) for name in "abcd"]

    assert forecast_of(clock, *jobs).left == Left(seconds=20, is_least=False)


def test_the_longest_chain_cannot_be_shared(clock: Clock) -> None:
    jobs = [job("a", expected_s=30), job("a@cp313", "a", expected_s=5), job("b", expected_s=1)]

    assert forecast_of(clock, *jobs).left == Left(seconds=35, is_least=False)


def test_time_and_ended_jobs_shorten_it_and_a_job_that_takes_longer_counts_nothing_more(clock: Clock) -> None:
    forecast = forecast_of(clock, job("a", expected_s=30), job("b", expected_s=10))
    forecast.fold(JobStarted(subject="a", at=AT))
    forecast.fold(JobStarted(subject="b", at=AT))

    clock.now_s += 5
    after_5_s = forecast.left
    forecast.fold(JobEnded(subject="b", at=AT))
    clock.now_s += 50

    assert after_5_s == Left(seconds=25, is_least=False)
    assert forecast.left == Left(seconds=0, is_least=False)


def test_a_job_of_which_nothing_is_known_makes_it_the_least(clock: Clock) -> None:
    assert forecast_of(clock, job("a", expected_s=10), job("b")).left == Left(seconds=10, is_least=True)
    assert forecast_of(clock, job("a"), job("b")).left is None


def test_it_is_counted_once_a_second(clock: Clock) -> None:
    forecast = forecast_of(clock, job("a", expected_s=10))
    before = forecast.left
    forecast.fold(JobEnded(subject="a", at=AT))

    clock.now_s += 0.5
    assert forecast.left is before
    clock.now_s += 0.5
    assert forecast.left is None


def test_a_job_waits_for_what_it_needs_and_then_for_a_worker(clock: Clock) -> None:
    forecast = forecast_of(clock, job("image:x"), job("image:y"), job("a", "image:x", "image:y"), job("b", "image:x"))

    assert forecast.awaited_by("a") == "image:x and 1 more"
    assert forecast.awaited == {"image:x": 2, "image:y": 1}
    forecast.fold(JobEnded(subject="image:y", at=AT))
    assert forecast.awaited_by("a") == "image:x"
    forecast.fold(JobEnded(subject="image:x", at=AT))
    assert forecast.awaited_by("a") == "a worker"
    forecast.fold(JobStarted(subject="a", at=AT))
    assert forecast.awaited_by("a") == ""
    assert forecast.awaited_by("nobody") == ""


def test_trials_of_a_wheel_that_is_not_there_are_not_waited_for(clock: Clock) -> None:
    cell = make_plan().cells[0]
    trials = [job(f"{cell.address}@{trial.interpreter}", cell.address, expected_s=9) for trial in cell.trials]
    forecast = forecast_of(clock, job(cell.address, expected_s=30), *trials)
    forecast.fold(CellEnded(record=CellRecord(cell=cell, status="failed")))

    assert forecast.left is None
    assert forecast.awaited == {}
