"""What a run still has to do: how long that takes by what jobs took earlier, and what each job waits for."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from factory.events.model import CellEnded, Event, ExpectedJob, JobEnded, JobStarted, WorkStarted

A_WORKER = "a worker"
_FRESH_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How many seconds a run still takes; `is_least` where how long some of its jobs take is not known."""

    seconds: float
    is_least: bool


@dataclass(slots=True)
class Forecast:
    """The jobs of a run and how far they are, folded from its events; `clock` counts seconds."""

    clock: Callable[[], float] = monotonic
    _workers: int = 1
    _jobs: dict[str, ExpectedJob] = field(default_factory=dict)
    _began_s: dict[str, float] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _told: tuple[float, Left | None] | None = None

    def fold(self, event: Event) -> None:
        """Take an event."""
        match event:
            case WorkStarted(workers=workers, jobs=jobs):
                self._workers, self._jobs = workers, {job.subject: job for job in jobs}
            case JobStarted(subject=subject):
                self._began_s[subject] = self.clock()
            case JobEnded(subject=subject):
                self._ended.add(subject)
            case CellEnded(record=record):  # trials of a wheel that is not there never begin
                address = record.cell.address
                self._ended.update({address, *(f"{address}@{trial.interpreter}" for trial in record.cell.trials)})

    @property
    def left(self) -> Left | None:
        """How long the rest takes; None where nothing is known of it. It is counted once a second."""
        now_s = self.clock()
        if self._told is None or now_s - self._told[0] >= _FRESH_S:
            self._told = now_s, self._left(now_s)
        return self._told[1]

    def awaited_by(self, subject: str) -> str:
        """Return what a job that has not begun waits for; empty where it is not known, or has begun."""
        job = self._jobs.get(subject)
        if job is None or subject in self._began_s or subject in self._ended:
            return ""
        missing = [need for need in job.needs if need not in self._ended]
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        return f"{missing[0]}{more}" if missing else A_WORKER

    @property
    def awaited(self) -> Mapping[str, int]:
        """How many jobs that have not begun wait for each job that they need, what most wait for first."""
        waiting = (job for job in self._open() if job.subject not in self._began_s)
        missing = Counter(need for job in waiting for need in job.needs if need not in self._ended)
        return dict(missing.most_common())

    def _open(self) -> Iterable[ExpectedJob]:
        return (job for job in self._jobs.values() if job.subject not in self._ended)

    def _left(self, now_s: float) -> Left | None:
        """Take the longer of two limits: the work shared by all workers, and the longest chain of jobs."""
        open_jobs = {job.subject: job for job in self._open()}
        expected = [job for job in open_jobs.values() if job.expected_s is not None]
        if not expected:
            return None
        seconds = {job.subject: self._left_of(job, now_s) for job in open_jobs.values()}
        chains: dict[str, float] = {}
        for subject, job in open_jobs.items():  # jobs are listed after those that they need
            before = max((chains.get(need, 0.0) for need in job.needs), default=0.0)
            chains[subject] = before + seconds[subject]
        longest_s = max(sum(seconds.values()) / self._workers, *chains.values())
        return Left(seconds=longest_s, is_least=len(expected) < len(open_jobs))

    def _left_of(self, job: ExpectedJob, now_s: float) -> float:
        began_s = self._began_s.get(job.subject, now_s)
        return max(0.0, (job.expected_s or 0.0) - (now_s - began_s))
