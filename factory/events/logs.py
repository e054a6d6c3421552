"""A log that is written while its step runs, so that it can be followed with `tail -f`."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Final, Self

MOST_BYTES: Final = 16 << 20
END_BYTES: Final = 1 << 20


@dataclass(slots=True, kw_only=True)
class Log:
    """An open log; `path` is its path in the run's folder.

    Beyond `most_bytes`, what is written is only counted; `end` adds the last MiB. `guard` turns the errors of the
    operating system into those of the run.
    """

    path: str
    stream: BinaryIO
    guard: Callable[[], AbstractContextManager[None]]
    most_bytes: int = MOST_BYTES
    _written_bytes: int = 0
    _dropped_bytes: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # Every write was flushed, or has raised.
            self.stream.close()

    def write(self, text: str) -> None:
        """Add a text, which a reader of the file sees at once."""
        content = text.encode(errors="replace")
        kept = content[: self.most_bytes - self._written_bytes]
        self._written_bytes += len(kept)
        self.skip(len(content) - len(kept))
        self._put(kept)

    def skip(self, size_bytes: int) -> None:
        """Count what is not written."""
        self._dropped_bytes += size_bytes

    def end(self, output: str, verdict: str) -> None:
        """Add how the step ended, and before it the end of its output where that was too long to be written."""
        if self._dropped_bytes:
            last = output.encode(errors="replace")[-min(self._dropped_bytes, END_BYTES) :]
            missing_bytes = self._dropped_bytes - len(last)
            self._put((f"\n[... {missing_bytes} bytes left out ...]\n".encode() if missing_bytes else b"") + last)
        self._put(verdict.encode(errors="replace"))

    def _put(self, content: bytes) -> None:
        with self.guard():
            self.stream.write(content)
            self.stream.flush()
