"""Members of a zip archive, read one at a time and each once."""

import hashlib
import mmap
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import BinaryIO

from factory.archive.content import DEFLATED, STORED, read_checked, read_declared
from factory.archive.directory import DirectoryEntry, find_directory, read_entries
from factory.archive.flaws import BrokenArchiveError, Flaw, FlawKind
from factory.archive.limits import LIMITS, ArchiveLimits
from factory.archive.placing import judge_places
from factory.digest import Digest
from factory.excerpt import cut

_HEAD_BYTES = 4
_UTF8 = 0x800
_PATCHED = 0x20
_FORMAT = 63  # APPNOTE 4.4.3: 6.3, the newest version of the format that zipfile knows
_PART_BYTES = 255  # NAME_MAX
_MONTHS, _DAYS, _HOURS, _MINUTES, _HALF_SECONDS = range(1, 13), range(1, 32), range(24), range(60), range(30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in the archive, without its bytes; folders are not members."""

    name: str
    size_bytes: int
    digest: Digest
    mode: int


Wanted = Callable[[str, bytes, int], bool]
Visitor = Callable[[Member, bytearray], None]
Look = Callable[[str, Iterator[bytes]], None]


class Archive:
    """An open archive. `flaws` is complete once `visit` has returned."""

    def __init__(self, content: mmap.mmap | bytes, limits: ArchiveLimits) -> None:
        self._content = content
        self._limits = limits
        self.flaws: list[Flaw] = []

    def visit(self, visitor: Visitor, wanted: Wanted) -> None:
        """Hand over every readable file, with its content where `wanted(name, first four bytes, size)`, else without.

        It takes a visitor rather than being an iterator, so that a content is freed before the next one is read.
        """
        for entry in self._readable_entries():
            if not entry.name.endswith("/"):
                self._hand_over(entry, visitor, wanted)

    def stream(self, look: Look) -> None:
        """Hand over every readable member's name, with its bytes in pieces that are unpacked while they are read.

        Nothing is kept. `look` may leave pieces unread. What folders hold comes too, although no unpacker writes it.
        """
        for entry in self._readable_entries():
            try:
                look(entry.name, read_declared(self._content, entry))
            except (zlib.error, BrokenArchiveError) as error:
                self._note("unreadable", entry.name, f"cannot be read: {error}")

    def _readable_entries(self) -> Iterator[DirectoryEntry]:
        """Yield what may be unpacked within the limits; of the rest a flaw says why not."""
        limits = self._limits
        left = min(limits.total_bytes, max(2 * limits.ratio_bytes, limits.total_ratio * len(self._content)))
        for entry in self._entries():
            if self._readable(entry, left):
                left -= entry.size_bytes
                yield entry

    def _hand_over(self, entry: DirectoryEntry, visitor: Visitor, wanted: Wanted) -> None:
        """Read one member in a frame of its own, so that its content is freed before the next one is read."""
        try:
            member, kept = self._read(entry, wanted)
        except (zlib.error, BrokenArchiveError) as error:
            self._note("unreadable", entry.name, f"cannot be read: {error}")
        else:
            visitor(member, kept)

    def _entries(self) -> list[DirectoryEntry]:
        try:
            directory = find_directory(self._content)
            entries = list(islice(read_entries(self._content, directory), self._limits.members + 1))
        except BrokenArchiveError as error:
            self._note("unreadable", "", f"cannot be read as a zip archive: {error}")
            return []
        if len(entries) > self._limits.members:
            self._note("too-large", "", f"has more than {self._limits.members} members, the most that are read")
            return []
        if len(entries) != directory.count:
            message = f"its end record counts {directory.count} members; its directory has {len(entries)}"
            self._note("mismatch", "", message)
        if sum(len(entry.raw_name) for entry in entries) > self._limits.names_bytes:
            self._note("too-large", "", f"its members' names have more than {self._limits.names_bytes} bytes in all")
            return []
        entries = [entry for entry in entries if self._is_short(entry)]
        self._judge_names(entries)
        places = list(judge_places(self._content, directory, entries))
        self.flaws += places
        return [] if any(flaw.kind == "overlap" for flaw in places) else entries

    def _is_short(self, entry: DirectoryEntry) -> bool:
        """Whether a name could be a file's; of a longer one only the beginning is kept, in a flaw."""
        size_bytes, most = len(entry.raw_name), self._limits.name_bytes
        if size_bytes > most:
            self._note("too-large", cut(entry.name, most), f"has a name of {size_bytes} bytes; at most {most} are read")
        return size_bytes <= most

    def _note(self, kind: FlawKind, member: str, message: str) -> None:
        self.flaws.append(Flaw(kind=kind, member=member, message=message))

    def _judge_names(self, entries: list[DirectoryEntry]) -> None:
        seen: dict[str, str] = {}
        exact, sound = set[str](), set[str]()
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = entry.name
            if (problem := _name_problem(entry)) is not None:
                self._note("name", name, problem)
            else:
                sound.add(name)
            if name in exact:
                self._note("duplicate", name, "is in the archive more than once")
            elif (other := seen.setdefault(name.casefold(), name)) != name:
                self._note("case", name, f"differs from {other} only in case")
            exact.add(name)
            self._judge_attributes(entry)
        # In this order all that a folder holds follows it at once.
        for above, below in pairwise(sorted(name.replace("/", "\0") for name in sound)):
            if below.startswith(f"{above}\0"):
                self._note("name", above.replace("\0", "/"), "is a file and a folder at once")

    def _judge_attributes(self, entry: DirectoryEntry) -> None:
        """Look at what unpackers may restore: rights and dates; a mode of zero says nothing."""
        rights = stat.S_IMODE(entry.mode)
        if stat.S_ISREG(entry.mode) and not rights:
            self._note("mode", entry.name, "has mode 000: nobody may read it")
        elif rights & (stat.S_ISUID | stat.S_ISGID):
            self._note("mode", entry.name, f"has mode {rights:04o}: it would run with its owner's rights")
        elif rights & stat.S_IWOTH and not stat.S_ISLNK(entry.mode):
            self._note("world-writable", entry.name, f"has mode {rights:04o}: everybody may change it")
        if stat.S_ISDIR(entry.mode) and not entry.name.endswith("/"):
            self._note("mismatch", entry.name, "is a folder by its mode, and a file by its name")
        elif entry.size_bytes and entry.name.endswith("/"):
            self._note("mismatch", entry.name, f"is a folder by its name, and holds {entry.size_bytes} bytes")
        if not _is_a_date(entry):
            self._note("date", entry.name, "has a date that does not exist")
        if entry.has_descriptor:
            kind: FlawKind = "stored-descriptor" if entry.method == STORED else "descriptor"
            self._note(kind, entry.name, "has its size and checksum only after its content")

    def _readable(self, entry: DirectoryEntry, left: int) -> bool:
        name, kind, limits = entry.name, stat.S_IFMT(entry.mode), self._limits
        most = min(limits.member_bytes, left)
        if entry.is_encrypted:
            self._note("encrypted", name, "is encrypted")
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            what = "a symbolic link" if kind == stat.S_IFLNK else f"of file type {kind:#o}"
            self._note("special", name, f"is {what}; a wheel may hold only files and folders")
        elif entry.method not in (STORED, DEFLATED):
            self._note(
                "method", name, f"is compressed by method {entry.method}; only store and deflate can be read everywhere"
            )
        elif entry.flags & _PATCHED or entry.needs > _FORMAT:
            self._note("method", name, "needs a newer unpacker, or another file, to be unpacked")
        elif entry.size_bytes > most:
            self._note("too-large", name, f"unpacks to {entry.size_bytes} bytes; at most {most} are read")
        elif entry.size_bytes > max(limits.ratio_bytes, limits.ratio * entry.packed_bytes):
            self._note("too-large", name, f"unpacks to more than {limits.ratio} times its size")
        else:
            return True
        return False

    def _read(self, entry: DirectoryEntry, wanted: Wanted) -> tuple[Member, bytearray]:
        """Read one member, and compare its size and checksum with the directory's.

        Raises:
            BrokenArchiveError: it is not what the directory says.
            zlib.error: it cannot be inflated.
        """
        sha, size = hashlib.sha256(), 0
        chunks = read_checked(self._content, entry)
        first = next(chunks, b"")
        # Its declared size is reserved at once: a content that grew would be copied, and held twice.
        is_wanted = first and wanted(entry.name, first[:_HEAD_BYTES], entry.size_bytes)
        kept = bytearray(entry.size_bytes if is_wanted else 0)
        for chunk in chain([first], chunks):
            sha.update(chunk)
            size += len(chunk)
            if kept:
                kept[size - len(chunk) : size] = chunk
        digest = Digest(sha.hexdigest())
        return Member(name=entry.name, size_bytes=size, digest=digest, mode=entry.mode), kept


def _is_a_date(entry: DirectoryEntry) -> bool:
    """Whether day and time exist: seven bits of the year from 1980, and the rest in fields with room to spare."""
    day, clock = entry.date, entry.time
    return (
        (day >> 5 & 15) in _MONTHS
        and (day & 31) in _DAYS
        and clock >> 11 in _HOURS
        and (clock >> 5 & 63) in _MINUTES
        and (clock & 31) in _HALF_SECONDS
    )


def _name_problem(entry: DirectoryEntry) -> str | None:
    name = entry.name
    if entry.flags & _UTF8 and "\\" in name and b"\\" not in entry.raw_name:
        return "is marked as UTF-8 but is not valid UTF-8"
    if "\0" in name:
        return "contains a null character"
    if "\\" in name:
        return "contains a backslash, which some unpackers take for a separator"
    if name.startswith("/") or (name[1:2] == ":" and name[:1].isalpha()):
        return "is absolute"
    if ".." in name.split("/"):
        return "leads out of the folder it is unpacked to"
    parts = name.removesuffix("/").split("/")
    if {"", "."} & set(parts):
        return "has an empty or `.` part"
    if max(len(part.encode(errors="replace")) for part in parts) > _PART_BYTES:
        return f"has a part of more than {_PART_BYTES} bytes, the most that file systems take"
    return None


@contextmanager
def open_archive(path: Path, limits: ArchiveLimits = LIMITS) -> Iterator[Archive]:
    """Open a zip archive; where it cannot be read as one, it has no members, and a flaw says why.

    Raises:
        OSError: the file itself cannot be opened.
    """
    with path.open("rb") as stream, mapped_archive(stream, limits) as archive:
        yield archive


@contextmanager
def mapped_archive(stream: BinaryIO, limits: ArchiveLimits = LIMITS) -> Iterator[Archive]:
    """Read an open file of this machine as a zip archive."""
    size = stream.seek(0, 2)
    if not size:
        yield Archive(b"", limits)
        return
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield Archive(content, limits)
