"""What can be wrong with an archive."""

from dataclasses import dataclass
from typing import Literal

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
    """Bytes that are not a zip archive; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong with a member, or with the archive itself where `member` is empty."""

    kind: FlawKind
    member: str
    message: str
