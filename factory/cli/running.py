"""The steps that run now, with the last line that each printed."""

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from factory.events.model import Event, Progress, StepEnded, StepStarted
from factory.excerpt import ITEM_CHARACTERS, cut
from factory.report.forecast import Left


@dataclass(slots=True)
class Running:
    """A step that runs. `since_s` is when it began, by the monotonic clock; `text` is what was printed last.

    `beats` counts the lines that said that it still runs.
    """

    step: str
    since_s: float = field(default_factory=monotonic)
    text: str = ""
    beats: int = 0

    @property
    def last_line(self) -> str:
        """The last line that the step or its command printed, cut; empty where it printed nothing."""
        return cut(self.text.rstrip().rpartition("\n")[2].strip(), ITEM_CHARACTERS)


@dataclass(slots=True)
class RunningSteps:
    """The steps that run, by subject, in the order in which they began; any thread may call it."""

    _steps: dict[str, Running] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def fold(self, event: Event) -> None:
        """Take an event: a step that begins or ends, or a line of progress of one that runs."""
        match event:
            case StepStarted(subject=subject, step=step):
                self.begin(subject, step)
            case StepEnded(subject=subject):
                self.end(subject)
            case Progress(subject=subject, text=text):
                self.hear(subject, text)
            case _:
                return

    def begin(self, subject: str, step: str) -> None:
        """Add a step that begins now."""
        with self._lock:
            self._steps[subject] = Running(step)

    def end(self, subject: str) -> None:
        """Take off a step."""
        with self._lock:
            self._steps.pop(subject, None)

    def hear(self, subject: str, text: str) -> None:
        """Take what a step printed; it is called for every line, so that only the last is looked at, and only later."""
        running = self._steps.get(subject)
        if running is not None and not text.isspace():
            running.text = text

    def now(self) -> dict[str, Running]:
        """Return the steps that run at this moment."""
        with self._lock:
            return dict(self._steps)


def left_text(left: Left | None) -> str:
    """Say how long a run still takes; empty where nothing is known of it."""
    if left is None:
        return ""
    return f"{'at least' if left.is_least else 'about'} {elapsed(left.seconds)} left"


def elapsed(seconds: float) -> str:
    """Write a duration as people read it: `12 s`, `3 min 5 s`, `2 h 0 min`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
