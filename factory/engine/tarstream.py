"""Tar streams into and out of containers; their names are not trusted."""

import hashlib
import posixpath
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import IO, Final, assert_never, cast

from factory.digest import Digest
from factory.engine.api import EARLIEST_S, FileEntry, LinkEntry, StreamEntry, TreeEntry
from factory.engine.posture import HOME, UID
from factory.errors import FactoryError

_BLOCK: Final = tarfile.BLOCKSIZE
_CHUNK_BYTES: Final = 1 << 20
_END: Final = bytes(2 * _BLOCK)
_MAX_ENTRIES: Final = 1_000_000
_NO_LIMIT_BYTES: Final = 1 << 62
_HERE: Final = PurePosixPath()


class ChunkReader:
    """A stream of chunks, to be read like a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Read nothing yet."""
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes; fewer than asked for only at the end."""
        parts = [self._rest]
        missing = size_bytes - len(self._rest)
        while missing > 0 and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            missing -= len(chunk)
        whole = b"".join(parts)
        self._rest = whole[size_bytes:]
        return whole[:size_bytes]


def pack(entries: Iterable[TreeEntry], below: PurePosixPath = _HERE) -> Iterator[bytes]:
    """Write files and links as a tar stream owned by the unprivileged user, with the folders that lead to them."""
    packer = _Packer(below)
    for entry in entries:
        yield from packer.link(entry) if isinstance(entry, LinkEntry) else packer.file(entry)
    yield from packer.folders(below)
    yield _END


def folder(name: str) -> bytes:
    """Write a tar stream of one folder that belongs to the unprivileged user."""
    packer = _Packer(_HERE)
    return b"".join([*packer.folders(PurePosixPath(name)), _END])


def handed_over() -> Iterator[bytes]:
    """Begin a tar stream that gives the folder where it is unpacked to the unprivileged user, with an empty home.

    The folder is named "/": engines leave the owner of one that is named "." as it is.
    """
    packer = _Packer(_HERE)
    yield from packer.folders(PurePosixPath("/"))
    yield from packer.folders(PurePosixPath(HOME.name))


def regular_files(tar: Iterable[bytes], *, limit_bytes: int) -> Iterator[StreamEntry]:
    """Read the regular files of an engine's archive of one path, named relative to that path.

    The archive's first member is the path itself; a file keeps its own name. Pieces are read before the next entry.

    Raises:
        FactoryError: more than `limit_bytes` would come out, or a name is hostile.
    """
    for name, member, content in _below_root(tar, limit_bytes):
        if member.isreg():
            yield _file(name, member, content)


def entries(tar: Iterable[bytes], *, limit_bytes: int) -> Iterator[TreeEntry]:
    """Read the regular files and the links of such an archive; pieces are read before the next entry.

    Raises:
        FactoryError: as for `regular_files`, or a link leads out of the path.
    """
    root = ""
    for name, member, content in _below_root(tar, limit_bytes):
        root = root or member.name
        if member.isreg():
            yield _file(name, member, content)
        elif member.islnk():
            original = _readable(_inside(_below(root, member.linkname)))
            path, mode = _readable(_inside(name)), member.mode & 0o777
            yield LinkEntry(path=path, target=str(original), hard=True, mode=mode)
        elif member.issym():
            path = _readable(_inside(name))
            yield LinkEntry(path=path, target=_target(path, member.linkname))


def noted(entries: Iterable[TreeEntry], fingerprints: dict[PurePosixPath, str]) -> Iterator[TreeEntry]:
    """Pass entries on, and note the fingerprint of each once it is read, as `fingerprints` reads it back."""
    for entry in entries:
        match entry:
            case StreamEntry():
                state = hashlib.sha256()
                yield replace(entry, pieces=_hashed(entry.pieces, state))
                fingerprints[entry.path] = _of_file(entry.mode, Digest(state.hexdigest()))
            case FileEntry():
                fingerprints[entry.path] = _of_file(entry.mode, Digest.of(entry.content))
                yield entry
            case LinkEntry():
                to = fingerprints.get(PurePosixPath(entry.target), "") if entry.hard else f"link to {entry.target}"
                fingerprints[entry.path] = to
                yield entry
            case _:
                assert_never(entry)


def fingerprints(tar: Iterable[bytes]) -> dict[PurePosixPath, str]:
    """Read what every path of an engine's archive of one folder holds, also where it is neither a file nor a link."""
    read: dict[PurePosixPath, str] = {}
    root = ""
    for name, member, content in _below_root(tar, _NO_LIMIT_BYTES):
        root = root or member.name
        path = PurePosixPath(name)
        if member.isreg():
            read[path] = _of_file(member.mode, Digest.of_chunks(content))
        elif member.islnk():
            read[path] = read.get(PurePosixPath(_below(root, member.linkname)), "a link to nothing")
        elif not member.isdir():
            read[path] = f"link to {member.linkname}" if member.issym() else f"tar type {member.type!r}"
    return read


