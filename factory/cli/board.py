"""What a person sees during a run: a table on a terminal, plain lines in a pipe. Both fold events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

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
    StepEnded,
    StepStarted,
    TrialEnded,
)
from factory.report.run import MARKS, STYLES
from factory.report.text import line
from factory.terminal import plain, shown


@dataclass(slots=True)
class PlainBoard:
    """One line for each thing that ended, for CI logs."""

    console: Console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def listen(self, event: Event) -> None:
        """Print an event's line, if it has one."""
        text = _line(event)
        if text is not None:
            self.console.print(line(text), soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a message that belongs to no event."""
        self.console.print(line(text))

    def output(self, subject: str, piece: bytes) -> None:
        """Print a step's own output (`-v`), without rich, which would take too long for millions of lines."""
        head = plain(subject)
        lines = shown(piece.decode(errors="replace")).splitlines()
        self.console.file.write("".join(f"{head} | {text}\n" for text in lines))
        self.console.file.flush()


def _line(event: Event) -> str | None:
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


@dataclass(slots=True)
class _Row:
    """One cell: its status once it ended, the steps that run now, the last that ran, and its trials so far."""

    status: Status | None = None
    steps: dict[str, tuple[str, float]] = field(default_factory=dict)
    last: str = "waiting"
    trials: dict[str, Outcome] = field(default_factory=dict)


@dataclass(slots=True)
class LiveBoard:
    """The table of cells, redrawn in place, below failures and work that belongs to no cell."""

    console: Console
    _rows: dict[str, _Row] = field(default_factory=dict)
    _work: dict[str, tuple[str, float]] = field(default_factory=dict)
    _pinned: list[str] = field(default_factory=list)
    _platforms: set[str] = field(default_factory=set)
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
            is_alone = isinstance(event, Progress) and event.subject not in self._work
            if not is_alone:
                self._fold(event)
        if is_alone and (text := _line(event)) is not None:  # no step on the board would ever end it
            self._live.console.print(line(text), soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a message that belongs to no event, above what is drawn."""
        self._live.console.print(line(text))

    def _fold(self, event: Event) -> None:
        match event:
            case Planned(plan=plan):
                self._rows.update({cell.address: _Row() for cell in plan.cells})
                self._platforms.update(str(cell.platform) for cell in plan.cells)
            case StepStarted(subject=subject, step=step):
                self._started(subject, step)
            case StepEnded(subject=subject):
                self._ended(subject)
            case Progress(subject=subject, text=text):
                self._work[subject] = (text, self._work.get(subject, ("", monotonic()))[1])
            case TrialEnded(address=address, trial=trial):
                self._rows[address.partition("@")[0]].trials[str(trial.interpreter)] = trial.outcome
            case CellEnded(record=record):
                self._rows[record.cell.address].status = record.status
                if record.failure is not None:
                    failure = record.failure
                    self._pinned.append(f"✗ {self._short(record.cell.address)}: {failure.step}: {failure.message}")
            case RecipeFailed(recipe=recipe, message=message):
                self._pinned.append(f"✗ {recipe}: {message}")
            case _:
                return

    def _started(self, subject: str, step: str) -> None:
        address, _, trial = subject.partition("@")
        if address in self._rows:
            text = f"@{trial} {step}" if trial else step
            self._rows[address].steps[trial] = (text, monotonic())
            self._rows[address].last = text
        else:
            self._work[subject] = (step, monotonic())

    def _ended(self, subject: str) -> None:
        address, _, trial = subject.partition("@")
        if address in self._rows:
            self._rows[address].steps.pop(trial, None)
        else:
            self._work.pop(subject, None)

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
        pinned = self._pinned[-max(1, height // 3) :]
        lines = [line(text, "bold red", overflow="ellipsis", no_wrap=True) for text in pinned]
        work = _table(
            (line(subject, style="cyan"), line(text), _elapsed(since)) for subject, (text, since) in self._work.items()
        )
        shown = self._shown(room=max(1, height - len(pinned) - len(self._work) - 2))
        matrix = _table((line(self._short(address)), *_cells_of(row)) for address, row in shown)
        return [*lines, work, matrix, *self._closing(len(self._rows) - len(shown))]

    def _closing(self, hidden: int) -> list[Text]:
        if not self._rows:
            return []
        done = sum(row.status is not None for row in self._rows.values())
        parts = [f"{done} of {len(self._rows)} cells done", _elapsed(self._began)]
        if len(self._platforms) == 1:
            parts += self._platforms
        if hidden:
            parts.insert(1, f"{hidden} not shown")
        return [line(", ".join(parts), style="dim", overflow="ellipsis", no_wrap=True)]

    def _shown(self, room: int) -> list[tuple[str, _Row]]:
        """Return the rows that fit, in the plan's order; running cells have precedence, then waiting ones."""
        rows = list(self._rows.items())
        ranked = sorted(rows, key=lambda item: (not item[1].steps, item[1].status is not None))
        kept = {address for address, _ in ranked[:room]}
        return [(address, row) for address, row in rows if address in kept]


def _table(rows: Iterable[tuple[Text, Text, str]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*row)
    return table


def _cells_of(row: _Row) -> tuple[Text, str]:
    trials = " ".join(f"{name}{MARKS[outcome]}" for name, outcome in row.trials.items())
    if row.status is not None:
        return line(f"{row.status} {trials}".rstrip(), style=STYLES[row.status]), ""
    if not row.steps:
        return line(f"{row.last} {trials}".rstrip(), style="dim"), ""
    step, since = next(iter(row.steps.values()))
    more = f" +{len(row.steps) - 1}" if len(row.steps) > 1 else ""
    return line(f"▶ {step}{more} {trials}".rstrip(), style="cyan"), _elapsed(since)


def _elapsed(since: float) -> str:
    minutes, seconds = divmod(int(monotonic() - since), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
