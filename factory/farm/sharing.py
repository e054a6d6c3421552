"""How the builds of a run share processors: how many compile jobs each may have at once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Final

from factory.farm.jobs import BuildCell
from factory.farm.order import Estimates

_ALMOST: Final = 0.25
"""A build beside which others run for a moment only has the processors almost to itself."""


def share_of(own_s: float, others_s: Iterable[float], *, processors: int, workers: int) -> int:
    """Return how many compile jobs a build may have that is expected to take `own_s`.

    `others_s` is how long other builds are expected to run from now on, those that have not begun included: together
    all have as many jobs as there are processors. What ends long before the build itself hardly counts, because the
    number cannot be changed later.
    """
    beside = min(workers - 1, sum(min(1.0, other_s / own_s) for other_s in others_s))
    return max(1, int(processors / (1 + beside) + _ALMOST))


@dataclass(slots=True, kw_only=True)
class Sharing:
    """The builds of a run that have not ended; any thread may call it. `clock` counts seconds."""

    processors: int
    workers: int
    left_s: dict[str, float]
    clock: Callable[[], float] = monotonic
    _began_s: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def running(self, subject: str) -> Iterator[None]:
        """Count a build as one that runs, and from the end of the block on no more."""
        with self._lock:
            self._began_s[subject] = self.clock()
        try:
            yield
        finally:
            with self._lock:
                self.left_s.pop(subject, None)

    def jobs_of(self, subject: str) -> int:
        """Return how many compile jobs a command that begins now may have."""
        with self._lock:
            now_s = self.clock()
            left = {name: seconds - (now_s - self._began_s.get(name, now_s)) for name, seconds in self.left_s.items()}
            others = (max(0.0, seconds) for name, seconds in left.items() if name != subject)
            own_s = max(self.left_s.get(subject, 0.0), 1.0)
            return share_of(own_s, others, processors=self.processors, workers=self.workers)


def sharing_of(builds: Iterable[BuildCell], estimates: Estimates, *, processors: int, workers: int) -> Sharing:
    """Begin to share processors among builds."""
    left_s = {str(build.key): estimates.assumed_s(build) for build in builds}
    return Sharing(processors=processors, workers=workers, left_s=left_s)
