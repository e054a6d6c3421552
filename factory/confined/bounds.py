"""The interface of a reader of strangers' files: its limits and its outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

_T = TypeVar("_T")
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of a reader: memory beyond what it begins with, seconds, and the size of its answer."""

    memory_bytes: int = 1 << 30
    cpu_s: int = 30
    wall_s: float = 210.0
    answer_bytes: int = 1 << 28

    @classmethod
    def of(cls, size_bytes: int) -> Self:
        """Return limits that any honest archive of a size stays below: it is mapped, and its largest member is held."""
        cpu_s = 30 + size_bytes // MEBIBYTE
        memory_bytes = (1 << 30) + size_bytes + min(50 * size_bytes, 2 << 30)
        return cls(memory_bytes=memory_bytes, cpu_s=cpu_s, wall_s=60.0 + 5 * cpu_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """The outcome of a reader that did not finish; `reason` is a clause, such as `took more than 30 s`."""

    reason: str


class Reader(Protocol):
    """Does work in a process of its own; what the work raises is raised here."""

    def __call__(self, work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:
        """Return the work's value, or why it did not finish.

        Raises:
            Interrupted: the run is being ended.
        """
        ...
