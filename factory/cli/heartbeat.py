"""A line for each minute that a step runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from typing import Self

from factory.cli.running import RunningSteps, elapsed
from factory.terminal import plain


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """A thread that writes a line for each step that has run for another `every_s`.

    It runs between `start` and `stop`, or as long as a block.
    """

    steps: RunningSteps
    write: Callable[[str], object]
    every_s: float = 60.0
    _over: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; a run may not begin it before it has forked its readers."""
        self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for a line that is being written."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _beat(self) -> None:
        try:
            while not self._over.wait(self._pause_s()):
                self._tell()
        except OSError:  # Nobody reads any more, which the others learn from their own next line.
            return

    def _pause_s(self) -> float:
        """Return the time until a step has run for another minute; one that begins meanwhile is not due before."""
        due = (running.since_s + self.every_s * (running.beats + 1) for running in self.steps.now().values())
        return max(0.0, min(due, default=monotonic() + self.every_s) - monotonic())

    def _tell(self) -> None:
        for subject, running in self.steps.now().items():
            ran_s = monotonic() - running.since_s
            if ran_s >= self.every_s * (running.beats + 1):
                running.beats += 1
                last = f": {running.last_line}" if running.last_line else ""
                self.write(plain(f"{subject}: {running.step} still running after {elapsed(ran_s)}{last}") + "\n")
