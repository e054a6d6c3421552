"""The files of a source tree that describe its project: bounded, and each TOML file parsed once."""

from typing import Protocol

from factory.errors import SourceError
from factory.tables import Table
from factory.untrusted import UntrustedTextError, decoded, excerpt

_MOST_BYTES = 4 << 20


class Files(Protocol):
    """A source tree, as far as is needed to read what it says of itself."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its files, relative to its root, with `/`."""
        ...

    def read(self, path: str) -> bytes | None:
        """Read one file; None where there is no such file."""
        ...

    def size(self, path: str) -> int | None:
        """Return how many bytes a file has, without reading it; None where there is no such file."""
        ...


def read_bytes(files: Files, path: str) -> bytes | None:
    """Read a small file; None where there is none.

    Raises:
        SourceError: it is larger than 4 MiB.
    """
    size_bytes = files.size(path)
    if size_bytes is not None and size_bytes > _MOST_BYTES:
        raise SourceError(f"{path} has {size_bytes} bytes; at most {_MOST_BYTES} are read")
    return files.read(path)


def read_text(files: Files, path: str) -> str | None:
    """Read a text file; None where there is none.

    Raises:
        SourceError: it is larger than 4 MiB, or not valid UTF-8.
    """
    content = read_bytes(files, path)
    try:
        return None if content is None else decoded(content, _MOST_BYTES)
    except UntrustedTextError as error:
        raise SourceError(f"{path} {error}") from error


def text_of(files: Files, path: str) -> str:
    """Return a file's text, "" where it cannot be read: its own reader says so."""
    try:
        return read_text(files, path) or ""
    except SourceError:
        return ""


class Reading:
    """A tree while one project of it is read: every TOML file is parsed once, and all texts together are bounded."""

    def __init__(self, files: Files) -> None:
        """Read nothing yet."""
        self._files = files
        self._seen: set[str] = set()
        self._bytes = 0
        self._tables: dict[str, Table] = {}

    @classmethod
    def of(cls, files: "Files | Reading") -> "Reading":
        """Return a tree that is being read already as it is, and begin to read any other."""
        return files if isinstance(files, Reading) else cls(files)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the tree's files."""
        return self._files.paths

    def size(self, path: str) -> int | None:
        """Return how many bytes a file has; None where there is no such file."""
        return self._files.size(path)

    def read(self, path: str) -> bytes | None:
        """Read one file; None where there is no such file.

        Raises:
            SourceError: it and the files read before have more than 4 MiB together.
        """
        if path not in self._seen:
            self._seen.add(path)
            self._bytes += self.size(path) or 0
        if self._bytes > _MOST_BYTES:
            raise SourceError(
                f"{len(self._seen)} files that describe the project have more than {_MOST_BYTES} bytes together",
                hint=f"the last of them is {excerpt(path)}",
            )
        return self._files.read(path)

    def table(self, path: str) -> Table | None:
        """Parse a TOML file; None where there is none.

        Raises:
            SourceError: it is too large, or not valid TOML.
        """
        if path not in self._tables:
            text = read_text(self, path)
            if text is None:
                return None
            self._tables[path] = Table.parse(text, path, SourceError)
        return self._tables[path]
