"""What fetching a source needs, and what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from factory.confined import Reader
from factory.digest import Artifact
from factory.host import Host
from factory.memory import Memory

_PROGRESS_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceServices:
    """What fetching a source needs of the world; `reader` unpacks archives, `say` is called with lines of progress."""

    memory: Memory
    host: Host
    reader: Reader
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An archive in the store; `notes` are what users should know about it."""

    file: Artifact
    notes: tuple[str, ...] = ()


class DownloadProgress:
    """Turns counted bytes into a line of progress every two seconds; a short download reports nothing."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name = name
        self._say = say
        self._last_s = monotonic()

    def __call__(self, done_bytes: int, total_bytes: int | None) -> None:
        """Report how far a download is, unless the last report was a moment ago."""
        if monotonic() - self._last_s >= _PROGRESS_EVERY_S:
            self._last_s = monotonic()
            whole = "" if total_bytes is None else f" of {total_bytes / 1e6:.1f}"
            self._say(f"downloading {self._name}: {done_bytes / 1e6:.1f}{whole} MB")
