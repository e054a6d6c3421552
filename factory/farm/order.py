"""In which order builds and trials begin: what the end of a run waits for longest first, by remembered durations."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import chain
from statistics import median
from typing import Final, Self, TypeAlias

from factory.farm.jobs import BuildCell, Key, TryWheel

Work: TypeAlias = BuildCell | TryWheel

_BUILD_S: Final = 30.0
_TRIAL_S: Final = 3.0
_LEAST_S: Final = 0.001
_IMAGE: Final = "image:"


@dataclass(frozen=True, slots=True)
class Estimates:
    """How long jobs are expected to take, by the subjects of earlier runs; `usual` is the median of a recipe's."""

    known: Mapping[str, float]
    usual: Mapping[tuple[str, bool], float]

    @classmethod
    def of(cls, known: Mapping[str, float]) -> Self:
        """Take them from what earlier runs left."""
        groups: dict[tuple[str, bool], list[float]] = {}
        for subject, seconds in known.items():
            groups.setdefault(_group(subject), []).append(seconds)
        return cls(known, {group: median(seconds) for group, seconds in groups.items()})

    def expected_s(self, subject: str) -> float | None:
        """Return how long a job took last, or what others of its recipe took; None where there are none."""
        usual = None if subject.startswith(_IMAGE) else self.usual.get(_group(subject))
        return self.known.get(subject, usual)

    def assumed_s(self, job: Work) -> float:
        """Return the same, and a guess where nothing is known."""
        expected_s = self.expected_s(str(job.key))
        if expected_s is not None:
            return expected_s
        return _BUILD_S if isinstance(job, BuildCell) else _TRIAL_S


def _group(subject: str) -> tuple[str, bool]:
    """Return a job's recipe, and whether it is a trial."""
    return subject.partition("/")[0], "@" in subject


def ordered(builds: Iterable[BuildCell], seconds_of: Callable[[Work], float], *, workers: int) -> Iterator[Work]:
    """Yield builds and trials in the order in which they would begin if each took as long as is expected.

    A wheel is tried as soon as it is there, so that an interrupted run leaves finished wheels; but a build goes before
    a trial where the run would end later otherwise: the longest chain of jobs must not begin last.
    """
    return _Simulation.of(builds, seconds_of, workers).begun()


@dataclass(slots=True)
class _Simulation:
    """A run in which time is only counted.

    `ranks` is how long the end of the run waits for a build at least: itself, its longest trial, and the builds after
    it. `builds` are those that may begin, as a heap; `left_s` is the work that has not begun.
    """

    seconds: Mapping[Key, float]
    ranks: Mapping[Key, float]
    followers: Mapping[Key, list[BuildCell]]
    places: Mapping[Key, int]
    workers: int
    left_s: float
    builds: list[tuple[float, int, BuildCell]]
    trials: list[tuple[int, TryWheel]] = field(default_factory=list)
    running: list[tuple[float, int, Work]] = field(default_factory=list)
    now_s: float = 0.0

    @classmethod
    def of(cls, builds: Iterable[BuildCell], seconds_of: Callable[[Work], float], workers: int) -> Self:
        listed = list(builds)
        works = list(chain.from_iterable(map(_works, listed)))
        seconds: dict[Key, float] = {work.key: max(seconds_of(work), _LEAST_S) for work in works}
        places: dict[Key, int] = {work.key: place for place, work in enumerate(works)}
        followers = _followers(listed)
        ranks = _ranks(listed, seconds, followers)
        ready = (build for build in listed if seconds.keys().isdisjoint(build.after))
        heap = [(-ranks[build.key], places[build.key], build) for build in ready]
        heapify(heap)
        return cls(
            seconds=seconds,
            ranks=ranks,
            followers=followers,
            places=places,
            workers=workers,
            left_s=sum(seconds.values()),
            builds=heap,
        )

    def begun(self) -> Iterator[Work]:
        while self.builds or self.trials or self.running:
            while len(self.running) < self.workers and (self.builds or self.trials):
                work = self._next()
                self.left_s -= self.seconds[work.key]
                heappush(self.running, (self.now_s + self.seconds[work.key], self.places[work.key], work))
                yield work
            self._end_one()

    def _next(self) -> Work:
        if not self.builds or (self.trials and self._can_wait()):
            return heappop(self.trials)[1]
        return heappop(self.builds)[2]

    def _can_wait(self) -> bool:
        """Whether the longest build ends in time all the same if the first trial goes before it."""
        ends_s = (self.left_s + sum(end_s - self.now_s for end_s, _, _ in self.running)) / self.workers
        return -self.builds[0][0] + self.seconds[self.trials[0][1].key] <= ends_s

    def _end_one(self) -> None:
        self.now_s, _, work = heappop(self.running)
        if isinstance(work, TryWheel):
            return
        for attempt in work.tries:
            heappush(self.trials, (self.places[attempt.key], attempt))
        for build in self.followers.get(work.key, ()):
            heappush(self.builds, (-self.ranks[build.key], self.places[build.key], build))


def _works(build: BuildCell) -> Iterator[Work]:
    yield build
    yield from build.tries


def _followers(builds: Iterable[BuildCell]) -> Mapping[Key, list[BuildCell]]:
    followers: dict[Key, list[BuildCell]] = {}
    for build in builds:
        for key in build.after:
            followers.setdefault(key, []).append(build)
    return followers


def _ranks(
    builds: Iterable[BuildCell], seconds: Mapping[Key, float], followers: Mapping[Key, list[BuildCell]]
) -> Mapping[Key, float]:
    ranks: dict[Key, float] = {}

    def rank(build: BuildCell) -> float:
        if build.key not in ranks:
            trials = (seconds[attempt.key] for attempt in build.tries)
            after = (rank(follower) for follower in followers.get(build.key, ()))
            ranks[build.key] = seconds[build.key] + max((*trials, *after), default=0.0)
        return ranks[build.key]

    for build in builds:
        rank(build)
    return ranks
