"""What Ctrl-C and SIGTERM do to a command that works for long."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from types import FrameType

from factory.process import begin_again


@dataclass(slots=True)
class Signals:
    """What SIGINT and SIGTERM do: they set `cancelled`, and raise only where nothing looks at it.

    An exception between any two instructions is safe where work is waited for, and nowhere else: the jobs' loop, what
    ends containers, and the release look at `cancelled` instead, or come to their end.
    """

    cancelled: Event
    _may_raise: bool = False

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Take the first signal; a later one changes nothing, as the way out is already the shortest."""
        is_first = not self.cancelled.is_set()
        self.cancelled.set()
        if is_first and self._may_raise:
            raise KeyboardInterrupt

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Let a signal end what goes on in the block, also one that came before it."""
        self._may_raise = True
        try:
            if self.cancelled.is_set():
                raise KeyboardInterrupt
            yield
        finally:
            self._may_raise = False


@contextmanager
def handled_signals() -> Iterator[Signals]:
    """Handle both signals so in the block, in which a run begins."""
    signals = Signals(Event())
    begin_again()
    before = {number: signal.signal(number, signals.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
