"""What a person sees of a run in a pipe or a CI log: lines that are printed once."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Self

from rich.console import Console

from factory.cli.heartbeat import Heartbeat
from factory.cli.running import RunningSteps, left_text
from factory.events.model import (
    CellEnded,
    Event,
    JobEnded,
    Planned,
    Progress,
    RecipeFailed,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
    WorkStarted,
)
from factory.report.forecast import Forecast
from factory.report.text import line
from factory.terminal import plain, shown


@dataclass(slots=True)
class PlainBoard:
    """A line for each thing that begins or ends, and one for each minute that a step runs; `verbose` shows all output.

    `every_s` is the time between two lines of a step that runs, and between two lines that say what is left of the run.
    """

    console: Console
    verbose: bool = False
    every_s: float = 60.0
    forecast: Forecast = field(default_factory=Forecast)
    _folder: str = ""
    _cells: int = 0
    _done: int = 0
    _told_s: float = 0.0
    _running: RunningSteps = field(default_factory=RunningSteps)
    _heartbeat: Heartbeat = field(init=False)
    _printing: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._heartbeat = Heartbeat(steps=self._running, write=self._write, every_s=self.every_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._heartbeat.stop()

    def listen(self, event: Event) -> None:
        """Print an event's line, if it has one."""
        match event:
            case RunStarted(folder=folder):
                self._folder = folder
                self._heartbeat.start()
            case RunEnded():
                self._heartbeat.stop()
            case WorkStarted():
                self._told_s = self.forecast.clock()
            case Planned(plan=plan):
                self._cells += len(plan.cells)
            case CellEnded():
                self._done += 1
        self._running.fold(event)
        self.forecast.fold(event)
        text = self._begun(event) if isinstance(event, StepStarted) else line_of(event)
        if text is not None:
            self._print(text)
        if isinstance(event, JobEnded) and self.forecast.clock() - self._told_s >= self.every_s:
            self._told_s = self.forecast.clock()
            self._print(self._left())

    def _left(self) -> str:
        """Say how far the run is, how long the rest takes, and what most of the rest waits for."""
        parts = [f"{self._done} of {self._cells} wheels done"]
        if left := left_text(self.forecast.left):
            parts.append(left)
        parts += [f"{count} jobs wait for {need}" for need, count in [*self.forecast.awaited.items()][:1] if count > 1]
        return ", ".join(parts)

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
        """Write without rich, which closes stdout where nobody reads any more, and hides it from the run."""
        with self._printing:
            self.console.file.write(lines)
            self.console.file.flush()


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
