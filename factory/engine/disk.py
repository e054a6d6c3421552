"""The use of the engine's disk while a command runs.

A volume has no quota where the engine's file system has none, and a workspace in memory would count as the build's.
So a second container, the monitor, measures what the first may write to. The package can neither see nor reach it:
its figures are trusted, and missing figures end the command, too. The free space of the disk shows what is not
counted: deleted files that are still open, and the root filesystem of an image that is being prepared.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from time import monotonic
from typing import Final, Literal

from factory.guests import program

UNWATCHED_S: Final = 120
"""How long a figure may be missing. A count is given 30 s, so that at least three counts have failed by then."""

_FIRST_S: Final = 2.0
_TOGETHER_S: Final = 6.0  # the commands of a small build take less, and need no monitor
_POLL_S: Final = 0.25
_LONGEST_POLL_S: Final = 1.0
_LINE_BYTES: Final = 4096
_ROOT: Final = "/"  # it is on the disk that holds the root filesystems of all containers
_HELD: Final = re.compile(rb"held (\d{1,18})")
_LEFT: Final = re.compile(rb"left (/[\w/.-]*) (\d{1,18}) (\d{1,9}) (\d{1,18}) (\d{1,18})")

Verdict = Literal["workspace", "disk", "unwatched"]


def watch_command(folders: Sequence[PurePosixPath]) -> list[str]:
    """Return the command that prints, without end, what folders hold and how much space their disks have left."""
    return ["sh", "-c", program("watch_disk.sh"), "watch", *map(str, folders)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLimits:
    """When commands are stopped to protect the engine; `unwatched_s` is how long a figure may be missing.

    `reserve_bytes` and `reserve_files` are what must be free on the engine's disk.
    """

    reserve_bytes: int = 2 << 30
    reserve_files: int = 50_000
    unwatched_s: float = UNWATCHED_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSpace:
    """What is free on one file system; `files_known` is false where it creates inodes on demand."""

    size_bytes: int
    files: int
    files_known: bool


@dataclass(slots=True, kw_only=True)
class DiskUsage:
    """The newest figures of a monitor, and how many came: one thread takes the lines, another reads the figures."""

    folders: Sequence[PurePosixPath]
    held_bytes: int = 0
    held_count: int = 0
    left: Mapping[str, FreeSpace] = field(default_factory=dict)
    left_count: int = 0
    _begun: bytes = b""

    def take(self, piece: bytes) -> None:
        """Take the next bytes; only complete lines count."""
        *lines, self._begun = (self._begun + piece).split(b"\n")
        self._begun = self._begun[-_LINE_BYTES:]
        for line in lines:
            if (held := _HELD.fullmatch(line)) is not None:
                self.held_bytes = int(held[1]) * 1024
                self.held_count += 1
            elif (left := _LEFT.fullmatch(line)) is not None:
                self._take_left(*(group.decode() for group in left.groups()))

    def _take_left(self, place: str, blocks: str, block_bytes: str, files: str, most_files: str) -> None:
        known = FreeSpace(size_bytes=int(blocks) * int(block_bytes), files=int(files), files_known=int(most_files) > 0)
        self.left = {**self.left, place: known}
        if self.left.keys() == {_ROOT, *map(str, self.folders)}:
            self.left_count += 1


@dataclass(slots=True)
class _Absence:
    """How long a figure has been missing."""

    count: int = 0
    waited_s: float = 0.0

    def add(self, count: int, waited_s: float) -> float:
        self.waited_s = self.waited_s + waited_s if count == self.count else 0.0
        self.count = count
        return self.waited_s


@dataclass(slots=True, kw_only=True)
class DiskWatch:
    """Judges one command by the figures of its container's monitor; `look` starts the monitor where none runs yet.

    `ran_s` is how long the container's earlier commands ran, so that many short commands are watched, too.
    """

    limit_bytes: int
    look: Callable[[], DiskUsage]
    limits: DiskLimits = field(default_factory=DiskLimits)
    ran_s: float = 0.0
    clock: Callable[[], float] = monotonic
    _first: float = field(init=False)
    _polled: float = field(init=False)
    _no_held: _Absence = field(default_factory=_Absence)
    _no_left: _Absence = field(default_factory=_Absence)

    def __post_init__(self) -> None:
        self._polled = self.clock()
        self._first = self._polled + max(0.0, min(_FIRST_S, _TOGETHER_S - self.ran_s))

    @property
    def wait_s(self) -> float:
        """How long until the figures should be judged again."""
        return max(_POLL_S, self._first - self.clock())

    def verdict(self) -> Verdict | None:
        """Say which limit is exceeded: of the workspace, of the engine's disk, or of missing figures."""
        now = self.clock()
        # While this process is stopped no figures arrive, so that such time does not count as waiting.
        waited_s, self._polled = min(now - self._polled, _LONGEST_POLL_S), now
        if now < self._first:
            return None
        usage = self.look()
        if usage.held_bytes > self.limit_bytes:
            return "workspace"
        if any(self._is_short(free) for free in usage.left.values()):
            return "disk"
        absent_s = (self._no_held.add(usage.held_count, waited_s), self._no_left.add(usage.left_count, waited_s))
        return "unwatched" if max(absent_s) > self.limits.unwatched_s else None

    def _is_short(self, free: FreeSpace) -> bool:
        is_full = free.files_known and free.files < self.limits.reserve_files
        return is_full or free.size_bytes < self.limits.reserve_bytes
