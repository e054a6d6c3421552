"""What a person sees of a run on a terminal: a table that is redrawn in place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Final, Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from factory.cli.plain_board import line_of
from factory.cli.running import Running, RunningSteps, elapsed, left_text
from factory.events.model import (
    CellEnded,
    Event,
    Outcome,
    Planned,
    Progress,
    RecipeFailed,
    RunEnded,
    RunStarted,
    Status,
    StepStarted,
    TrialEnded,
)
from factory.report.forecast import Forecast
from factory.report.run import MARKS, STYLES
from factory.report.text import line

_WAITING: Final = "waiting"


@dataclass(slots=True)
class _Row:
    """One cell: its status once it ended, the last step that ran, and its trials so far."""

    status: Status | None = None
    last: str = _WAITING
    trials: dict[str, Outcome] = field(default_factory=dict)


@dataclass(slots=True)
class LiveBoard:
    """The table of cells, below failures and work that belongs to no cell; each step with the last line it printed."""

    console: Console
    _rows: dict[str, _Row] = field(default_factory=dict)
    _running: RunningSteps = field(default_factory=RunningSteps)
    _failed: dict[str, list[str]] = field(default_factory=dict)
    _platforms: set[str] = field(default_factory=set)
    _forecast: Forecast = field(default_factory=Forecast)
    _began: float = field(default_factory=monotonic)
    _lock: Lock = field(default_factory=Lock)
    _live: Live = field(init=False)

    def __post_init__(self) -> None:
        self._live = Live(self, console=self.console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def listen(self, event: Event) -> None:
        """Fold one event into what is drawn by another thread."""
        match event:
            case RunStarted():
                self._live.start()  # a thread: it may not begin before the run has forked its readers
            case RunEnded():
                self._live.stop()  # what is printed from now on must not be drawn over
        with self._lock:
            is_alone = isinstance(event, Progress) and event.subject not in self._work()
            if not is_alone:
                self._fold(event)
                self._running.fold(event)
                self._forecast.fold(event)
        if is_alone and (text := line_of(event)) is not None:  # no step on the board would ever end it
            self._live.console.print(line(text), soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a message that belongs to no event, above what is drawn."""
        self._live.console.print(line(text))

    def output(self, subject: str, text: str) -> None:
        """Take what a step prints: its last line is drawn."""
        self._running.hear(subject, text)

    def _fold(self, event: Event) -> None:
        match event:
            case Planned(plan=plan):
                self._rows.update({cell.address: _Row() for cell in plan.cells})
                self._platforms.update(str(cell.platform) for cell in plan.cells if cell.makes_wheel)
            case StepStarted(subject=subject, step=step) if (row := self._rows.get(_cell_of(subject))) is not None:
                row.last = _named(subject, step)
            case TrialEnded(address=address, trial=trial):
                self._rows[address.partition("@")[0]].trials[str(trial.interpreter)] = trial.outcome
            case CellEnded(record=record):
                self._rows[record.cell.address].status = record.status
                if record.failure is not None:
                    reason = f"{record.failure.step}: {record.failure.message}"
                    self._failed.setdefault(reason, []).append(self._short(record.cell.address))
            case RecipeFailed(recipe=recipe, message=message):
                self._failed.setdefault(message, []).append(recipe)
            case _:
                return

    def _work(self) -> dict[str, Running]:
        """Return the steps that run for no cell: images, sources, crates."""
        return {subject: step for subject, step in self._running.now().items() if _cell_of(subject) not in self._rows}

    def _steps_of(self, address: str) -> list[tuple[str, Running]]:
        return [(subject, step) for subject, step in self._running.now().items() if _cell_of(subject) == address]

    def _short(self, address: str) -> str:
        """Leave out a platform that all cells share; the last line names it."""
        if len(self._platforms) != 1:
            return address
        (platform,) = self._platforms
        return address.removesuffix(f"-{platform}")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the board, cut to the terminal's height and width."""
        with self._lock:
            return iter(self._drawn(options.max_height))

    def _drawn(self, height: int) -> list[RenderableType]:
        pinned = [_pinned(reason, names) for reason, names in self._failed.items()][-max(1, height // 3) :]
        lines = [line(text, "bold red", overflow="ellipsis", no_wrap=True) for text in pinned]
        running = self._work()
        work = _table(
            (line(subject, style="cyan"), line(step.step), *_going(step)) for subject, step in running.items()
        )
        shown = self._shown(room=max(1, height - len(pinned) - len(running) - 2))
        matrix = _table(
            (line(self._short(address)), *_cells_of(row, self._steps_of(address), self._forecast.awaited_by(address)))
            for address, row in shown
        )
        return [*lines, work, matrix, *self._closing(len(self._rows) - len(shown))]

    def _closing(self, hidden: int) -> list[Text]:
        if not self._rows:
            return []
        done = sum(row.status is not None for row in self._rows.values())
        parts = [f"{done} of {len(self._rows)} wheels done", elapsed(monotonic() - self._began)]
        if left := left_text(self._forecast.left):
            parts.append(left)
        if len(self._platforms) == 1:
            parts += self._platforms
        if hidden:
            parts.insert(1, f"{hidden} not shown")
        return [line(", ".join(parts), style="dim", overflow="ellipsis", no_wrap=True)]

    def _shown(self, room: int) -> list[tuple[str, _Row]]:
        """Return the rows that fit, in the plan's order; running cells have precedence, then waiting ones."""
        rows = list(self._rows.items())
        busy = {_cell_of(subject) for subject in self._running.now()}
        ranked = sorted(rows, key=lambda item: (item[0] not in busy, item[1].status is not None))
        kept = {address for address, _ in ranked[:room]}
        return [(address, row) for address, row in rows if address in kept]


def _table(rows: Iterable[tuple[Text, Text, str, Text]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(overflow="ellipsis")  # The only one that rich makes narrower: its texts do not wrap, either.
    for row in rows:
        table.add_row(*row)
    return table


def _cells_of(row: _Row, steps: Sequence[tuple[str, Running]], awaited: str) -> tuple[Text, str, Text]:
    trials = " ".join(f"{name}{MARKS[outcome]}" for name, outcome in row.trials.items())
    if row.status is not None:
        return line(f"{row.status} {trials}".rstrip(), style=STYLES[row.status]), "", Text()
    if not steps:
        last = f"{row.last} for {awaited}" if awaited and row.last == _WAITING else row.last
        return line(f"{last} {trials}".rstrip(), style="dim"), "", Text()
    subject, first = steps[0]
    more = f" +{len(steps) - 1}" if len(steps) > 1 else ""
    return line(f"▶ {_named(subject, first.step)}{more} {trials}".rstrip(), style="cyan"), *_going(first)


def _going(step: Running) -> tuple[str, Text]:
    """Say how long a step has run, and what it printed last."""
    last = line(step.last_line, style="dim", overflow="ellipsis", no_wrap=True)
    return elapsed(monotonic() - step.since_s), last


def _pinned(reason: str, names: Sequence[str]) -> str:
    """Write the line of a failure that several cells or recipes may share."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"✗ {names[0]}{more}: {reason}"


def _cell_of(subject: str) -> str:
    return subject.partition("@")[0]


def _named(subject: str, step: str) -> str:
    """Name a step in its cell's row; that of a trial begins with the interpreter."""
    _, _, trial = subject.partition("@")
    return f"@{trial} {step}" if trial else step
