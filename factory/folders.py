"""Folders of this user's own, held open, so that no other user of the machine decides where something is written.

A folder is ours if it belongs to the effective user and nobody else may write to it. What is opened or created below
it is named relative to its descriptor, so that renaming it, or a folder above it, changes nothing.
"""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path, PurePath
from shlex import quote
from typing import BinaryIO, Self, cast

from factory.errors import FactoryError
from factory.system import lasting_path

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What is raised for a folder that is not ours: the error, and the hint that names another folder."""

    error: type[FactoryError]
    elsewhere: str

    def require_ours(self, status: os.stat_result, path: Path) -> None:
        """Refuse what belongs to somebody else, or what others may write to.

        Raises:
            FactoryError: it is not ours; an exception of the type `error`.
        """
        if status.st_uid != os.geteuid():
            whose = f"{path} belongs to the user with uid {status.st_uid}; this program runs with uid {os.geteuid()}"
            owned = f"sudo chown -hR {os.geteuid()} {quote(str(path))}"
            raise self.error(whose, hint=f"{self.elsewhere}, or type `{owned}` if you trust what it holds")
        if status.st_mode & _BY_OTHERS:
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            raise self.error(
                f"other users may write to {path}: its mode is {mode}",
                hint=f"{self.elsewhere}, or type `chmod -R go-w {quote(str(path))}` if you trust what it holds",
            )


def is_ours(status: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user, and nobody else may write to it."""
    return status.st_uid == os.geteuid() and not status.st_mode & _BY_OTHERS


class Folder:
    """An open folder that is ours. Its methods may be called from any thread, and fail once it is closed."""

    def __init__(self, path: Path, descriptor: int, refusal: Refusal) -> None:
        """Use `Folder.open`. `path` is what messages call the folder."""
        self.path = path
        self.descriptor = descriptor
        self._refusal = refusal

    @classmethod
    def open(cls, path: Path, refusal: Refusal) -> Self:
        """Open a folder of ours; missing parts of its path are created.

        Of an absolute path the last part must be ours, of a relative one every part: where others may write to the
        current folder, what they created there is not to be written to.

        Raises:
            FactoryError: it is not ours.
            OSError: it cannot be made or opened.
        """
        base = path.parent if path.is_absolute() else Path()
        with suppress(FileExistsError):  # if it is not a folder, the next line says so
            base.mkdir(parents=True)
        folder = cls(base, os.open(base, _FOLDER), refusal)
        for name in path.relative_to(base).parts or (".",):
            with folder:
                folder = folder.sub(name)
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it. Later uses fail with EBADF, where the old number might be another file's by then."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    @property
    def anchor(self) -> Path:
        """A path of the open folder for this process; on Linux it stays valid if the folder is renamed."""
        return lasting_path(self.descriptor, self.path)

    def is_at(self, path: Path) -> bool:
        """Whether a path still leads here."""
        return os.path.samestat(path.stat(), os.fstat(self.descriptor))

    def sub(self, name: str) -> Self:
        """Open a folder in this one; where it is missing it is created with mode 0700.

        Raises:
            FactoryError: it is not ours, or a symbolic link that somebody else made.
            OSError: it cannot be made or opened.
        """
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=self.descriptor)
        path = self.path / name
        return type(self)(path, self._opened(name, path), self._refusal)

    def create(self, name: str, mode: int = 0o600) -> BinaryIO:
        """Create a new file; an existing file or link of that name is an error.

        Raises:
            OSError: it cannot be made.
        """
        return cast("BinaryIO", os.fdopen(os.open(name, _NEW_FILE, mode, dir_fd=self.descriptor), "wb"))

    def create_text(self, name: str) -> TextIOWrapper:
        """Create a new text file, as `create` does."""
        return TextIOWrapper(self.create(name), encoding="utf-8")

    def write(self, path: PurePath, pieces: Iterable[bytes], mode: int = 0o600) -> None:
        """Write a file below this folder, as `replaced` makes it."""
        with self.replaced(path, mode) as stream:
            stream.writelines(pieces)

    def replaced(self, path: PurePath, mode: int = 0o600) -> BinaryIO:
        """Create a file below this folder, and the folders that lead to it; an existing file is replaced.

        Raises:
            ValueError: the path is absolute, or has a part `..`.
            FactoryError: a folder on its way is not ours.
            OSError: it cannot be made.
        """
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"{path} is not a path below a folder")
        folder = self._again()
        for name in path.parts[:-1]:
            with folder:
                folder = folder.sub(name)
        with folder:
            with suppress(FileNotFoundError):
                os.unlink(path.name, dir_fd=folder.descriptor)
            return folder.create(path.name, mode)

    def _again(self) -> Self:
        return type(self)(self.path, os.open(".", _FOLDER, dir_fd=self.descriptor), self._refusal)

    def _opened(self, name: str, path: Path) -> int:
        """Open what a name leads to. A link of this user's or root's is followed, but its target must be ours."""
        status = os.lstat(name, dir_fd=self.descriptor)
        if stat.S_ISLNK(status.st_mode):
            descriptor = os.open(self._target(name, status, path), _FOLDER, dir_fd=self.descriptor)
        elif stat.S_ISDIR(status.st_mode):
            self._refusal.require_ours(status, path)
            descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.descriptor)
        else:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        try:
            self._refusal.require_ours(os.fstat(descriptor), path)
        except FactoryError:
            os.close(descriptor)
            raise
        return descriptor

    def _target(self, name: str, status: os.stat_result, path: Path) -> str:
        """Read a link of this user's or root's, of this status."""
        if status.st_uid not in (0, os.geteuid()):
            self._refusal.require_ours(status, path)
        target = os.readlink(name, dir_fd=self.descriptor)
        now = os.lstat(name, dir_fd=self.descriptor)
        if (now.st_ino, now.st_ctime_ns) != (status.st_ino, status.st_ctime_ns):
            raise self._refusal.error(f"{path} was replaced while it was read", hint=self._refusal.elsewhere)
        return target
