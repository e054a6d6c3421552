"""Locks that die with their process: flock on a file that exists while it is held."""

import errno
import fcntl
import os
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Self

from factory.errors import StoreError
from factory.store.files import explained

_POLL_S = 0.1
_NOT_HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES})


class FileLock:
    """An exclusive lock on a file name. The kernel frees it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Name the lock; nothing is taken yet."""
        self.path = path
        self._handle: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def try_acquire(self) -> bool:
        """Take the lock unless someone holds it, this process included."""
        with explained("lock", self.path):
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                taken = _flock(handle) and self._is_named(handle)
            except BaseException:
                os.close(handle)
                raise
            if not taken:
                os.close(handle)
                return False
        self._handle = handle
        return True

    def acquire(self, *, cancelled: Event | None = None, timeout_s: float | None = None) -> bool:
        """Wait for the lock; False when `cancelled` was set or `timeout_s` passed first."""
        waiting = cancelled or Event()
        started = monotonic()
        while not self.try_acquire():
            if waiting.wait(_POLL_S) or (timeout_s is not None and monotonic() - started > timeout_s):
                return False
        return True

    def release(self) -> None:
        """Remove the file and let go of it, in this order: a name without a holder would look like a dead one."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            with explained("unlock", self.path):
                self.path.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _is_named(self, handle: int) -> bool:
        """Whether the locked file still bears the name: its last holder may have removed it meanwhile."""
        try:
            named = self.path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(handle))


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock of this name."""
    with explained("read", path):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _flock(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)


def _flock(handle: int, mode: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NOT_HELD:
            return False
        raise
    return True


def acquired(path: Path, *, timeout_s: float) -> FileLock:
    """Take a lock that nobody should hold for long.

    Raises:
        StoreError: someone held it for `timeout_s`.
    """
    lock = FileLock(path)
    if not lock.acquire(timeout_s=timeout_s):
        raise StoreError(f"{path} is held by another process", hint="wait for that run to end")
    return lock
