"""A source tree as a value: names, modes, times and contents, without files of these names on this machine."""

import hashlib
import math
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """A source tree. Two trees with one digest are interchangeable.

    `epoch_s` is the SOURCE_DATE_EPOCH of whatever is built from it: the newest member's time, or the commit's.
    `left_out` names what an earlier build left where it was read, and it does not have.
    """

    epoch_s: int
    files: Mapping[str, TreeFile]
    left_out: tuple[str, ...] = ()
    _offsets: Mapping[str, int]
    _spool: Spool

    @classmethod
    def of(
        cls, spool: Spool, extents: Iterable[Extent], *, epoch_s: int | None = None, left_out: tuple[str, ...] = ()
    ) -> Self:
        """Make a tree of files whose contents lie in a spool; without an epoch, the newest file's time is taken."""
        ordered = sorted(extents, key=lambda extent: extent.file.path)
        newest = max((extent.file.mtime_s for extent in ordered), default=0)
        return cls(
            epoch_s=clamp(newest if epoch_s is None else epoch_s),
            left_out=left_out,
            files=MappingProxyType({extent.file.path: extent.file for extent in ordered}),
            _offsets=MappingProxyType({extent.file.path: extent.offset for extent in ordered}),
            _spool=spool,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def spool(self) -> Spool:
        """Where its contents are; a tree made from this one adds to it."""
        return self._spool

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Its files and where each lies in the spool."""
        return tuple(Extent(offset=self._offsets[path], file=file) for path, file in self.files.items())

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its files, in order."""
        return tuple(self.files)

    def time_s(self, file: TreeFile) -> int:
        """Return the time that builds see of a file: one for all, but for those made from others."""
        return clamp(self.epoch_s - _OLDER_S) if file.old else self.epoch_s

    def read(self, path: str) -> bytes | None:
        """Read one file; None where the tree has no such file."""
        file = self.files.get(path)
        return None if file is None else self._spool.read(self._offsets[path], file.size_bytes)

    def size(self, path: str) -> int | None:
        """Return how many bytes a file has; None where the tree has no such file."""
        file = self.files.get(path)
        return None if file is None else file.size_bytes

    def contents(self, below: str = "") -> Iterator[tuple[TreeFile, bytes]]:
        """Yield every file, or those below a folder, with its bytes, in order of path, one at a time."""
        prefix = f"{below}/" if below else ""
        for path, file in self.files.items():
            if path.startswith(prefix):
                yield file, self._spool.read(self._offsets[path], file.size_bytes)

    @cached_property
    def digest(self) -> Digest:
        """The digest of its epoch, and of each file's path, executable bit, content and age, but of no other time."""
        state = hashlib.sha256(f"tree 1 {self.epoch_s}\n".encode())
        for file, content in self.contents():
            marks = f"{'x' if file.executable else '-'}{'o' if file.old else ''}"
            line = f"{Digest.of(content).hex} {marks} {file.path}\n"
            state.update(line.encode())
        return Digest(state.hexdigest())


def clamp(time_s: float) -> int:
    """Move a time into the years that a wheel can record."""
    return _OLDEST_S if math.isnan(time_s) else int(min(max(time_s, _OLDEST_S), _NEWEST_S))
