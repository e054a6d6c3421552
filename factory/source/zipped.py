"""The members of an sdist that is a zip archive, whose directory is checked before anything is inflated."""

import stat
from calendar import timegm
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

from factory.archive.content import DEFLATED, STORED, read_checked
from factory.archive.directory import DirectoryEntry, find_directory, read_entries
from factory.archive.flaws import BrokenArchiveError
from factory.archive.placing import judge_places

_MEMBERS: Final = 1 << 16  # as many as a zip without extensions can have (APPNOTE 4.4.21)
_DIRECTORY_BYTES: Final = 32 << 20
_METHODS: Final = (STORED, DEFLATED)


@dataclass(frozen=True, slots=True)
class ZippedFiles:
    """An open zip archive and its entries, which do not overlap and can all be read."""

    content: mmap
    entries: tuple[DirectoryEntry, ...]

    def read(self, entry: DirectoryEntry) -> Iterator[bytes]:
        """Yield a member's bytes in pieces, and compare them with its size and checksum.

        Raises:
            BrokenArchiveError: they differ, or there are more of them.
            zlib.error: it cannot be inflated.
        """
        try:
            yield from read_checked(self.content, entry)
        except BrokenArchiveError as error:
            raise BrokenArchiveError(f"its member {entry.name!a} cannot be read: {error}") from error


@contextmanager
def open_zip(path: Path) -> Iterator[ZippedFiles]:
    """Open a zip archive, and check its directory.

    Raises:
        BrokenArchiveError: it is not a zip archive, has too many members, or some that overlap, are encrypted, or are
            packed by another method than store and deflate.
    """
    with path.open("rb") as stream:
        if not stream.seek(0, 2):
            raise BrokenArchiveError("it is empty")
        with mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
            yield ZippedFiles(content, _entries(content))


def _entries(content: mmap) -> tuple[DirectoryEntry, ...]:
    directory = find_directory(content)
    if directory.size > _DIRECTORY_BYTES:
        raise BrokenArchiveError(f"its directory has more than {_DIRECTORY_BYTES} bytes")
    entries = tuple(islice(read_entries(content, directory), _MEMBERS + 1))
    if len(entries) > _MEMBERS:
        raise BrokenArchiveError(f"it holds more than {_MEMBERS} members")
    if any(flaw.kind == "overlap" for flaw in judge_places(content, directory, entries)):
        raise BrokenArchiveError("some of its members overlap")
    if any(entry.is_encrypted or entry.method not in _METHODS for entry in entries):
        raise BrokenArchiveError("a member is encrypted, or packed by another method than store and deflate")
    return entries


def is_executable(entry: DirectoryEntry) -> bool:
    """Whether its owner may run it."""
    return bool(entry.mode & stat.S_IXUSR)


def mtime_s(entry: DirectoryEntry) -> int:
    """Return the time of a member; its fields can hold months and hours that do not exist (APPNOTE 4.4.6)."""
    day, clock = entry.date, entry.time
    month = min(max(day >> 5 & 15, 1), 12)
    return timegm((1980 + (day >> 9), month, day & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2))
