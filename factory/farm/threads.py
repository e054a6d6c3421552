"""Run a graph of jobs on threads of this machine, whatever the jobs do.

Jobs start in the order given, as soon as what they need has passed, what they come after has ended, and enough threads
are free. A heavy job is not overtaken by lighter ones behind it, so that it cannot wait forever.
"""

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from threading import Event
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

from factory.errors import FactoryError
from factory.waiting import unless

_POLL_S = 0.2
_GRACE_S = 1.0
_LEAST_GRACE_S = 0.2


class Keyed(Protocol):
    """What a graph knows about a job."""

    @property
    def key(self) -> Hashable:
        """What identifies the job."""

    @property
    def needs(self) -> tuple[Hashable, ...]:
        """The keys of the jobs that must pass before this one begins."""

    @property
    def after(self) -> tuple[Hashable, ...]:
        """The keys of the jobs that must have ended before this one begins, however they did."""

    @property
    def weight(self) -> int:
        """How many threads the job takes; more than there are means all of them."""


_J = TypeVar("_J", bound=Keyed)
_O = TypeVar("_O")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[_O]):
    """A job that is nothing but a function to call."""

    key: str
    work: Callable[[], _O]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    weight: int = 1

    def call(self, _done: Mapping[str, _O]) -> _O:
        """Call it."""
        return self.work()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties(Generic[_J, _O]):
    """What workers do with jobs.

    `perform(job, done)` carries a job out; `done` are the outcomes of its needs by key. If one of them did not pass,
    the job does not begin, and `blocked(job, missing)` is its outcome. Nor does a job begin for which `spared(job,
    outcomes)` returns an outcome; it is given all outcomes so far. `take` is called with every outcome. All of these
    are called by one thread, but for `perform`.
    """

    perform: Callable[[_J, Mapping[Any, _O]], _O]
    passed: Callable[[_O], bool]
    blocked: Callable[[_J, Mapping[Any, _O]], _O]
    spared: Callable[[_J, Mapping[Any, _O]], _O | None] = lambda _job, _outcomes: None
    take: Callable[[_J, _O], None] = lambda _job, _outcome: None


