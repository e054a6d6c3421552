"""Zip archives read as hostile ones: each member once, one at a time, and what is wrong as values."""

from factory.archive.model import LIMITS, UNREAD, Entry, Flaw, FlawKind, Limits, Member
from factory.archive.read import Archive, Look, Visitor, Wanted, mapped_archive, open_archive

__all__ = [
    "LIMITS",
    "UNREAD",
    "Archive",
    "Entry",
    "Flaw",
    "FlawKind",
    "Limits",
    "Look",
    "Member",
    "Visitor",
    "Wanted",
    "mapped_archive",
    "open_archive",
]
