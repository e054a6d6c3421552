"""File locks that end with their process: flock on a file that exists while the lock is held."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Self

from factory.errors import StoreError
from factory.folders import Folder, Refusal
from factory.store.files import explained

TELL_AFTER_S = 2.0
_POLL_S = 0.1
_SHARED = Refusal(error=StoreError, elsewhere="set XDG_CACHE_HOME to a folder of your own")
_NOT_HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES})


OnWait = Callable[[], None]


def waited_for(
    try_acquire: Callable[[], bool], *, cancelled: Event, timeout_s: float | None = None, on_wait: OnWait
) -> bool:
    """Try to take a lock until that succeeds; False when `cancelled` was set or `timeout_s` passed first.

    `on_wait` is called once, after `TELL_AFTER_S`.
    """
    started, tell_after_s = monotonic(), TELL_AFTER_S
    while not try_acquire():
        waited_s = monotonic() - started
        if cancelled.wait(_POLL_S) or (timeout_s is not None and waited_s > timeout_s):
            return False
        if waited_s > tell_after_s:
            tell_after_s = inf
            on_wait()
    return True


def _in_silence() -> None:
    return


class FileLock:
    """An exclusive lock on a file name. The kernel frees it when the process ends, however it ends.

    `shown` is its path in messages, where `path` leads through an open folder.
    """

    def __init__(self, path: Path, *, shown: Path | None = None) -> None:
        """Name the lock; nothing is taken yet."""
        self.path = path
        self.shown = shown or path
        self._handle: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def try_acquire(self) -> bool:
        """Take the lock unless someone holds it, this process included."""
        with explained("lock", self.shown):
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                taken = flocked(handle) and self._is_named(handle)
            except BaseException:
                os.close(handle)
                raise
            if not taken:
                os.close(handle)
                return False
        self._handle = handle
        return True

    def acquire(
        self, *, cancelled: Event | None = None, timeout_s: float | None = None, on_wait: OnWait = _in_silence
    ) -> bool:
        """Wait for the lock; False when `cancelled` was set or `timeout_s` passed first.

        `on_wait` is called once, after `TELL_AFTER_S`.
        """
        return waited_for(self.try_acquire, cancelled=cancelled or Event(), timeout_s=timeout_s, on_wait=on_wait)

    def release(self) -> None:
        """Remove the file, then release the lock; in the other order it would look like a dead process's lock."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            with explained("unlock", self.shown):
                self.path.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _is_named(self, handle: int) -> bool:
        """Whether the locked file still has the name: its last holder may have removed it meanwhile."""
        try:
            named = self.path.lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(handle))


@contextmanager
def shared_lock(folder: Path, name: str) -> Iterator[FileLock]:
    """Lend a lock that all stores of this user share, in a folder that nobody else can write to.

    Raises:
        StoreError: the folder is not this user's alone, or cannot be made.
    """
    with explained("use the folder of locks", folder):
        opened = Folder.open(folder.absolute(), _SHARED)
    with opened, FileLock(opened.anchor / name, shown=folder / name) as lock:
        yield lock


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock of this name."""
    with explained("read", path):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            return not flocked(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)


def flocked(handle: int, mode: int = fcntl.LOCK_EX) -> bool:
    """Take the lock of an open file or folder (flock(2)) unless somebody holds it; return whether it was taken."""
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NOT_HELD:
            return False
        raise
    return True


@contextmanager
def standing_lock(path: Path, mode: int) -> Iterator[None]:
    """Hold the lock (flock(2)) of a file that stays, `LOCK_SH` or `LOCK_EX`; wait for it as long as it takes.

    Each call opens the file anew, because the threads of a process would share the lock of one descriptor.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, mode)
        yield
    finally:
        os.close(handle)


def acquired(lock: FileLock, *, timeout_s: float, on_wait: OnWait = _in_silence) -> FileLock:
    """Take a lock that nobody should hold for long.

    Raises:
        StoreError: someone held it for `timeout_s`.
    """
    if not lock.acquire(timeout_s=timeout_s, on_wait=on_wait):
        raise StoreError(f"{lock.shown} is held by another process", hint="wait for that run to end")
    return lock
