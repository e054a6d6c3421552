"""Sdists, read as hostile archives into a `Tree`; nothing is written under a name that an archive chose."""

import gzip
import stat
import struct
import tarfile
import zipfile
import zlib
from calendar import timegm
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from factory.errors import SourceError
from factory.source.names import link_target, resolve_links, safe_path
from factory.source.tree import Extent, Limits, Spool, Tree, TreeFile, clamp

_HEADER_BYTES = 1 << 20  # more than any honest pax header or long name
_LINK_BYTES = 4096  # PATH_MAX

# What the standard library raises on bytes that are no archive; the last four leak out of its parsers.
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    ValueError,
    OverflowError,
    NotImplementedError,
    struct.error,
)


def unpack(sdist: Path, *, limits: Limits | None = None) -> Tree:
    """Read an sdist (`.tar.gz`, or a legacy `.zip`) into a tree, its one top folder taken off (PEP 517, PEP 625).

    Raises:
        SourceError: not such an archive, broken, a bomb, or with a member that does not belong into a source tree.
    """
    members = _Members(sdist.name, Spool(limits or Limits()))
    try:
        if sdist.name.endswith((".tar.gz", ".tgz")):
            _read_tar(sdist, members)
        elif sdist.name.endswith(".zip"):
            _read_zip(sdist, members)
        else:
            raise SourceError(f"{sdist.name} is neither .tar.gz nor .zip", hint="PEP 625 wants an sdist as .tar.gz")
    except _BROKEN as error:
        raise SourceError(f"{sdist.name} is broken: {error}", hint="fetch it again") from error
    return members.tree()


class _Members:
    """Collects an archive's members: files and links, under names that were checked."""

    def __init__(self, archive: str, spool: Spool) -> None:
        self.archive = archive
        self.spool = spool
        self.extents: dict[str, Extent] = {}
        self.links: dict[str, str] = {}
        self.count = 0

    def name(self, name: str) -> str:
        path = safe_path(name, self.archive, self.spool.limits)
        self.count += 1  # folders and what replaces an earlier member cost time, too
        if self.count > self.spool.limits.files:
            raise SourceError(f"{self.archive} holds more than {self.spool.limits.files} files")
        self.extents.pop(path, None)  # A later member of the same name replaces the earlier, as tar does.
        self.links.pop(path, None)
        return path

    def file(self, path: str, *, offset: int, size_bytes: int, executable: bool, mtime_s: float) -> None:
        file = TreeFile(path=path, executable=executable, mtime_s=clamp(mtime_s), size_bytes=size_bytes)
        self.extents[path] = Extent(offset=offset, file=file)

    def link(self, path: str, target: str) -> None:
        self.links[path] = link_target(path, target, self.archive)

    def tree(self) -> Tree:
        extents = resolve_links(self.extents.values(), self.links, self.archive, self.spool.limits)
        tops = {extent.file.path.partition("/")[0] for extent in extents}
        if len(tops) != 1 or extents[0].file.path in tops:
            found = ", ".join(sorted(tops)[:5]) or "nothing"
            raise SourceError(f"{self.archive} must hold one top folder; it holds {found}")
        cut = len(tops.pop()) + 1
        return Tree.of(self.spool, (_below(extent, cut) for extent in extents))


def _below(extent: Extent, cut: int) -> Extent:
    file = extent.file
    shorter = TreeFile(
        path=file.path[cut:], executable=file.executable, mtime_s=file.mtime_s, size_bytes=file.size_bytes
    )
    return Extent(offset=extent.offset, file=shorter)


class _Headers:
    """The decompressed tar for `tarfile`, which may read headers only: contents stay where they lie in the spool."""

    def __init__(self, spool: Spool, archive: str) -> None:
        self.spool = spool
        self.archive = archive
        self.offset = 0

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER_BYTES:
            raise SourceError(f"{self.archive} holds a header of {size} bytes")
        content = self.spool.read(self.offset, size)
        self.offset += len(content)
        return content

    def seek(self, offset: int, _whence: int = 0) -> int:
        self.offset = offset
        return offset

    def tell(self) -> int:
        return self.offset


def _read_tar(sdist: Path, members: _Members) -> None:
    with gzip.open(sdist, "rb") as stream:
        members.spool.add(_pieces(stream), sdist.name)
    with tarfile.TarFile(fileobj=_Headers(members.spool, sdist.name), mode="r") as archive:  # type: ignore[arg-type] # reading needs read, seek and tell
        for member in archive:
            _add_tar_member(member, members)


def _add_tar_member(member: tarfile.TarInfo, members: _Members) -> None:
    path = members.name(member.name)
    if member.isdir():
        return
    if member.issym():
        members.link(path, member.linkname)
    elif member.islnk():
        original = members.extents.get(safe_path(member.linkname, members.archive, members.spool.limits))
        if original is None:
            raise SourceError(f"{members.archive}: {path} is a hard link to {member.linkname!a}, no file before it")
        _add_extent(path, members, member, original.offset, original.file.size_bytes)
    elif member.isreg() and not member.issparse():
        _add_extent(path, members, member, member.offset_data, member.size)
    else:
        raise SourceError(f"{members.archive}: {path} is a device, a pipe or a sparse file")


def _add_extent(path: str, members: _Members, member: tarfile.TarInfo, offset: int, size_bytes: int) -> None:
    if size_bytes < 0 or offset + size_bytes > members.spool.size_bytes:
        raise SourceError(f"{members.archive} is broken: {path} ends beyond the archive", hint="fetch it again")
    executable = bool(member.mode & stat.S_IXUSR)
    members.file(path, offset=offset, size_bytes=size_bytes, executable=executable, mtime_s=member.mtime)


def _read_zip(sdist: Path, members: _Members) -> None:
    with zipfile.ZipFile(sdist) as archive:
        for member in archive.infolist():
            _add_zip_member(archive, member, members)


def _add_zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, members: _Members) -> None:
    path = members.name(member.filename)
    mode = member.external_attr >> 16
    if member.is_dir():
        return
    if member.flag_bits & 0x1:
        raise SourceError(f"{members.archive}: {path} is encrypted")
    if stat.S_ISLNK(mode):
        members.link(path, b"".join(_content(archive, member, _LINK_BYTES)).decode(errors="backslashreplace"))
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise SourceError(f"{members.archive}: {path} is a device or a pipe")
    else:
        offset, size_bytes = members.spool.add(_content(archive, member), members.archive)
        year, month, *rest = member.date_time
        mtime_s = timegm((year, min(max(month, 1), 12), *rest))
        executable = bool(mode & stat.S_IXUSR)
        members.file(path, offset=offset, size_bytes=size_bytes, executable=executable, mtime_s=mtime_s)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit_bytes: int | None = None) -> Iterator[bytes]:
    with archive.open(member) as stream:
        yield from _pieces(stream) if limit_bytes is None else [stream.read(limit_bytes)]


def _pieces(stream: gzip.GzipFile | IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(1 << 20):
        yield piece