class Workers(Protocol):
    """What carries out a graph of jobs: threads of this machine, or in the future other machines."""

    def run(self, jobs: Sequence[_J], duties: Duties[_J, _O]) -> Mapping[Any, _O]:
        """Carry out every job and return the outcomes by key, in the order given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """Threads of this process.

    After `cancelled` is set no job starts, `on_cancel` is called once, and the running jobs are waited for; jobs that
    never started are missing from the outcomes. A job that does not end soon after `on_cancel` is abandoned: its
    outcome is ignored, and it does not keep the program from ending. A KeyboardInterrupt sets `cancelled`, and is
    raised again when no job runs.
    """

    count: int
    cancelled: Event
    on_cancel: Callable[[], None] = lambda: None

    def run(self, jobs: Sequence[_J], duties: Duties[_J, _O]) -> Mapping[Any, _O]:
        """Carry out every job and return the outcomes by key, in the order given.

        Raises:
            ValueError: two jobs have the same key, a job waits for an unknown one, or they wait for each other.
            BaseException: the first that a job raised, after the running ones are done; nothing starts after it.
            Interrupted: a job was abandoned.
        """
        _check(jobs)
        with ThreadPoolExecutor(max_workers=self.count, thread_name_prefix="job") as pool:
            running = _Running(jobs, duties, self, pool)
            try:
                return running.drain()
            finally:
                running.is_given_up.set()  # or the end of the pool would wait for what an exception left running


def _check(jobs: Sequence[Keyed]) -> None:
    known = {job.key for job in jobs}
    if len(known) != len(jobs):
        raise ValueError("two jobs have the same key")
    if missing := {other for job in jobs for other in (*job.needs, *job.after)} - known:
        raise ValueError(f"no job has the key {min(map(str, missing))}")
    TopologicalSorter({job.key: (*job.needs, *job.after) for job in jobs}).prepare()  # CycleError is a ValueError


@dataclass(slots=True)
class _Running(Generic[_J, _O]):
    """The state of one run: what waits, what may begin, what runs, what is done.

    `open_for` counts by place what a job still waits for, `awaited_by` names the places that wait for a key. `ready`
    are the places of jobs that wait for nothing any more, as a heap; `settling` are those whose needs did not pass.
    """

    jobs: Sequence[_J]
    duties: Duties[_J, _O]
    threads: Threads
    pool: ThreadPoolExecutor
    needs: list[tuple[Hashable, ...]] = field(init=False)
    open_for: list[int] = field(init=False)
    awaited_by: dict[Hashable, list[int]] = field(init=False)
    ready: list[int] = field(default_factory=list)
    settling: deque[int] = field(default_factory=deque)
    running: dict[Future[_O], _J] = field(default_factory=dict)
    outcomes: dict[Hashable, _O] = field(default_factory=dict)
    failure: BaseException | None = None
    patience_s: float | None = None
    is_given_up: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        # Read once: a key may be the digest of a document, and the places of a large run are looked at often.
        self.needs = [job.needs for job in self.jobs]
        awaited = [frozenset((*needs, *job.after)) for needs, job in zip(self.needs, self.jobs, strict=True)]
        self.open_for = list(map(len, awaited))
        self.awaited_by = {}
        for place, keys in enumerate(awaited):
            for key in keys:
                self.awaited_by.setdefault(key, []).append(place)
            if not keys:
                heappush(self.ready, place)

    def drain(self) -> Mapping[Any, _O]:
        """Start and collect until nothing runs and nothing can start."""
        while True:
            try:
                self._start()
                if not self.running:
                    break
                self._collect()
            except KeyboardInterrupt as interrupt:
                self.failure = self.failure or interrupt
                self.threads.cancelled.set()
        if self.failure is not None:
            raise self.failure
        return {job.key: self.outcomes[job.key] for job in self.jobs if job.key in self.outcomes}

    def _start(self) -> None:
        if self.threads.cancelled.is_set():
            self._end()
        while (place := self._next()) is not None and not self.threads.cancelled.is_set() and self.failure is None:
            heappop(self.ready)
            work = partial(self.duties.perform, self.jobs[place], self._done(place))
            self.running[self.pool.submit(unless, self.is_given_up, work)] = self.jobs[place]

    def _end(self) -> None:
        """Make the running jobs end, and give up those that do not."""
        if self.patience_s is None:
            started = monotonic()
            self.patience_s = float("inf")  # A second signal meanwhile must not call `on_cancel` again.
            self.threads.on_cancel()
            # That may have taken all the grace; jobs need a moment to notice that their containers are gone.
            self.patience_s = max(started + _GRACE_S, monotonic() + _LEAST_GRACE_S)
        elif monotonic() > self.patience_s:
            self.is_given_up.set()

    def _next(self) -> int | None:
        """Return the first job whose needs have passed, if enough threads are free for it.

        Those before it that will not begin are given their outcomes.
        """
        self._settle()
        while self.ready:
            place, count = self.ready[0], self.threads.count
            job = self.jobs[place]
            used = sum(min(other.weight, count) for other in self.running.values())
            if used + min(job.weight, count) > count:
                return None
            if (outcome := self.duties.spared(job, self.outcomes)) is None:
                return place
            heappop(self.ready)
            self._take(job, outcome)
            self._settle()
        return None

    def _settle(self) -> None:
        """Give an outcome to every job whose needs did not pass, and then to those that need it."""
        while self.settling:
            place = self.settling[0]
            outcome = self.duties.blocked(self.jobs[place], self._missing(place))
            self.settling.popleft()
            self._take(self.jobs[place], outcome)

    def _done(self, place: int) -> Mapping[Hashable, _O]:
        return {need: self.outcomes[need] for need in self.needs[place]}

    def _missing(self, place: int) -> Mapping[Hashable, _O]:
        return {need: outcome for need, outcome in self._done(place).items() if not self.duties.passed(outcome)}

    def _collect(self) -> None:
        """Take the outcomes of jobs that ended."""
        # The wait is short because a signal's handler only sets `cancelled`, which nothing else here would notice.
        done, _ = wait(self.running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        for future in [future for future in self.running if future in done]:
            job = self.running.pop(future)
            error = future.exception()
            if error is None:
                self._take(job, future.result())
            else:
                self.failure = self.failure or error

    def _take(self, job: _J, outcome: _O) -> None:
        self.outcomes[job.key] = outcome
        for place in self.awaited_by.get(job.key, ()):
            self.open_for[place] -= 1
            if not self.open_for[place]:
                self._open(place)
        try:
            self.duties.take(job, outcome)
        except FactoryError as error:  # An outcome that cannot be recorded stops the run after the running jobs.
            self.failure = self.failure or error

    def _open(self, place: int) -> None:
        """Let a job begin, unless something that it needs did not pass."""
        if self._missing(place):
            self.settling.append(place)
        else:
            heappush(self.ready, place)
