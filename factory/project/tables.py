"""TOML of strangers: bounded, and read field by field with the path to each in every complaint."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Protocol, Self

from factory.errors import SourceError

_MAX_BYTES = 16 << 20


class Files(Protocol):
    """A source tree, as far as its own words about itself are concerned."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its files, relative to its root, with `/`."""
        ...

    def read(self, path: str) -> bytes | None:
        """Read one file; None where there is no such file."""
        ...


def read_text(files: Files, path: str) -> str | None:
    """Read a text file; None where there is none.

    Raises:
        SourceError: it is larger than 16 MiB, or no UTF-8.
    """
    content = files.read(path)
    if content is None:
        return None
    if len(content) > _MAX_BYTES:
        raise SourceError(f"{path} has {len(content)} bytes; at most {_MAX_BYTES} are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is no UTF-8 at byte {error.start}") from error


class Table:
    """A TOML table that remembers where it stands, so that a wrong type is named with its path."""

    def __init__(self, content: Mapping[str, object], place: str) -> None:
        """Wrap a table's content; `place` is what a complaint begins with."""
        self.content = content
        self.place = place

    @classmethod
    def read(cls, files: Files, path: str) -> Self | None:
        """Read a TOML file; None where there is none.

        Raises:
            SourceError: the file is too large, or no TOML.
        """
        text = read_text(files, path)
        if text is None:
            return None
        try:
            return cls(tomllib.loads(text), path)
        except ValueError as error:
            raise SourceError(f"{path} is no TOML: {error}") from error
        except RecursionError as error:
            raise SourceError(f"{path} is nested too deep to be read") from error

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
