"""What a person sees while a run goes on: the matrix on a terminal, plain lines in a pipe. Both fold Events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from factory.pipeline.diagnose import clean
from factory.pipeline.model import (
    CellEnded,
    Event,
    Planned,
    Progress,
    RecipeFailed,
    StepEnded,
    StepStarted,
    TrialEnded,
)
from factory.report.run import STYLES

Listener = Callable[[Event], None]


@dataclass(slots=True)
class PlainBoard:
    """One line for each thing that ended, as CI logs want it."""

    console: Console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def listen(self, event: Event) -> None:
        """Print the line that an event deserves, if any."""
        line = _line(event)
        if line is not None:
            self.console.print(Text(line), soft_wrap=True)

    def output(self, subject: str, piece: bytes) -> None:
        """Print a step's own output (`-v`)."""
        for line in clean(piece.decode(errors="replace")).splitlines():
            self.console.print(Text(f"{subject} | {line}"), soft_wrap=True)


def _line(event: Event) -> str | None:
    match event:
        case Planned(plan=plan):
            return f"{plan.recipe}: {len(plan.cells)} owed, {len(plan.skips)} skipped"
        case Progress(subject=subject, text=text):
            return f"{subject}: {clean(text)}"
        case StepEnded(outcome="stored"):
            return None
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


@dataclass(slots=True)
class _Row:
    status: str = "waiting"
    steps: dict[str, tuple[str, float]] = field(default_factory=dict)
    trials: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class LiveBoard:
    """The matrix of cells, redrawn in place; failures and finished progress scroll by above it."""

    console: Console
    rows: dict[str, _Row] = field(default_factory=dict)
    work: dict[str, tuple[str, float]] = field(default_factory=dict)
    pinned: list[str] = field(default_factory=list)
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        self.live = Live(self, console=self.console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self.live.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.live.__exit__(None, None, None)

    def listen(self, event: Event) -> None:
        """Fold one event into what is drawn."""
        match event:
            case Planned(plan=plan):
                self.rows.update({cell.address: _Row() for cell in plan.cells})
            case StepStarted(subject=subject, step=step):
                self._started(subject, step)
            case StepEnded(subject=subject):
                self._ended(subject)
            case Progress(subject=subject, text=text):
                self.work[subject] = (clean(text), self.work.get(subject, ("", monotonic()))[1])
            case TrialEnded(address=address, trial=trial):
                self.rows[address.partition("@")[0]].trials[str(trial.interpreter)] = trial.outcome
            case CellEnded(record=record):
                self.rows[record.cell.address].status = record.status
                if record.failure is not None:
                    self.pinned.append(f"✗ {record.cell.address}: {record.failure.step}: {record.failure.message}")
            case RecipeFailed(recipe=recipe, message=message):
                self.pinned.append(f"✗ {recipe}: {message}")
            case _:
                return

    def output(self, subject: str, piece: bytes) -> None:
        """Print a step's own output above the matrix (`-v`)."""
        PlainBoard(self.console).output(subject, piece)

    def _started(self, subject: str, step: str) -> None:
        address, _, trial = subject.partition("@")
        if address in self.rows:
            self.rows[address].steps[trial] = (f"{trial} {step}".strip(), monotonic())
        else:
            self.work[subject] = (step, monotonic())

    def _ended(self, subject: str) -> None:
        address, _, trial = subject.partition("@")
        if address in self.rows:
            self.rows[address].steps.pop(trial, None)
        else:
            self.work.pop(subject, None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the board: failures, then work that is no cell's, then the matrix, cut to the terminal's height."""
        for line in self.pinned[-8:]:
            yield Text(line, style="bold red", overflow="ellipsis", no_wrap=True)
        table = Table(box=None, pad_edge=False, show_header=False)
        for subject, (text, since) in list(self.work.items()):
            table.add_row(Text(subject, style="cyan"), Text(text), f"{monotonic() - since:.0f} s")
        room = max(4, options.max_height - len(self.pinned[-8:]) - len(self.work) - 3)
        for address, row in self._shown(room):
            table.add_row(Text(address), *_cells_of(row))
        yield table
        done = sum(row.status != "waiting" for row in self.rows.values())
        if self.rows:
            yield Text(f"{done} of {len(self.rows)} cells done", style="dim")

    def _shown(self, room: int) -> list[tuple[str, _Row]]:
        """Return the rows that fit, running ones first in line to be seen."""
        rows = list(self.rows.items())
        if len(rows) <= room:
            return rows
        return sorted(rows, key=lambda item: not item[1].steps)[:room]


def _cells_of(row: _Row) -> tuple[Text, str]:
    if row.steps:
        step, since = next(iter(row.steps.values()))
        more = f" +{len(row.steps) - 1}" if len(row.steps) > 1 else ""
        return Text(f"▶ {step}{more}", style="cyan"), f"{monotonic() - since:.0f} s"
    trials = " ".join(f"{name}:{outcome}" for name, outcome in row.trials.items())
    style = next((style for status, style in STYLES.items() if status == row.status), "dim")
    return Text(f"{row.status} {trials if row.status == 'waiting' else ''}".strip(), style=style), ""
