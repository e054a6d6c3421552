"""Zip archives, read as hostile ones."""

from factory.archive.directory import DirectoryEntry
from factory.archive.flaws import UNREAD, Flaw, FlawKind
from factory.archive.limits import LIMITS, ArchiveLimits
from factory.archive.read import Archive, Look, Member, Visitor, Wanted, mapped_archive, open_archive

__all__ = [
    "LIMITS",
    "UNREAD",
    "Archive",
    "ArchiveLimits",
    "DirectoryEntry",
    "Flaw",
    "FlawKind",
    "Look",
    "Member",
    "Visitor",
    "Wanted",
    "mapped_archive",
    "open_archive",
]