def _file(name: str, member: tarfile.TarInfo, content: Iterable[bytes]) -> StreamEntry:
    path, mode = _readable(_inside(name)), member.mode & 0o777
    return StreamEntry(path=path, size_bytes=member.size, pieces=content, mode=mode, mtime_s=int(member.mtime))


def _of_file(mode: int, digest: Digest) -> str:
    return f"{mode & 0o777:o} {digest}"


def _hashed(pieces: Iterable[bytes], state: "hashlib._Hash") -> Iterator[bytes]:
    for piece in pieces:
        state.update(piece)
        yield piece


def _below_root(tar: Iterable[bytes], limit_bytes: int) -> Iterator[tuple[str, tarfile.TarInfo, Iterator[bytes]]]:
    """Read an engine's archive of one path: each member with its name relative to that path."""
    root, left = "", limit_bytes
    for count, (member, content) in enumerate(_members(tar)):
        root = root if count else member.name
        left -= member.size if member.isreg() else 0
        if left < 0 or count > _MAX_ENTRIES:
            raise FactoryError(f"{root!r} holds more than the {limit_bytes} bytes or {_MAX_ENTRIES} entries allowed")
        yield member.name if count == 0 else _below(root, member.name), member, content


def _target(path: PurePosixPath, target: str) -> str:
    """Return where a symbolic link points; it must stay below the folder that is read."""
    reached = posixpath.normpath(posixpath.join(path.parent, target))
    if target.startswith("/") or reached.startswith(".."):
        raise FactoryError(f"the link {str(path)!r} leads to {target!r}, out of the folder")
    return target


class _Packer:
    """Which folders one outgoing tar stream has so far."""

    def __init__(self, below: PurePosixPath) -> None:
        self._below = below
        self._folders = {_HERE}

    def file(self, file: FileEntry | StreamEntry) -> Iterator[bytes]:
        entry = tarfile.TarInfo(str(self._below / _inside(str(file.path))))
        entry.mode, entry.mtime = file.mode & 0o777, max(0, file.mtime_s)
        pieces = [file.content] if isinstance(file, FileEntry) else file.pieces
        entry.size = len(file.content) if isinstance(file, FileEntry) else file.size_bytes
        entry.uid = entry.gid = UID
        yield from self.folders(PurePosixPath(entry.name).parent)
        yield _header(entry)
        yield from _padded(pieces, entry.size, entry.name)

    def link(self, link: LinkEntry) -> Iterator[bytes]:
        entry = tarfile.TarInfo(str(self._below / _inside(str(link.path))))
        entry.type, entry.mode = tarfile.LNKTYPE if link.hard else tarfile.SYMTYPE, link.mode
        entry.linkname = str(self._below / _inside(link.target)) if link.hard else _target(link.path, link.target)
        entry.uid = entry.gid = UID
        entry.mtime = EARLIEST_S
        yield from self.folders(PurePosixPath(entry.name).parent)
        yield _header(entry)

    def folders(self, path: PurePosixPath) -> Iterator[bytes]:
        for folder in reversed([path, *path.parents]):
            if folder not in self._folders:
                self._folders.add(folder)
                entry = tarfile.TarInfo(str(folder))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                entry.uid = entry.gid = UID
                entry.mtime = EARLIEST_S
                yield _header(entry)


def _members(tar: Iterable[bytes]) -> Iterator[tuple[tarfile.TarInfo, Iterator[bytes]]]:
    stream = cast("IO[bytes]", ChunkReader(tar))
    with _whole(), tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK_BYTES) as source:
        while (member := source.next()) is not None:
            yield member, _content(source, member)
            source.members.clear()  # type: ignore[attr-defined] # undocumented; without it a hostile stream fills memory


def _content(source: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    with _whole():
        stream = source.extractfile(member)
        while stream is not None and (piece := stream.read(_CHUNK_BYTES)):
            yield piece


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except tarfile.TarError as error:
        raise FactoryError(f"the tar stream is incomplete or damaged: {error}") from error


def _padded(pieces: Iterable[bytes], size_bytes: int, name: str) -> Iterator[bytes]:
    left = size_bytes
    for piece in pieces:
        left -= len(piece)
        yield piece
    if left:
        raise FactoryError(f"{name} has {size_bytes - left} bytes; its header says {size_bytes}")
    if surplus := size_bytes % _BLOCK:
        yield bytes(_BLOCK - surplus)


def _header(entry: tarfile.TarInfo) -> bytes:
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path == _HERE or "\0" in name:
        raise FactoryError(f"{name!r} does not name a file below the folder")
    return path


def _readable(path: PurePosixPath) -> PurePosixPath:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise FactoryError(f"the file name {str(path)!r} is not valid UTF-8") from error
    return path


def _below(root: str, name: str) -> str:
    path = PurePosixPath(name)
    return str(path.relative_to(root)) if path.is_relative_to(root) else name
