"""Reads sdists, and what is laid out as they are, as hostile archives into a `Tree`.

No file gets a name that an archive chose.
"""

import gzip
import lzma
import stat
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import assert_never

from factory.archive.directory import DirectoryEntry
from factory.confined import Bounds, Overrun, Reader
from factory.errors import SourceError
from factory.source.names import Names, resolve_links
from factory.source.tar import TarMember, read_tar
from factory.source.tree import Extent, SourceLimits, Spool, Tree, TreeFile, clamp
from factory.source.zipped import ZippedFiles, is_executable, mtime_s, open_zip

_LINK_BYTES = 4096  # PATH_MAX

# What the readers raise on bytes that are no archive; BrokenTarError and BrokenArchiveError are ValueErrors.
_BROKEN = (gzip.BadGzipFile, EOFError, lzma.LZMAError, zlib.error, ValueError, OverflowError)


def unpack(sdist: Path, *, limits: SourceLimits | None = None) -> Tree:
    """Read an sdist (`.tar.gz`, or a legacy `.zip`) into a tree, its one top folder taken off (PEP 517, PEP 625).

    Raises:
        SourceError: it is not such an archive, broken, a bomb, or has a member that a source tree cannot have.
    """
    spool = Spool(_limits(sdist, limits))
    return Tree.of(spool, _extents(sdist, spool))


def unpack_apart(sdist: Path, reader: Reader, *, limits: SourceLimits | None = None) -> Tree:
    """Read an sdist as `unpack` does, in a process of its own, which writes the contents to a file for this one.

    Raises:
        SourceError: as for `unpack`; or reading it took too much time or memory.
    """
    return _apart(sdist, reader, _limits(sdist, limits))


def unpack_component(archive: Path, reader: Reader) -> Tree:
    """Read a `.tar.xz` or `.tar.gz` that holds one top folder, as a component of Rust does, in a process of its own.

    Raises:
        SourceError: as for `unpack_apart`.
    """
    return _apart(archive, reader, SourceLimits().for_archive(archive.stat().st_size))


def _apart(archive: Path, reader: Reader, limits: SourceLimits) -> Tree:
    with tempfile.TemporaryDirectory() as folder:
        spooled = Path(folder) / "spool"
        extents = reader(partial(_spooled, archive, spooled, limits), Bounds.of(archive.stat().st_size))
        if isinstance(extents, Overrun):
            raise SourceError(f"reading {archive.name} {extents.reason}", hint="is this the right file?")
        return Tree.of(Spool(limits, spooled.open("r+b")), extents)


def _limits(sdist: Path, limits: SourceLimits | None) -> SourceLimits:
    """Return the limits of an sdist of this name and size."""
    if not sdist.name.endswith((".tar.gz", ".tgz", ".zip")):
        raise SourceError(f"{sdist.name} is neither .tar.gz nor .zip", hint="PEP 625 requires sdists to be .tar.gz")
    return (limits or SourceLimits()).for_archive(sdist.stat().st_size)


def _spooled(sdist: Path, spooled: Path, limits: SourceLimits) -> tuple[Extent, ...]:
    return _extents(sdist, Spool(limits, spooled.open("w+b")))


def _extents(sdist: Path, spool: Spool) -> tuple[Extent, ...]:
    """Spool an sdist's contents, and return where each file is."""
    members = _Members(sdist.name, spool)
    try:
        if sdist.name.endswith(".zip"):
            with open_zip(sdist) as files:
                _read_zip(files, members)
        else:
            _read_tar(sdist, members)
    except _BROKEN as error:
        raise SourceError(f"{sdist.name} is broken: {error}", hint="fetch it again") from error
    return members.below_top()


