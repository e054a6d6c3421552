"""Follow what a step prints while it runs."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from time import monotonic

from factory.events.logs import Log
from factory.sessions.echo import Echo
from factory.terminal import clean

_SAMPLE_EVERY_S = 1.0


@dataclass(slots=True, kw_only=True)
class Following:
    """Passes a step's output on: to its log, and to `show`.

    Unless `show` wants it `whole`, it gets only some lines each second of what comes after as much as a log may hold.
    `safe` takes hidden values out of a text; `hidden` are those that it knows.
    """

    log: Log
    show: Callable[[str], None]
    whole: bool
    safe: Callable[[str], str]
    hidden: Collection[str] = ()
    _echo: Echo = field(init=False)
    _left_bytes: int = field(init=False)
    _next_s: float = 0.0

    def __post_init__(self) -> None:
        self._left_bytes = self.log.most_bytes
        self._echo = Echo(send=self._send, safe=self.safe, hidden=self.hidden)

    def add(self, piece: bytes) -> None:
        """Take the next bytes, however they are cut."""
        if self.whole or self._left_bytes > 0:
            self._left_bytes -= len(piece)  # Of what was printed: of control characters a log would never be full.
            self._echo.add(piece)
            return
        self.log.skip(len(piece))
        if monotonic() >= self._next_s:
            self._sample(piece)

    def end(self) -> None:
        """Pass on what is left."""
        self._echo.end()

    def _send(self, text: str) -> None:
        self.log.write(text)
        self.show(text)

    def _sample(self, piece: bytes) -> None:
        """Show the whole lines of a piece: at its edges a hidden value may be cut, and would not be recognised."""
        lines = piece[piece.find(b"\n") + 1 : piece.rfind(b"\n") + 1]
        if lines:
            self.show(self.safe(clean(lines.decode(errors="replace"))))
            self._next_s = monotonic() + _SAMPLE_EVERY_S
