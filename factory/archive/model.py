"""What an archive says of itself, what is wrong with it, and how much of it is read."""

from dataclasses import dataclass
from typing import Literal

from factory.digest import Digest

FlawKind = Literal[
    "unreadable",
    "name",
    "duplicate",
    "case",
    "special",
    "encrypted",
    "method",
    "too-large",
    "mismatch",
    "overlap",
    "padding",
    "descriptor",
    "stored-descriptor",
    "mode",
    "world-writable",
    "date",
]
UNREAD: frozenset[FlawKind] = frozenset({"unreadable", "special", "encrypted", "method", "too-large", "overlap"})
"""Flaws that keep a member from being read."""


class BrokenArchiveError(ValueError):
    """Bytes that are no zip archive; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read: per member, in all, how many members, how long their names, and how far they may be inflated.

    `ratio` is the greatest factor by which a member of more than `ratio_bytes` may grow: 200 is far above what real
    objects and tables reach, and deflate alone could reach 1032. All members together may grow by `total_ratio`, where
    they come to more than twice `ratio_bytes`. Names count as they are written:
    `name_bytes` limits one name, `names_bytes` all together.
    """

    member_bytes: int = 1 << 31
    total_bytes: int = 1 << 33
    members: int = 1 << 16
    ratio: int = 200
    ratio_bytes: int = 1 << 26
    total_ratio: int = 50
    name_bytes: int = 1 << 10
    names_bytes: int = 1 << 24


LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong with the archive; `member` is empty when it is the archive itself."""

    kind: FlawKind
    member: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in the archive, its bytes gone by; folders are none."""

    name: str
    size_bytes: int
    digest: Digest
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the central directory (APPNOTE 4.3.12); `header` is where its local header begins in the file."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed_bytes: int
    size_bytes: int
    header: int
    mode: int

    @property
    def has_descriptor(self) -> bool:
        """Whether checksum and sizes follow the content instead of preceding it."""
        return bool(self.flags & 0x8)
