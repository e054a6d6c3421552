"""The order in which a graph of jobs runs, and how it ends."""

import threading
from collections.abc import Callable, Mapping

import pytest

from factory.errors import EngineError, Interrupted
from factory.farm.threads import Duties, Task, Threads

PATIENCE_S = 20


def run(
    *jobs: Task[str],
    workers: int = 1,
    cancelled: threading.Event | None = None,
    on_cancel: Callable[[], None] = lambda: None,
    spared: Callable[[Task[str], Mapping[str, str]], str | None] = lambda _job, _outcomes: None,
) -> dict[str, str]:
    duties: Duties[Task[str], str] = Duties(
        perform=Task.call,
        passed=lambda result: result == "passed",
        blocked=lambda job, missing: f"{job.key} blocked by {' '.join(missing)}",
        spared=spared,
    )
    threads = Threads(count=workers, cancelled=cancelled or threading.Event(), on_cancel=on_cancel)
    return dict(threads.run(jobs, duties))


class Log:
    """Makes jobs that write down that they started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def job(
        self, key: str, *needs: str, result: str = "passed", weight: int = 1, after: tuple[str, ...] = ()
    ) -> Task[str]:
        def work() -> str:
            self.started.append(key)
            return result

        return Task(key=key, work=work, needs=needs, after=after, weight=weight)


def test_jobs_start_in_the_order_given_as_soon_as_their_needs_are_met() -> None:
    log = Log()

    results = run(log.job("d", "b"), log.job("a"), log.job("c", "a"), log.job("b"))

    assert log.started == ["a", "c", "b", "d"]
    assert list(results) == ["d", "a", "c", "b"]


def test_a_job_whose_need_did_not_pass_is_blocked_and_so_is_what_needs_it() -> None:
    log = Log()

    results = run(log.job("c", "b"), log.job("b", "a", "x"), log.job("a", result="failed"), log.job("x"), log.job("y"))

    assert log.started == ["a", "x", "y"]
    assert results == {
        "c": "c blocked by b",
        "b": "b blocked by a",
        "a": "failed",
        "x": "passed",
        "y": "passed",
    }


def test_a_job_begins_after_another_has_ended_however_it_did() -> None:
    log = Log()

    results = run(log.job("c", after=("a", "b")), log.job("b", "a"), log.job("a", result="failed"), workers=3)

    assert log.started == ["a", "c"]
    assert results == {"c": "passed", "b": "b blocked by a", "a": "failed"}


def test_a_job_that_an_outcome_spares_does_not_begin_nor_does_what_needs_it() -> None:
    log = Log()

    def spared(job: Task[str], outcomes: Mapping[str, str]) -> str | None:
        return "spared" if job.key in "bx" and outcomes.get("a") == "failed" else None

    results = run(log.job("a", result="failed"), log.job("c", "b"), log.job("b"), log.job("x"), spared=spared)

    assert log.started == ["a"]
    assert results == {"a": "failed", "c": "c blocked by b", "b": "spared", "x": "spared"}


def test_a_job_that_needs_what_did_not_pass_is_blocked_before_it_is_spared() -> None:
    log = Log()

    results = run(
        log.job("a", result="failed"), log.job("b", "a"), spared=lambda job, _: "spared" if job.key == "b" else None
    )

    assert results["b"] == "b blocked by a"


def test_a_job_is_blocked_where_outcomes_are_nothing() -> None:
    jobs: list[Task[None]] = [Task(key="a", work=lambda: None), Task(key="b", work=lambda: None, needs=("a",))]
    duties: Duties[Task[None], None] = Duties(perform=Task.call, passed=lambda _: False, blocked=lambda *_: None)

    assert Threads(count=1, cancelled=threading.Event()).run(jobs, duties) == {"a": None, "b": None}


def test_as_many_jobs_run_at_once_as_there_are_workers() -> None:
    meeting = threading.Barrier(3)

    def meet() -> str:
        meeting.wait(PATIENCE_S)
        return "passed"

    results = run(*(Task(key=key, work=meet) for key in "abc"), workers=3)

    assert results == dict.fromkeys("abc", "passed")


def test_a_heavy_job_runs_alone_even_when_it_weighs_more_than_all_workers() -> None:
    running: list[str] = []
    seen: dict[str, tuple[str, ...]] = {}
    lock = threading.Lock()

    def job(key: str, weight: int) -> Task[str]:
        def work() -> str:
            with lock:
                running.append(key)
                seen[key] = tuple(running)
            with lock:
                running.remove(key)
            return "passed"

        return Task(key=key, work=work, weight=weight)

    run(job("a", 1), job("heavy", 9), job("b", 1), job("c", 1), workers=2)

    assert seen["heavy"] == ("heavy",)
    assert list(seen)[:2] == ["a", "heavy"]


def test_an_error_stops_what_has_not_started_waits_for_what_runs_and_is_raised() -> None:
    log = Log()
    other_runs = threading.Event()
    failed = threading.Event()
    ended: list[str] = []

    def fail() -> str:
        other_runs.wait(PATIENCE_S)
        failed.set()
        raise EngineError("the engine stopped answering")

    def wait() -> str:
        other_runs.set()
        failed.wait(PATIENCE_S)
        ended.append("wait")
        raise EngineError("the engine stopped answering me too")

    with pytest.raises(EngineError):
        run(Task(key="fail", work=fail), Task(key="wait", work=wait), log.job("never"), workers=2)

    assert ended == ["wait"]
    assert log.started == []


def test_cancelling_starts_nothing_more_and_calls_back_once() -> None:
    log = Log()
    cancelled = threading.Event()
    calls: list[str] = []
    released = threading.Event()

    def cancel() -> str:
        cancelled.set()
        released.wait(PATIENCE_S)
        return "passed"

    def on_cancel() -> None:
        calls.append("cancelled")
        released.set()

    results = run(Task(key="a", work=cancel), log.job("b"), log.job("c"), cancelled=cancelled, on_cancel=on_cancel)

    assert results == {"a": "passed"}
    assert calls == ["cancelled"]
    assert log.started == []


def test_an_interrupt_cancels_drains_and_is_raised_again() -> None:
    log = Log()
    cancelled = threading.Event()
    ended: list[str] = []

    def work() -> str:
        cancelled.wait(PATIENCE_S)
        ended.append("a")
        return "passed"

    def blocked(job: Task[str], _: Mapping[str, str]) -> str:
        if not cancelled.is_set():
            raise KeyboardInterrupt
        return f"{job.key} blocked"

    with pytest.raises(KeyboardInterrupt):
        Threads(count=2, cancelled=cancelled).run(
            [
                Task(key="a", work=work),
                log.job("bad", result="failed"),
                log.job("blocked", "bad"),
                log.job("never", "a"),
            ],
            Duties(perform=Task.call, passed=lambda result: result == "passed", blocked=blocked),
        )

    assert ended == ["a"]
    assert log.started == ["bad"]


@pytest.mark.thorough
def test_a_job_that_does_not_end_is_left_to_itself_after_what_ends_it_was_called() -> None:
    cancelled = threading.Event()
    released = threading.Event()
    calls: list[str] = []

    def hang() -> str:
        cancelled.set()
        released.wait(PATIENCE_S)
        return "passed"

    with pytest.raises(Interrupted):
        run(Task(key="a", work=hang), cancelled=cancelled, on_cancel=lambda: calls.append("ended"))

    assert calls == ["ended"]
    assert not released.is_set(), "nobody waited for the job"
    released.set()


def test_a_job_that_does_not_end_keeps_no_error_of_what_ends_it_from_being_raised() -> None:
    cancelled = threading.Event()
    released = threading.Event()

    def hang() -> str:
        cancelled.set()
        released.wait(PATIENCE_S)
        return "passed"

    def on_cancel() -> None:
        raise EngineError("the engine is silent")

    with pytest.raises(EngineError, match="silent"):
        run(Task(key="a", work=hang), cancelled=cancelled, on_cancel=on_cancel)

    released.set()


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        pytest.param({"a": ("b",), "b": ("a",)}, "cycle", id="a circle"),
        pytest.param({"a": ("z",)}, "no job has the key z", id="an unknown need"),
    ],
)
def test_a_graph_that_cannot_be_run_is_refused(needs: dict[str, tuple[str, ...]], message: str) -> None:
    log = Log()

    with pytest.raises(ValueError, match=message):
        run(*(log.job(key, *needs[key]) for key in needs))

    assert log.started == []


def test_two_jobs_of_one_key_are_refused() -> None:
    log = Log()

    with pytest.raises(ValueError, match="same key"):
        run(log.job("a"), log.job("a"))


def test_no_jobs_are_no_work() -> None:
    assert run() == {}
