"""Zip archives read as hostile ones: each member once, one at a time, and what is wrong as values."""

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from factory.digest import Digest

_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 4
_ENCRYPTED = 0x1 | 0x40  # APPNOTE 4.4.4: bit 0, and bit 6 for strong encryption
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# What zipfile is known to raise on broken members and directories of the two methods that are read.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, OverflowError)

FlawKind = Literal["unreadable", "name", "duplicate", "case", "special", "encrypted", "method", "too-large"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read: per member, in all, and how many members. A compression ratio is no criterion."""

    member_bytes: int = 1 << 30
    total_bytes: int = 1 << 33
    members: int = 1 << 16


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


Wanted = Callable[[str, bytes], bool]
Visitor = Callable[[Member, bytearray], None]


class Archive:
    """An open archive. `flaws` is complete once `visit` has returned."""

    def __init__(self, zipped: zipfile.ZipFile | None, limits: Limits, flaws: list[Flaw]) -> None:
        self._zip = zipped
        self._limits = limits
        self.flaws = flaws

    def visit(self, visitor: Visitor, wanted: Wanted) -> None:
        """Hand over every readable file, with its content where `wanted(name, first four bytes)`, else with no bytes.

        A visitor, and no iterator: a content that the visitor lets go is gone before the next one is read.
        """
        zipped = self._zip
        if zipped is None:
            return
        infos = zipped.infolist()
        if len(infos) > self._limits.members:
            self._note("too-large", "", f"{len(infos)} members; {self._limits.members} are read at most")
            return
        self._judge_names(infos)
        left = self._limits.total_bytes
        for info in infos:
            if self._readable(info, left) and not _name(info).endswith("/"):
                left -= info.file_size
                self._read(zipped, info, visitor, wanted)

    def _note(self, kind: FlawKind, member: str, message: str) -> None:
        self.flaws.append(Flaw(kind=kind, member=member, message=message))

    def _judge_names(self, infos: list[zipfile.ZipInfo]) -> None:
        seen: dict[str, str] = {}
        exact: set[str] = set()
        for name in sorted(map(_name, infos)):
            if (problem := _name_problem(name)) is not None:
                self._note("name", name, problem)
            if name in exact:
                self._note("duplicate", name, "stands in the archive more than once")
            elif (other := seen.setdefault(name.casefold(), name)) != name:
                self._note("case", name, f"differs from {other} in case only")
            exact.add(name)

    def _readable(self, info: zipfile.ZipInfo, left: int) -> bool:
        name, kind = _name(info), stat.S_IFMT(info.external_attr >> 16)
        if info.flag_bits & _ENCRYPTED:
            self._note("encrypted", name, "is encrypted")
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            what = "a symbolic link" if kind == stat.S_IFLNK else f"of file type {kind:#o}"
            self._note("special", name, f"is {what}; wheels hold files and folders")
        elif info.compress_type not in _METHODS:
            self._note(
                "method", name, f"is packed by method {info.compress_type}; only store and deflate are read everywhere"
            )
        elif info.file_size > min(self._limits.member_bytes, left):
            self._note(
                "too-large", name, f"unpacks to {info.file_size} bytes; {min(self._limits.member_bytes, left)} are read"
            )
        else:
            return True
        return False

    def _read(self, zipped: zipfile.ZipFile, info: zipfile.ZipInfo, visitor: Visitor, wanted: Wanted) -> None:
        name, sha, kept = _name(info), hashlib.sha256(), bytearray()
        try:
            with zipped.open(info) as stream:
                chunk = stream.read(_CHUNK_BYTES)
                keep = wanted(name, chunk[:_HEAD_BYTES])
                while chunk:
                    sha.update(chunk)
                    if keep:
                        kept += chunk
                    chunk = stream.read(_CHUNK_BYTES)
        except _BROKEN as error:
            self._note("unreadable", name, f"cannot be read: {error}")
            return
        mode = info.external_attr >> 16
        visitor(Member(name=name, size_bytes=info.file_size, digest=Digest(sha.hexdigest()), mode=mode), kept)


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name as the archive writes it: zipfile's own is cut at a NUL."""
    return info.orig_filename


def _name_problem(name: str) -> str | None:
    if "\0" in name:
        return "holds a NUL"
    if "\\" in name:
        return "holds a backslash, which some unpackers take for a separator"
    if name.startswith("/") or (name[1:2] == ":" and name[:1].isalpha()):
        return "is absolute"
    if ".." in name.split("/"):
        return "leads out of the folder it is unpacked to"
    if {"", "."} & set(name.removesuffix("/").split("/")):
        return "has an empty or `.` part"
    return None


@contextmanager
def open_archive(path: Path, limits: Limits = LIMITS) -> Iterator[Archive]:
    """Open a zip archive; one that is none has no members and a flaw.

    Raises:
        OSError: the file itself cannot be opened.
    """
    flaws: list[Flaw] = []
    with path.open("rb") as stream:
        try:
            zipped = zipfile.ZipFile(stream)
        except _BROKEN as error:
            flaws.append(Flaw(kind="unreadable", member="", message=f"is no readable zip archive: {error}"))
            yield Archive(None, limits, flaws)
            return
        with zipped:
            yield Archive(zipped, limits, flaws)