class _Members:
    """Collects an archive's files and links, with checked names."""

    def __init__(self, archive: str, spool: Spool) -> None:
        self.archive = archive
        self.spool = spool
        self.names = Names(archive, spool.limits)
        self.extents: dict[str, Extent] = {}
        self.links: dict[str, str] = {}

    def name(self, name: str) -> str:
        path = self.names.path(name)
        self.extents.pop(path, None)  # A later member of the same name replaces the earlier, as tar does.
        self.links.pop(path, None)
        return path

    def file(self, path: str, *, offset: int, size_bytes: int, executable: bool, mtime_s: float) -> None:
        file = TreeFile(path=path, executable=executable, mtime_s=clamp(mtime_s), size_bytes=size_bytes)
        self.extents[path] = Extent(offset=offset, file=file)

    def link(self, path: str, target: str) -> None:
        self.links[path] = self.names.target(path, target)

    def below_top(self) -> tuple[Extent, ...]:
        extents = resolve_links(self.extents.values(), self.links, self.names)
        tops = {extent.file.path.partition("/")[0] for extent in extents}
        if len(tops) != 1 or extents[0].file.path in tops:
            names = ", ".join(sorted(tops)[:5]) or "nothing"
            raise SourceError(f"{self.archive} must hold one top folder; it holds {names}")
        cut = len(tops.pop()) + 1
        return tuple(_below(extent, cut) for extent in extents)


def _below(extent: Extent, cut: int) -> Extent:
    return replace(extent, file=replace(extent.file, path=extent.file.path[cut:]))


def _read_tar(sdist: Path, members: _Members) -> None:
    # All of it first: a compressed stream cannot be read at any place, and the spool ends a bomb at its limit of bytes.
    with lzma.open(sdist, "rb") if sdist.name.endswith(".xz") else gzip.open(sdist, "rb") as stream:
        members.spool.add(_pieces(stream), sdist.name)
    for member in read_tar(members.spool):
        _add_tar_member(member, members)


def _add_tar_member(member: TarMember, members: _Members) -> None:
    path = members.name(member.name)
    match member.kind:
        case "folder":
            return
        case "symlink":
            members.link(path, member.target)
        case "hardlink":
            original = members.extents.get(members.names.path(member.target))
            if original is None:
                raise SourceError(
                    f"{members.archive}: {path} is a hard link to {member.target!a}, which is not a file before it"
                )
            _add_extent(path, members, member, original.offset, original.file.size_bytes)
        case "file":
            _add_extent(path, members, member, member.offset, member.size_bytes)
        case "special":
            raise SourceError(f"{members.archive}: {path} is a device, a pipe or a sparse file")
        case _:
            assert_never(member.kind)


def _add_extent(path: str, members: _Members, member: TarMember, offset: int, size_bytes: int) -> None:
    if offset + size_bytes > members.spool.size_bytes:
        raise SourceError(f"{members.archive} is broken: {path} ends beyond the archive", hint="fetch it again")
    executable = bool(member.mode & stat.S_IXUSR)
    members.file(path, offset=offset, size_bytes=size_bytes, executable=executable, mtime_s=member.mtime_s)


def _read_zip(files: ZippedFiles, members: _Members) -> None:
    for entry in files.entries:
        path = members.name(entry.name)
        if entry.name.endswith("/"):
            continue
        if stat.S_ISLNK(entry.mode):
            members.link(path, _link_of(entry, files, members.archive))
        elif stat.S_IFMT(entry.mode) not in (0, stat.S_IFREG):
            raise SourceError(f"{members.archive}: {path} is a device or a pipe")
        else:
            offset, size_bytes = members.spool.add(files.read(entry), members.archive)
            executable = is_executable(entry)
            members.file(path, offset=offset, size_bytes=size_bytes, executable=executable, mtime_s=mtime_s(entry))


def _link_of(entry: DirectoryEntry, files: ZippedFiles, archive: str) -> str:
    if entry.size_bytes > _LINK_BYTES:
        raise SourceError(f"{archive} holds a link of more than {_LINK_BYTES} bytes")
    return b"".join(files.read(entry)).decode(errors="backslashreplace")


def _pieces(stream: gzip.GzipFile | lzma.LZMAFile) -> Iterator[bytes]:
    while piece := stream.read(1 << 20):
        yield piece
