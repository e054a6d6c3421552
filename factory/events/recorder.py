"""Record a run: its events as they happen, and the logs beside them."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePath
from time import monotonic
from typing import Self, TextIO

from factory import codec
from factory.errors import OutputError
from factory.events.fold import fold
from factory.events.logs import Log
from factory.events.model import (
    Event,
    JobEnded,
    JobStarted,
    Progress,
    Run,
    RunEnded,
    StepEnded,
    StepOutcome,
    StepStarted,
)
from factory.events.redaction import without_secrets
from factory.folders import Folder, Refusal
from factory.redaction import hide, spellings
from factory.steps import StepName

Listener = Callable[[Event], None]

_REFUSAL = Refusal(error=OutputError, elsewhere="run from a folder where `.factory` is yours or can be made")


def now() -> str:
    """Return the current time as RFC 3339 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Raise an OutputError with a hint where the operating system refuses to write evidence."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}",
            hint="run from a folder that you may write to, with room; evidence lies in ./.factory/runs",
        ) from error


@dataclass(slots=True)
class Recorder:
    """Write each event to `events.jsonl` as it happens, pass it to a listener, and keep it for the fold.

    Values that were given to `conceal` are in none of the three.
    Any thread may call it: events of several cells interleave, each whole. The folder belongs to this user alone and is
    held open, so that `write` and `log` write into it even after its name leads elsewhere.
    """

    folder: Path
    listener: Listener
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _events: list[Event] = field(default_factory=list)
    _containers: int = 0
    _concealed: frozenset[str] = frozenset()
    _is_ended: bool = False
    _logs: Counter[Path] = field(default_factory=Counter)
    _opened: Folder = field(init=False)
    _stream: TextIO = field(init=False)

    def __post_init__(self) -> None:
        with written(self.folder):
            self._opened = Folder.open(self.folder, _REFUSAL)
            self._stream = self._opened.create_text("events.jsonl")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # Every event was flushed by `emit`, which has raised where it could not be.
            self._stream.close()
        self._opened.close()

    def write(self, path: PurePath, pieces: Iterable[bytes], mode: int = 0o600) -> None:
        """Write a file below the run's folder.

        Raises:
            OutputError: it cannot be written, or a folder on its path does not belong to this user alone.
        """
        with written(self.folder / path):
            self._opened.write(path, pieces, mode)

    def open_log(self, subject: str, name: str) -> Log:
        """Create a log of a subject, numbered in the order of its logs; what is written to it must hide secrets.

        Raises:
            OutputError: it cannot be written, or a folder on its path does not belong to this user alone.
        """
        folder = Path("logs") / path_of(subject)
        with self._lock:
            self._logs[folder] += 1
            path = folder / f"{self._logs[folder]:02}-{name}.log"
        guard = partial(written, self.folder / path)
        with guard():
            return Log(path=str(path), stream=self._opened.replaced(path), guard=guard)

    def log(self, subject: str, name: str, text: str) -> str:
        """Write a whole log of a subject; return its path in the run's folder."""
        with self.open_log(subject, name) as log:
            hidden = self.hide(text)
            log.write(hidden)
            log.end(hidden, "")
        return log.path

    def conceal(self, values: Iterable[str]) -> None:
        """Keep values out of every event and, by way of `hide`, out of every log from now on."""
        with self._lock:
            self._concealed |= set(values)

    @property
    def spelt(self) -> frozenset[str]:
        """The concealed values in every spelling that `hide` knows."""
        return frozenset(spelling for value in self._concealed for spelling in spellings(value))

    def hide(self, text: str) -> str:
        """Take the concealed values out of a text."""
        return hide(text, self._concealed)

    def emit(self, event: Event) -> None:
        """Record one event."""
        event = without_secrets(event, self.hide) if self._concealed else event
        line = json.dumps({"kind": type(event).__name__, "event": codec.dump(event)}, ensure_ascii=True)
        with self._lock:
            if self._is_ended:  # A job that the run did not wait for may still emit events.
                return
            self._is_ended = isinstance(event, RunEnded)
            self._events.append(event)
            with written(self.folder / "events.jsonl"):
                self._stream.write(line + "\n")
                self._stream.flush()
            self.listener(event)  # Within the lock, so that a listener gets the events in the order of the file.

    def count_container(self) -> None:
        """Note that a container was started."""
        with self._lock:
            self._containers += 1

    @property
    def containers(self) -> int:
        """How many containers were started."""
        return self._containers

    def run(self) -> Run:
        """Return the Run so far."""
        with self._lock:
            return fold(self._events)

    def progress(self, subject: str) -> Callable[[str], None]:
        """Return a function that records lines of progress of a subject."""
        return lambda text: self.emit(Progress(subject=subject, text=text))

    @contextmanager
    def job(self, subject: str) -> Iterator[None]:
        """Record the begin and the end of a job."""
        self.emit(JobStarted(subject=subject, at=now()))
        try:
            yield
        finally:
            self.emit(JobEnded(subject=subject, at=now()))

    @contextmanager
    def step(self, subject: str, name: StepName, log: str = "") -> Iterator["StepMark"]:
        """Record the begin and the end of a step; `log` is its log in the run's folder. The block sets the outcome."""
        mark = StepMark()
        started = monotonic()
        self.emit(StepStarted(subject=subject, step=name, at=now(), log=log))
        try:
            yield mark
        finally:
            mark.duration_s = monotonic() - started
            self.emit(StepEnded(subject=subject, step=name, at=now(), duration_s=mark.duration_s, outcome=mark.outcome))


def path_of(subject: str) -> Path:
    """Return the folder of a subject's logs, relative to the folder of logs."""
    # A trial's logs lie in a folder of their own below its cell's; names from outside must not lead out of the folder.
    return Path(*(part for part in subject.replace("@", "/@").split("/") if part not in ("", ".", "..")))


@dataclass(slots=True)
class StepMark:
    """The outcome of a step, and how long it took."""

    outcome: StepOutcome = "lost"  # what an exception, such as an engine's error, leaves behind
    duration_s: float = 0.0
