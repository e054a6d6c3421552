"""What lies in a store: its results and its blobs, and when each was last used."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from factory.digest import Digest
from factory.folders import is_ours
from factory.store.entry import LedgerEntry, parse_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A file of the ledger: its stage, its key, its size, and when it was last used, in ns since 1970.

    `entry` is None where the file is damaged or not this user's alone.
    """

    stage: str
    key: str
    size_bytes: int
    used_ns: int
    entry: LedgerEntry | None

    @property
    def blobs(self) -> tuple[Digest, ...]:
        """What the result needs; nothing where it cannot be read."""
        return () if self.entry is None else self.entry.blobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A blob: its size, and when it was put or last asked for by its digest, in ns since 1970."""

    digest: Digest
    size_bytes: int
    used_ns: int


def results(root: Path, stage: str = "*") -> Iterator[Result]:
    """Yield every file of the ledger, by stage and key; one that another process removes meanwhile is left out."""
    for path in sorted(root.glob(f"ledger/{stage}/*.json")):
        try:
            status = path.lstat()
            content = read_ours(path)
        except FileNotFoundError:
            continue
        yield Result(
            stage=path.parent.name,
            key=path.stem,
            size_bytes=status.st_size,
            used_ns=status.st_mtime_ns,
            entry=None if content is None else parse_entry(content),
        )


def blobs(root: Path) -> Iterator[Blob]:
    """Yield every blob by its digest; one that another process removes meanwhile is left out."""
    for path in sorted(root.glob("blobs/[0-9a-f][0-9a-f]/*")):
        try:
            status, digest = path.lstat(), Digest(path.name)
        except (FileNotFoundError, ValueError):  # What has no digest for a name is not the store's.
            continue
        yield Blob(digest=digest, size_bytes=status.st_size, used_ns=status.st_mtime_ns)


def read_ours(path: Path, *, touch: bool = False) -> bytes | None:
    """Read a file; None where it is a link, belongs to somebody else, or others may write to it.

    With `touch` the file system notes that it is used now.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link
            return None
        raise
    try:
        status = os.fstat(handle)
        if not (stat.S_ISREG(status.st_mode) and is_ours(status)):
            return None
        if touch:
            os.utime(handle)
        return b"".join(iter(partial(os.read, handle, max(status.st_size, 1)), b""))
    finally:
        os.close(handle)
