"""A source tree as a value: names, modes, times and contents, without files of these names on this machine."""

import hashlib
import math
import os
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from types import MappingProxyType
from typing import BinaryIO, Self

from factory.digest import Digest
from factory.errors import SourceError

# A wheel is a zip, and a zip knows no time before 1980 or after 2107 (APPNOTE 4.4.6).
_OLDEST_S = 315_532_800
_NEWEST_S = 4_354_819_198
_OLDER_S = 2  # as precise as a zip is


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """How large a source may be before it is refused as a bomb.

    A name may have `name_bytes` and be `folders` deep; all names and links together may have `names_bytes`, and
    `components` between their slashes. An archive of more than `ratio_bytes` may unpack to `ratio` times its size.
    """

    total_bytes: int = 2 << 30
    files: int = 200_000
    name_bytes: int = 1024
    names_bytes: int = 32 << 20
    folders: int = 100
    components: int = 2_000_000
    ratio: int = 200
    ratio_bytes: int = 256 << 20

    def for_archive(self, size_bytes: int) -> Self:
        """Return the limits of an archive of this size."""
        return replace(self, total_bytes=min(self.total_bytes, max(self.ratio_bytes, self.ratio * size_bytes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFile:
    """One regular file of a tree: `path` is relative, with `/`; only the executable bit of its mode is kept.

    A file that is `old` was made from others of the tree: builds see it older than them, and make it again.
    """

    path: str
    executable: bool
    mtime_s: int
    size_bytes: int
    old: bool = False

    @property
    def mode(self) -> int:
        """The permission bits it is written with."""
        return 0o755 if self.executable else 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where a file's bytes lie in the spool."""

    offset: int
    file: TreeFile


class Spool:
    """An unnamed temporary file with contents, removed from the disk with the last reference to it."""

    def __init__(self, limits: SourceLimits, file: BinaryIO | None = None) -> None:
        """Open a spool that refuses to grow beyond `limits.total_bytes`: an empty one, or what a file holds."""
        self.limits = limits
        self._file: BinaryIO = file or tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the spool
        weakref.finalize(self, self._file.close)  # before a file is collected that a circle of references holds
        self.size_bytes = self._file.seek(0, os.SEEK_END)

    def add(self, chunks: Iterable[bytes], subject: str) -> tuple[int, int]:
        """Append chunks; return their offset and their size.

        Raises:
            SourceError: the spool would outgrow its limit; `subject` is named.
        """
        offset = self.size_bytes
        for chunk in chunks:
            self.size_bytes += len(chunk)
            if self.size_bytes > self.limits.total_bytes:
                raise SourceError(
                    f"{subject} unpacks to more than {self.limits.total_bytes} bytes", hint="is this the right file?"
                )
            self._file.write(chunk)
        self._file.flush()
        return offset, self.size_bytes - offset

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Read a stretch of what was added."""
        pieces = []
        while size_bytes and (piece := os.pread(self._file.fileno(), size_bytes, offset)):
            pieces.append(piece)
            offset, size_bytes = offset + len(piece), size_bytes - len(piece)
        return b"".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The files of a tree, and where each lies in a spool."""

    files: Mapping[str, TreeFile]
    offsets: Mapping[str, int]
    spool: Spool


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """A source tree. Two trees with one digest are interchangeable.

    `epoch_s` is the SOURCE_DATE_EPOCH of whatever is built from it: the newest member's time, or the commit's.
    `left_out` names what an earlier build left where it was read, and it does not have. A tree that is `known` reads
    its files when it is first asked for one.
    """

    epoch_s: int
    left_out: tuple[str, ...] = ()
    _read: Callable[[], _Content]
    _known: Digest | None = None

    @classmethod
    def of(
        cls, spool: Spool, extents: Iterable[Extent], *, epoch_s: int | None = None, left_out: tuple[str, ...] = ()
    ) -> Self:
        """Make a tree of files whose contents lie in a spool; without an epoch, the newest file's time is taken."""
        ordered = sorted(extents, key=lambda extent: extent.file.path)
        newest = max((extent.file.mtime_s for extent in ordered), default=0)
        content = _Content(
            files=MappingProxyType({extent.file.path: extent.file for extent in ordered}),
            offsets=MappingProxyType({extent.file.path: extent.offset for extent in ordered}),
            spool=spool,
        )
        epoch_s = clamp(newest if epoch_s is None else epoch_s)
        return cls(epoch_s=epoch_s, left_out=left_out, _read=lambda: content)

    @classmethod
    def known(cls, digest: Digest, *, epoch_s: int, left_out: tuple[str, ...], read: Callable[[], Self]) -> Self:
        """Make a tree whose digest is known; `read` returns that very tree with its files, and may raise."""
        return cls(epoch_s=epoch_s, left_out=left_out, _read=_Later(digest, read), _known=digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def files(self) -> Mapping[str, TreeFile]:
        """Its files by their paths, in order."""
        return self._read().files

    @property
    def spool(self) -> Spool:
        """Where its contents are; a tree made from this one adds to it."""
        return self._read().spool

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Its files and where each lies in the spool."""
        content = self._read()
        return tuple(Extent(offset=content.offsets[path], file=file) for path, file in content.files.items())

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its files, in order."""
        return tuple(self.files)

    def time_s(self, file: TreeFile) -> int:
        """Return the time that builds see of a file: one for all, but for those made from others."""
        return clamp(self.epoch_s - _OLDER_S) if file.old else self.epoch_s

    def read(self, path: str) -> bytes | None:
        """Read one file; None where the tree has no such file."""
        content = self._read()
        file = content.files.get(path)
        return None if file is None else content.spool.read(content.offsets[path], file.size_bytes)

    def size(self, path: str) -> int | None:
        """Return how many bytes a file has; None where the tree has no such file."""
        file = self.files.get(path)
        return None if file is None else file.size_bytes

    def contents(self, below: str = "") -> Iterator[tuple[TreeFile, bytes]]:
        """Yield every file, or those below a folder, with its bytes, in order of path, one at a time."""
        prefix, content = f"{below}/" if below else "", self._read()
        for path, file in content.files.items():
            if path.startswith(prefix):
                yield file, content.spool.read(content.offsets[path], file.size_bytes)

    @cached_property
    def digest(self) -> Digest:
        """The digest of its epoch, and of each file's path, executable bit, content and age, but of no other time."""
        if self._known is not None:
            return self._known
        state = hashlib.sha256(f"tree 1 {self.epoch_s}\n".encode())
        for file, content in self.contents():
            marks = f"{'x' if file.executable else '-'}{'o' if file.old else ''}"
            line = f"{Digest.of(content).hex} {marks} {file.path}\n"
            state.update(line.encode())
        return Digest(state.hexdigest())


class _Later:
    """Reads a tree once, when it is first needed; any thread may call it."""

    def __init__(self, digest: Digest, read: Callable[[], Tree]) -> None:
        self._digest = digest
        self._lock = Lock()
        self._tree = read
        self._content: _Content | None = None

    def __call__(self) -> _Content:
        with self._lock:
            if self._content is None:
                tree = self._tree()
                if tree.digest != self._digest:
                    raise SourceError(
                        f"the source is {tree.digest.short}, and was {self._digest.short} when it was first read",
                        hint="read it again: factory build --no-cache",
                    )
                self._content = tree._read()  # noqa: SLF001 -- a tree's own helper
            return self._content


def clamp(time_s: float) -> int:
    """Move a time into the years that a wheel can record."""
    return _OLDEST_S if math.isnan(time_s) else int(min(max(time_s, _OLDEST_S), _NEWEST_S))
