"""TOML of strangers: bounded, and read field by field with the path to each in every complaint."""

from collections.abc import Iterator, Mapping
from typing import Protocol, Self

from factory.errors import SourceError
from factory.untrusted import UntrustedTextError, decoded, excerpt, parse_toml

_MOST_BYTES = 4 << 20


class Files(Protocol):
    """A source tree, as far as its own words about itself are concerned."""

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


class Reading:
    """A tree while one project of it is read: every TOML file is parsed once, and all texts together are bounded."""

    def __init__(self, files: Files) -> None:
        """Read nothing yet."""
        self._files = files
        self._seen: set[str] = set()
        self._bytes = 0
        self._tables: dict[str, Mapping[str, object]] = {}

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

    def toml(self, path: str) -> Mapping[str, object] | None:
        """Parse a TOML file; None where there is none.

        Raises:
            SourceError: it is too large, or no TOML.
        """
        if path not in self._tables:
            text = read_text(self, path)
            if text is None:
                return None
            try:
                self._tables[path] = parse_toml(text)
            except UntrustedTextError as error:
                raise SourceError(f"{path} {error}") from error
        return self._tables[path]


class Table:
    """A TOML table that remembers where it stands, so that a wrong type is named with its path."""

    def __init__(self, content: Mapping[str, object], place: str) -> None:
        """Wrap a table's content; `place` is what a complaint begins with."""
        self.content = content
        self.place = place

    @classmethod
    def read(cls, files: Reading, path: str) -> Self | None:
        """Read a TOML file; None where there is none.

        Raises:
            SourceError: the file is too large, or no TOML.
        """
        content = files.toml(path)
        return None if content is None else cls(content, path)

    def __contains__(self, name: str) -> bool:
        return name in self.content

    def get(self, name: str) -> object:
        """Return a value as TOML gives it, None where it is absent."""
        return self.content.get(name)

    def table(self, *names: str) -> "Table":
        """Go down to a table; an absent one is empty."""
        here = self
        for name in names:
            content = here.content.get(name, {})
            if not isinstance(content, dict):
                raise here._wrong(name, "a table")
            here = Table(content, f"{here.place}: {name}" if here is self else f"{here.place}.{name}")
        return here

    def tables(self, name: str) -> tuple["Table", ...]:
        """Return an array of tables; an absent one is empty."""
        content = self.content.get(name, [])
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise self._wrong(name, "an array of tables")
        return tuple(Table(item, f"{self.place}: {name}") for item in content)

    def text(self, name: str) -> str | None:
        """Return a string, None where it is absent."""
        value = self.content.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an array of strings; an absent one is empty."""
        value = self.content.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "an array of strings")
        return tuple(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean."""
        value = self.content.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def items(self) -> Iterator[tuple[str, object]]:
        """Yield the table's keys and values, in order."""
        yield from self.content.items()

    def _wrong(self, name: str, expected: str) -> SourceError:
        found = type(self.content[name]).__name__
        return SourceError(f"{self.place}: {name} is {found}; it must be {expected}")
