"""What a person sees of a run in a pipe or a CI log: lines that are printed once."""

from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic
from typing import Self

from rich.console import Console

from factory.cli.running import RunningSteps, elapsed
from factory.events.model import (
    CellEnded,
    Event,
    Planned,
    Progress,
    RecipeFailed,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
)
from factory.report.text import line
from factory.terminal import plain, shown


@dataclass(slots=True)
class PlainBoard:
    """A line for each thing that begins or ends, and one for each minute that a step runs; `verbose` shows all output.

    `every_s` is the time between two lines of a step that runs.
    """

    console: Console
    verbose: bool = False
    every_s: float = 60.0
    _folder: str = ""
    _running: RunningSteps = field(default_factory=RunningSteps)
    _printing: Lock = field(default_factory=Lock)
    _over: Flag = field(default_factory=Flag)
    _heart: Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def listen(self, event: Event) -> None:
        """Print an event's line, if it has one."""
        match event:
            case RunStarted(folder=folder):
                self._folder = folder
                self._start()  # a thread: it may not begin before the run has forked its readers
            case RunEnded():
                self._stop()
        self._running.fold(event)
        text = self._begun(event) if isinstance(event, StepStarted) else line_of(event)
        if text is not None:
            self._print(text)

    def say(self, text: str) -> None:
        """Print a message that belongs to no event."""
        self._print(text)

    def output(self, subject: str, text: str) -> None:
        """Take what a step prints; with `verbose` print it, without rich, which is too slow for millions of lines."""
        self._running.hear(subject, text)
        if self.verbose:
            head = plain(subject)
            self._write("".join(f"{head} | {part}\n" for part in shown(text).splitlines()))

    def _begun(self, event: StepStarted) -> str:
        log = f", log: {self._folder}/{event.log}" if event.log else ""
        return f"{event.subject}: {event.step} begins{log}"

    def _print(self, text: str) -> None:
        with self._printing:
            self.console.print(line(text), soft_wrap=True)

    def _write(self, lines: str) -> None:
        with self._printing:
            self.console.file.write(lines)
            self.console.file.flush()

    def _start(self) -> None:
        self._heart = Thread(target=self._beat, name="heartbeat", daemon=True)
        self._heart.start()

    def _stop(self) -> None:
        self._over.set()
        if self._heart is not None:
            self._heart.join()
            self._heart = None

    def _beat(self) -> None:
        try:
            while not self._over.wait(self._pause_s()):
                self._tell()
        except OSError:  # Nobody reads any more, which the run learns from its own next line.
            return

    def _pause_s(self) -> float:
        """Return the time until a step has run for another minute; one that begins meanwhile is not due before."""
        due = (running.since_s + self.every_s * (running.beats + 1) for running in self._running.now().values())
        return max(0.0, min(due, default=monotonic() + self.every_s) - monotonic())

    def _tell(self) -> None:
        for subject, running in self._running.now().items():
            ran_s = monotonic() - running.since_s
            if ran_s >= self.every_s * (running.beats + 1):
                running.beats += 1
                last = f": {running.last_line}" if running.last_line else ""
                # Without rich, which closes stdout where nobody reads any more, and hides it from the run.
                self._write(plain(f"{subject}: {running.step} still running after {elapsed(ran_s)}{last}") + "\n")


def line_of(event: Event) -> str | None:
    """Return the line of an event that is printed once; None where it has none."""
    match event:
        case Planned(plan=plan):
            return f"{plan.recipe}: {len(plan.cells)} owed, {len(plan.skips)} skipped"
        case Progress(subject=subject, text=text):
            return f"{subject}: {text}"
        case StepEnded():
            return f"{event.subject}: {event.step} {event.outcome} in {event.duration_s:.1f} s"
        case TrialEnded(address=address, trial=trial):
            return f"{address}: {trial.outcome}"
        case CellEnded(record=record):
            reason = f": {record.failure.step}: {record.failure.message}" if record.failure else ""
            return f"{record.cell.address}: {record.status}{reason}"
        case RecipeFailed(recipe=recipe, message=message):
            return f"{recipe}: {message}"
        case _:
            return None
