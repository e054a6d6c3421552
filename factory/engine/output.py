"""The output of a command, kept within a limit."""

from collections.abc import Callable, Iterator

OUTPUT_CAP_BYTES = 4 << 20

_HEADER_BYTES = 8


class CappedOutput:
    """The first and the last bytes of an output, half of the cap each; what is between them is counted and dropped."""

    def __init__(self, cap_bytes: int = OUTPUT_CAP_BYTES) -> None:
        """Start empty."""
        self._half = cap_bytes // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        room = self._half - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        if len(self._tail) > 2 * self._half:
            self._trim()

    @property
    def truncated(self) -> bool:
        """Whether bytes are missing from the text."""
        return self._dropped > 0 or len(self._tail) > self._half

    def text(self) -> str:
        """Return what was kept, with a line that says how much is missing."""
        self._trim()
        gap = f"\n[... {self._dropped} bytes left out ...]\n".encode() if self._dropped else b""
        return bytes(self._head + gap + self._tail).decode(errors="replace")

    def _trim(self) -> None:
        surplus = max(0, len(self._tail) - self._half)
        self._dropped += surplus
        del self._tail[:surplus]


def payloads(receive: Callable[[], bytes | None]) -> Iterator[bytes]:
    """Take the engine's multiplexed frames apart: eight bytes of header (stream, size), then the payload.

    `receive` returns bytes, nothing at the end, or None after some silence, which becomes an empty piece, so that the
    reader can look at its clock.
    """
    header, remaining = b"", 0
    while (piece := receive()) != b"":
        if piece is None:
            yield b""
            continue
        while piece:
            if remaining:
                yield piece[:remaining]
                remaining, piece = max(0, remaining - len(piece)), piece[remaining:]
                continue
            wanted = _HEADER_BYTES - len(header)
            header, piece = header + piece[:wanted], piece[wanted:]
            if len(header) == _HEADER_BYTES:
                header, remaining = b"", int.from_bytes(header[4:], "big")
