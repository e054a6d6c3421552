"""Zip archives read as hostile ones: each member once, one at a time, and what is wrong as values."""

from factory.archive.model import LIMITS, UNREAD, Entry, Flaw, FlawKind, Limits, Member
from factory.archive.read import Archive, Visitor, Wanted, open_archive

__all__ = [
    "LIMITS",
    "UNREAD",
    "Archive",
    "Entry",
    "Flaw",
    "FlawKind",
    "Limits",
    "Member",
    "Visitor",
    "Wanted",
    "open_archive",
]
