"""Files that appear whole or not at all."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from factory.digest import Digest
from factory.errors import StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_ELSEWHERE = "set FACTORY_STORE to a folder of yours on a local disk"
_HINTS = {
    errno.ENOSPC: "free space on that disk, or set FACTORY_STORE to a folder on a larger one",
    errno.EDQUOT: "free space within your quota, or set FACTORY_STORE to a folder on another disk",
    errno.EROFS: "the disk is mounted read-only; set FACTORY_STORE to a folder that can be written",
    errno.ENOTDIR: "a part of the path is a file; set FACTORY_STORE to a folder",
    errno.EEXIST: "there is a file in place of a folder; set FACTORY_STORE to a folder",
    errno.EIO: "the disk is failing; set FACTORY_STORE to a folder on another one",
}


@contextmanager
def explained(what: str, path: Path, *, shown: Callable[[Path], Path] = lambda path: path) -> Iterator[None]:
    """Turn an error of the operating system into a StoreError with the path, as `shown` returns it, and a remedy."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = _HINTS.get(error.errno or 0, _ELSEWHERE)
        raise StoreError(f"cannot {what} {shown(path)}: {reason.lower()}", hint=hint) from error


@contextmanager
def roomy(path: Path) -> Iterator[None]:
    """Turn only the error of a full disk into a StoreError; other errors of the block are not the store's."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        with explained("write below", path):
            raise


class Intake:
    """Chunks on their way into a file: their digest, their size, and whether an error came from reading them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._state = hashlib.sha256()
        self.size_bytes = 0
        self.is_reading = False

    def __iter__(self) -> Iterator[bytes]:
        self.is_reading = True
        for piece in self._pieces:
            self._state.update(piece)
            self.size_bytes += len(piece)
            self.is_reading = False
            yield piece
            self.is_reading = True
        self.is_reading = False

    @property
    def digest(self) -> Digest:
        """The digest of what was read so far."""
        return Digest(self._state.hexdigest())


def write_temporary(folder: Path, chunks: Iterable[bytes]) -> Path:
    """Write a new file in a folder and sync it to the disk; nothing is left behind when that fails."""
    path = folder / f"new-{os.urandom(8).hex()}"
    try:
        with open(path, "xb", opener=_private) as stream:
            stream.writelines(chunks)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def publish(temporary: Path, path: Path) -> None:
    """Give a finished temporary file its name: whoever opens that name reads the old bytes or all of the new ones."""
    make_own(path.parent)
    temporary.replace(path)
    sync_folder(path.parent)


def make_own(folder: Path) -> None:
    """Make a missing folder, and those above it, for this user alone, whatever the umask is."""
    if not folder.is_dir():
        make_own(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else may write, whatever the umask is: files that others may write are not trusted."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def sync_folder(folder: Path) -> None:
    """Sync a folder's names to the disk; a file's own fsync does not (fsync(2))."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
