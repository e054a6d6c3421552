"""Tar streams into and out of containers, without trust in what they name."""

import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Final, cast

from factory.engine.api import EARLIEST_S, FileEntry
from factory.engine.posture import UID
from factory.errors import FactoryError

_BLOCK: Final = tarfile.BLOCKSIZE
_CHUNK_BYTES: Final = 1 << 20
_END: Final = bytes(2 * _BLOCK)
_MAX_ENTRIES: Final = 1_000_000
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


def pack(files: Iterable[FileEntry], below: PurePosixPath = _HERE) -> Iterator[bytes]:
    """Write files as a tar stream of the unprivileged user's, with the folders that lead to them."""
    packer = _Packer(below)
    for file in files:
        entry = packer.entry(str(file.path), tarfile.REGTYPE, mode=file.mode & 0o777, mtime_s=file.mtime_s)
        entry.size = len(file.content)
        yield from packer.header(entry)
        yield from _padded([file.content], entry.size)
    yield from packer.folders(below)
    yield _END


def folder(name: str) -> bytes:
    """Write a tar stream of one folder that belongs to the unprivileged user."""
    packer = _Packer(_HERE)
    return b"".join([*packer.folders(PurePosixPath(name)), _END])


def adopt(tar: Iterable[bytes], below: PurePosixPath = _HERE) -> Iterator[bytes]:
    """Rewrite a tar stream so that every member lies below a folder and belongs to the unprivileged user.

    Set-id bits, extended attributes and foreign owners are dropped; modes keep their other bits.

    Raises:
        FactoryError: it is no tar stream, or a member leaves the folder, goes through a link, or is a device.
    """
    packer = _Packer(below)
    for member, content in _members(tar):
        if PurePosixPath(member.name) == _HERE:
            continue
        yield from packer.header(packer.adopted(member))
        if member.isreg():
            yield from _padded(content, member.size)
    yield from packer.folders(below)
    yield _END


def regular_files(tar: Iterable[bytes], *, limit_bytes: int) -> Iterator[FileEntry]:
    """Read the regular files of an engine's archive of one path, named relative to that path.

    The archive's first member is the path itself; a file keeps its own name.

    Raises:
        FactoryError: more than `limit_bytes` would come out, or a name is hostile.
    """
    root, left = "", limit_bytes
    for count, (member, content) in enumerate(_members(tar)):
        root = root if count else member.name
        left -= member.size if member.isreg() else 0
        if left < 0 or count > _MAX_ENTRIES:
            raise FactoryError(f"{root!r} holds more than the {limit_bytes} bytes or {_MAX_ENTRIES} entries allowed")
        if member.isreg():
            path = _readable(_inside(member.name if count == 0 else _below(root, member.name)))
            mode, mtime_s = member.mode & 0o777, int(member.mtime)
            yield FileEntry(path=path, content=b"".join(content), mode=mode, mtime_s=mtime_s)


class _Packer:
    """What one outgoing tar stream has said so far: which folders exist, which names are links."""

    def __init__(self, below: PurePosixPath) -> None:
        self._below = below
        self._folders = {_HERE}
        self._links: set[PurePosixPath] = set()

    def entry(self, name: str, kind: bytes, *, mode: int, mtime_s: int = 0) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(str(self._below / _inside(name)))
        entry.type, entry.mode, entry.mtime = kind, mode, max(0, mtime_s)
        entry.uid = entry.gid = UID
        return entry

    def adopted(self, member: tarfile.TarInfo) -> tarfile.TarInfo:
        owner_may = 0o700 if member.isdir() else 0o600
        kind = tarfile.REGTYPE if member.isreg() else member.type
        entry = self.entry(member.name, kind, mode=member.mode & 0o777 | owner_may, mtime_s=int(member.mtime))
        if member.islnk():
            entry.linkname = str(self._below / _inside(member.linkname))
            self._refuse_links(PurePosixPath(entry.linkname))
        elif member.issym():
            entry.linkname = member.linkname
        elif member.isreg():
            entry.size = member.size
        elif not member.isdir():
            raise FactoryError(f"tar member {member.name!r} is a device or a pipe")
        return entry

    def header(self, entry: tarfile.TarInfo) -> Iterator[bytes]:
        path = PurePosixPath(entry.name)
        self._refuse_links(path.parent)
        yield from self.folders(path.parent)
        self._links.discard(path)
        if entry.issym():
            self._links.add(path)
        if entry.isdir():
            self._folders.add(path)
        yield _header(entry)

    def folders(self, path: PurePosixPath) -> Iterator[bytes]:
        for each in reversed([path, *path.parents]):
            if each not in self._folders:
                self._folders.add(each)
                entry = tarfile.TarInfo(str(each))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                entry.uid = entry.gid = UID
                entry.mtime = EARLIEST_S
                yield _header(entry)

    def _refuse_links(self, path: PurePosixPath) -> None:
        for each in (path, *path.parents):
            if each in self._links:
                raise FactoryError(f"a tar member goes through the link {str(each)!r}")


def _members(tar: Iterable[bytes]) -> Iterator[tuple[tarfile.TarInfo, Iterator[bytes]]]:
    stream = cast("IO[bytes]", ChunkReader(tar))
    with _whole(), tarfile.open(fileobj=stream, mode="r|") as source:
        while (member := source.next()) is not None:
            yield member, _content(source, member)
            source.members.clear()  # type: ignore[attr-defined] # undocumented; a hostile stream would fill memory


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
        raise FactoryError(f"not a whole tar stream: {error}") from error


def _padded(pieces: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    yield from (piece for piece in pieces if piece)
    if surplus := size_bytes % _BLOCK:
        yield bytes(_BLOCK - surplus)


def _header(entry: tarfile.TarInfo) -> bytes:
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path == _HERE or "\0" in name:
        raise FactoryError(f"{name!r} is no name of a file below the folder")
    return path


def _readable(path: PurePosixPath) -> PurePosixPath:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise FactoryError(f"{str(path)!r} is no UTF-8 name of a file") from error
    return path


def _below(root: str, name: str) -> str:
    path = PurePosixPath(name)
    return str(path.relative_to(root)) if path.is_relative_to(root) else name
