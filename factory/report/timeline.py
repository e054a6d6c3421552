"""When each job of a run worked, on which row of a chart, and what the end of the run waited for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from operator import attrgetter

from factory.events.model import (
    CellEnded,
    Event,
    JobEnded,
    JobStarted,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
    WorkStarted,
)

_SHARED = ("crates", "volume", "tools")
"""The first parts of subjects that jobs share: such steps run within a job of a cell or a trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedStep:
    """A step with when it began and ended, in seconds since the run began, and how it ended."""

    name: str
    begin_s: float
    end_s: float
    outcome: str

    @property
    def took_s(self) -> float:
        """How long it took."""
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedJob:
    """A job with its steps, and when it began and ended, in seconds since the run began.

    `row` is its row in the chart. `is_shared` is work that jobs share, which runs within one of them. `is_critical` is
    whether the end of the run waited for it.
    """

    subject: str
    begin_s: float
    end_s: float
    steps: tuple[TimedStep, ...]
    from_store: bool = False
    is_shared: bool = False
    is_critical: bool = False
    row: int = 0

    @property
    def took_s(self) -> float:
        """How long it took."""
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A run in time: its jobs, in the order in which they began.

    `busy` are the times at which the number of running jobs changes, each with the number from then on. `workers` is
    how many may run at once; 0 where the run ended before jobs began. Times are in seconds since the run began.
    """

    run: str
    duration_s: float
    work_s: float
    workers: int
    jobs: tuple[TimedJob, ...]
    busy: tuple[tuple[float, int], ...]

    @property
    def worked_s(self) -> float:
        """How long the workers worked, all together."""
        pairs = pairwise([*self.busy, (self.duration_s, 0)])
        return sum((after - before) * min(count, self.workers or count) for (before, count), (after, _) in pairs)

    @property
    def idle_share(self) -> float:
        """The share of the workers' time, from when jobs began until the end, in which they had nothing to do."""
        whole_s = (self.duration_s - self.work_s) * self.workers
        since = replace(self, busy=tuple(self._since_work()))
        return max(0.0, 1 - since.worked_s / whole_s) if whole_s > 0 else 0.0

    def _since_work(self) -> Iterator[tuple[float, int]]:
        before = [count for time_s, count in self.busy if time_s <= self.work_s]
        yield self.work_s, before[-1] if before else 0
        yield from (change for change in self.busy if change[0] > self.work_s)


@dataclass(slots=True)
class _Reading:
    """What was read of a run so far."""

    started: datetime | None = None
    ended_s: float = 0.0
    last_s: float = 0.0
    work_s: float = 0.0
    run: str = ""
    workers: int = 0
    open: dict[str, tuple[str, float]] = field(default_factory=dict)
    steps: dict[str, list[TimedStep]] = field(default_factory=dict)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    from_store: set[str] = field(default_factory=set)

    def take(self, event: Event) -> None:
        match event:
            case RunStarted(run=run, at=at):
                self.run, self.started = run, datetime.fromisoformat(at)
            case WorkStarted(at=at, workers=workers):
                self.work_s, self.workers = self._since(at), workers
            case JobStarted(subject=subject, at=at) | JobEnded(subject=subject, at=at):
                time_s = self._since(at)
                self._span(subject, time_s, time_s)
            case StepStarted(subject=subject, step=step, at=at):
                self.open[subject] = step, self._since(at)
            case StepEnded(subject=subject, at=at, outcome=outcome) if subject in self.open:
                name, begin_s = self.open.pop(subject)
                self._add(subject, TimedStep(name=name, begin_s=begin_s, end_s=self._since(at), outcome=outcome))
            case TrialEnded(address=address, trial=trial) if trial.from_store:
                self.from_store.add(address)
            case CellEnded(record=record) if record.from_store:
                self.from_store.add(record.cell.address)
            case RunEnded(at=at):
                self.ended_s = self._since(at)
            case _:
                return

    def close(self) -> None:
        """End what a killed or interrupted run has left open."""
        self.ended_s = max(self.ended_s, self.last_s)
        for subject, (name, begin_s) in self.open.items():
            self._add(subject, TimedStep(name=name, begin_s=begin_s, end_s=self.ended_s, outcome="lost"))

    def _add(self, subject: str, step: TimedStep) -> None:
        self.steps.setdefault(_job_of(subject), []).append(step)
        self._span(_job_of(subject), step.begin_s, step.end_s)

    def _span(self, job: str, begin_s: float, end_s: float) -> None:
        known_begin_s, known_end_s = self.spans.get(job, (begin_s, end_s))
        self.spans[job] = min(begin_s, known_begin_s), max(end_s, known_end_s)

    def _since(self, at: str) -> float:
        if self.started is None:
            raise ValueError("a run begins with run-started")
        self.last_s = max(self.last_s, (datetime.fromisoformat(at) - self.started).total_seconds())
        return self.last_s  # so that a clock that is set back turns no time negative


def timeline_of(events: Iterable[Event]) -> Timeline:
    """Read a run's events, the first of which must be RunStarted."""
    reading = _Reading()
    for event in events:
        reading.take(event)
    reading.close()
    jobs = [
        TimedJob(
            subject=subject,
            begin_s=begin_s,
            end_s=end_s,
            steps=tuple(reading.steps.get(subject, ())),
            from_store=subject in reading.from_store,
            is_shared=subject.partition(":")[0] in _SHARED,
        )
        for subject, (begin_s, end_s) in reading.spans.items()
    ]
    jobs.sort(key=attrgetter("begin_s", "end_s"))
    critical = frozenset(_waited_for([job for job in jobs if not job.is_shared]))
    placed = [replace(job, is_critical=job.subject in critical) for job in _placed(jobs)]
    return Timeline(
        run=reading.run,
        duration_s=reading.ended_s,
        work_s=reading.work_s,
        workers=reading.workers,
        jobs=tuple(placed),
        busy=tuple(_busy(job for job in jobs if not job.is_shared)),
    )


def _job_of(subject: str) -> str:
    """Return the job whose step it is: a cell's wheel is loaded by the cell's own job."""
    return subject.removesuffix("@load")


def _placed(jobs: Sequence[TimedJob]) -> Iterator[TimedJob]:
    """Lay jobs out on as few rows as ran at once, and what they share on rows below."""
    free: Mapping[bool, list[float]] = {False: [], True: []}
    rows: list[tuple[TimedJob, int]] = []
    for job in jobs:
        ends = free[job.is_shared]
        row = next((row for row, end_s in enumerate(ends) if end_s <= job.begin_s), len(ends))
        ends[row : row + 1] = [job.end_s]
        rows.append((job, row))
    for job, row in rows:
        yield replace(job, row=row + len(free[False]) if job.is_shared else row)


def _waited_for(jobs: Sequence[TimedJob]) -> Iterator[str]:
    """Yield the jobs that the run's end waited for, the last first: before each, what ended last before it began."""
    later = max(jobs, key=attrgetter("end_s"), default=None)
    while later is not None:
        yield later.subject
        begin_s, subject = later.begin_s, later.subject
        before = [job for job in jobs if job.end_s <= begin_s and job.begin_s < begin_s and job.subject != subject]
        later = max(before, key=attrgetter("end_s"), default=None)


def _busy(jobs: Iterable[TimedJob]) -> Iterator[tuple[float, int]]:
    changes = dict[float, int]()
    for job in jobs:
        for time_s, change in ((job.begin_s, 1), (job.end_s, -1)):
            changes[time_s] = changes.get(time_s, 0) + change
    count = 0
    for time_s in sorted(changes):
        count += changes[time_s]
        yield time_s, count
