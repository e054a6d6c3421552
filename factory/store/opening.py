"""Opening a store: it is created where it is missing, refused where it is not this user's alone, and cleaned."""

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from factory.errors import StoreError
from factory.folders import Folder, Refusal
from factory.store.files import make_own, publish, write_temporary
from factory.store.locks import FileLock, acquired

OnWait = Callable[[str], None]

REFUSAL = Refusal(error=StoreError, elsewhere="set FACTORY_STORE to a folder of your own")

_FORMAT = "1"
_FOLDERS = ("blobs", "ledger", "locks", "temp")
_UNRELATED = frozenset({"lost+found"})
_LOCK_TIMEOUT_S = 5.0


def session_folder(session: FileLock) -> Path:
    """Return the folder of temporary files of a session, by its lock."""
    return session.path.with_suffix("")


def prepare(folder: Folder, on_wait: OnWait) -> None:
    """Make a new store, or check an old one. Two processes may do this at the same time."""
    root, path = folder.anchor, folder.path
    format_file = root / "format"
    if not format_file.exists():
        foreign = sorted(entry.name for entry in root.iterdir() if not _belongs(entry.name))
        if foreign and not format_file.exists():  # Another process may have made the store meanwhile.
            hint = "set FACTORY_STORE to a new or empty folder"
            raise StoreError(f"{path} is not a store: it holds {foreign[0]} but no file `format`", hint=hint)
        publish(write_temporary(root, [f"{_FORMAT}\n".encode()]), format_file)
    _require_ours(folder)
    version = format_file.read_text(encoding="utf-8", errors="replace").strip()
    if version != _FORMAT:
        hint = f"set FACTORY_STORE to another folder, or delete {path}: all of it can be made again"
        raise StoreError(f"the store {path} has format {version!r}; this factory reads format {_FORMAT!r}", hint=hint)
    for name in _FOLDERS:
        make_own(root / name)
    _ensure_owner(folder, on_wait)


def _require_ours(folder: Folder) -> None:
    """Refuse a store that somebody else may write to in part: their results would be trusted.

    Raises:
        StoreError: there is such a part, or a symbolic link in its place.
    """
    root = folder.anchor
    parts = [root / name for name in (*_FOLDERS, "format", "owner")]
    parts += [entry for name in ("blobs", "ledger") if (root / name).is_dir() for entry in (root / name).iterdir()]
    for part in parts:
        with suppress(FileNotFoundError):
            status = part.lstat()
            shown = folder.path / part.relative_to(root)
            if stat.S_ISLNK(status.st_mode):
                raise StoreError(f"{shown} is a symbolic link; the store never creates one", hint=REFUSAL.elsewhere)
            REFUSAL.require_ours(status, shown)


def _belongs(name: str) -> bool:
    return name in _UNRELATED or name.startswith("new-")


def held(folder: Folder, name: str, on_wait: OnWait) -> FileLock:
    """Take a lock that nobody should hold for long.

    Raises:
        StoreError: somebody does.
    """
    lock = FileLock(folder.anchor / name, shown=folder.path / name)
    text = f"waiting for {lock.shown}, which another run holds"
    return acquired(lock, timeout_s=_LOCK_TIMEOUT_S, on_wait=lambda: on_wait(text))


def _ensure_owner(folder: Folder, on_wait: OnWait) -> None:
    path = folder.anchor
    with held(folder, "locks/owner.lock", on_wait):
        if not (path / "owner").exists():
            publish(write_temporary(path, [f"{os.urandom(8).hex()}\n".encode()]), path / "owner")


def remove_leftovers(path: Path) -> None:
    """Remove the temporary folders whose session's lock nobody holds, and lock files without a holder."""
    for folder in sorted((path / "temp").iterdir()):
        if folder.suffix != ".lock":
            with FileLock(folder.with_suffix(".lock")) as lock:
                if lock.try_acquire():
                    shutil.rmtree(folder, ignore_errors=True)
    for left in sorted([*(path / "temp").glob("*.lock"), *(path / "locks").glob("*.lock")]):
        with FileLock(left) as lock:
            lock.try_acquire()  # The release at the block's end removes the file.
