"""What Ctrl-C and SIGTERM do to a long command."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from time import monotonic
from types import FrameType
from typing import Final, NoReturn

from factory.errors import Interrupted
from factory.process import begin_again

_SAME_S: Final = 0.5
_SHOW_CURSOR: Final = b"\x1b[?25h"
_LEFT: Final = b"factory: interrupted twice, stopped at once. The next run cleans up.\n"


@dataclass(slots=True)
class Signals:
    """What SIGINT and SIGTERM do: the first sets `cancelled`, a second ends the program at once.

    Nothing is raised: the main thread only waits for worker threads, looks at `cancelled` several times a second, and
    abandons those that do not end soon. So a signal works whatever a thread is doing.
    """

    cancelled: Event
    _first_s: float = 0.0

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Take a signal. Two that come together count as one: wrappers pass on what the terminal sent to all."""
        if not self.cancelled.is_set():
            self._first_s = monotonic()
            self.cancelled.set()
        elif monotonic() - self._first_s > _SAME_S:
            _leave()


def _leave() -> NoReturn:
    """End at once, without Python's own clean-up: a thread may wait, or hold a lock."""
    os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + _LEFT)
    os._exit(Interrupted.exit_code)


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
