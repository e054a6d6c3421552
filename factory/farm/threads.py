"""Runs a graph of jobs on this machine's threads; knows nothing of what they do.

Jobs start in the order given, as soon as what they need has passed and enough of the workers are free. A heavy job
that is next in line is waited for: lighter ones behind it do not overtake, so that it cannot starve.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from threading import Event
from time import monotonic
from typing import Generic, TypeVar

from factory.waiting import unless

_T = TypeVar("_T")
_POLL_S = 0.2
_GRACE_S = 1.0
_LEAST_GRACE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[_T]):
    """One piece of work. `weight` is how many of the workers it takes; `needs` are keys of other jobs."""

    key: str
    work: Callable[[], _T]
    needs: tuple[str, ...] = ()
    weight: int = 1


def run_jobs(
    jobs: Sequence[Job[_T]],
    *,
    workers: int,
    cancelled: Event,
    passed: Callable[[_T], bool],
    blocked: Callable[[Job[_T], tuple[str, ...]], _T],
    on_cancel: Callable[[], None] = lambda: None,
) -> Mapping[str, _T]:
    """Run every job and return the results by key, in the order given.

    A job is not started when one that it needs did not pass; `blocked(job, needs that did not pass)` is its result
    then. When `cancelled` is set, nothing starts any more, `on_cancel` is called once, the running jobs are waited
    for, and the jobs that never started are missing from the result. A job that does not end soon after `on_cancel`
    has is left to itself: nobody hears of it any more, and it does not keep the program from ending. A
    KeyboardInterrupt sets `cancelled`, and is raised again when no job runs.

    Raises:
        ValueError: keys repeat, a job needs one that is not there, or needs go round in a circle.
        BaseException: the first that a job raised, after the running ones are done; nothing starts after it.
        Interrupted: a job was left to itself.
    """
    _check(jobs)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="job") as pool:
        running = _Running(jobs, workers, cancelled, passed, blocked, on_cancel, pool)
        try:
            return running.drain()
        finally:
            running.is_given_up.set()


def _check(jobs: Sequence[Job[_T]]) -> None:
    known = {job.key for job in jobs}
    if len(known) != len(jobs):
        raise ValueError("two jobs have the same key")
    if missing := {need for job in jobs for need in job.needs} - known:
        raise ValueError(f"no job is called {min(missing)}")
    TopologicalSorter({job.key: job.needs for job in jobs}).prepare()  # CycleError is a ValueError


class _Running(Generic[_T]):
    """The state of one run: what waits, what runs, what is done."""

    def __init__(
        self,
        jobs: Sequence[Job[_T]],
        workers: int,
        cancelled: Event,
        passed: Callable[[_T], bool],
        blocked: Callable[[Job[_T], tuple[str, ...]], _T],
        on_cancel: Callable[[], None],
        pool: ThreadPoolExecutor,
    ) -> None:
        self.jobs, self.workers, self.cancelled, self.pool = jobs, workers, cancelled, pool
        self.passed, self.blocked, self.on_cancel = passed, blocked, on_cancel
        self.waiting = list(jobs)
        self.running: dict[Future[_T], Job[_T]] = {}
        self.results: dict[str, _T] = {}
        self.failure: BaseException | None = None
        self.patience_s: float | None = None
        self.is_given_up = Event()

    def drain(self) -> Mapping[str, _T]:
        """Start and collect until nothing runs and nothing can start."""
        while True:
            try:
                self._start()
                if not self.running:
                    break
                self._collect()
            except KeyboardInterrupt as interrupt:
                self.failure = self.failure or interrupt
                self.cancelled.set()
        if self.failure is not None:
            raise self.failure
        return {job.key: self.results[job.key] for job in self.jobs if job.key in self.results}

    def _start(self) -> None:
        if self.cancelled.is_set():
            self._end()
        self._block()
        while (job := self._next()) is not None and not self.cancelled.is_set() and self.failure is None:
            self.waiting.remove(job)
            self.running[self.pool.submit(unless, self.is_given_up, job.work)] = job

    def _end(self) -> None:
        """Have the running jobs end, and give up those that do not."""
        if self.patience_s is None:
            started = monotonic()
            self.patience_s = float("inf")  # a signal may come while they are ended: they are ended once
            self.on_cancel()
            self.patience_s = max(started + _GRACE_S, monotonic() + _LEAST_GRACE_S)
        elif monotonic() > self.patience_s:
            self.is_given_up.set()

    def _block(self) -> None:
        """Give a result to every job whose needs are all done and did not all pass, and to those that need it."""
        found = True
        while found:
            found = False
            for job in [job for job in self.waiting if self._is_ready(job)]:
                if bad := tuple(need for need in job.needs if not self.passed(self.results[need])):
                    self.results[job.key] = self.blocked(job, bad)
                    self.waiting.remove(job)
                    found = True

    def _next(self) -> Job[_T] | None:
        """Return the first job that may start, unless it does not fit beside those that run."""
        job = next((job for job in self.waiting if self._is_ready(job)), None)
        if job is None:
            return None
        used = sum(min(other.weight, self.workers) for other in self.running.values())
        return job if used + min(job.weight, self.workers) <= self.workers else None

    def _is_ready(self, job: Job[_T]) -> bool:
        return all(need in self.results for need in job.needs)

    def _collect(self) -> None:
        """Take in what ended. The wait is short, because a signal's handler only sets `cancelled`."""
        done, _ = wait(self.running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        for future in [future for future in self.running if future in done]:
            job = self.running.pop(future)
            error = future.exception()
            if error is None:
                self.results[job.key] = future.result()
            else:
                self.failure = self.failure or error
