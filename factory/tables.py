"""TOML tables, read field by field; every error names the path of its field."""

from collections.abc import Callable, Iterator, Mapping
from typing import Self

from factory.errors import FactoryError, SourceError
from factory.untrusted import UntrustedTextError, parse_toml

_TYPES = {str: "a string", bool: "a boolean", int: "an integer", float: "a float", list: "an array", dict: "a table"}


class Table:
    """A TOML table that knows its own path, so that an error can name the field it is about."""

    def __init__(
        self, content: Mapping[str, object], place: str, error: Callable[[str], FactoryError] = SourceError
    ) -> None:
        """Wrap a table's content; `place` is what a message begins with, `error` makes the exception of it."""
        self.content = content
        self.place = place
        self._error = error

    @classmethod
    def parse(cls, text: str, place: str, error: Callable[[str], FactoryError]) -> Self:
        """Read a whole file of TOML; what is not valid TOML raises what `error` makes."""
        try:
            return cls(parse_toml(text), place, error)
        except UntrustedTextError as problem:
            raise error(f"{place} {problem}") from problem

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
                raise here.wrong(name, "a table")
            place = f"{here.place}: {name}" if here is self else f"{here.place}.{name}"
            here = Table(content, place, self._error)
        return here

    def required_table(self, name: str) -> "Table":
        """Go down to a table that must be there."""
        if name not in self:
            raise self.wrong(name, "a table")
        return self.table(name)

    def tables(self, name: str) -> tuple["Table", ...]:
        """Return an array of tables; an absent one is empty."""
        content = self.content.get(name, [])
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise self.wrong(name, "an array of tables")
        return tuple(Table(item, f"{self.place}: {name}", self._error) for item in content)

    def text(self, name: str) -> str | None:
        """Return a string, None where it is absent."""
        value = self.content.get(name)
        if value is not None and not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def required_text(self, name: str) -> str:
        """Return a string that must be there."""
        value = self.text(name)
        if value is None:
            raise self.wrong(name, "a string")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an array of strings; an absent one is empty."""
        value = self.content.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "an array of strings")
        return tuple(value)

    def required_texts(self, name: str) -> tuple[str, ...]:
        """Return an array of strings that must be there."""
        if name not in self:
            raise self.wrong(name, "an array of strings")
        return self.texts(name)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean."""
        value = self.content.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def items(self) -> Iterator[tuple[str, object]]:
        """Yield the table's keys and values, in order."""
        yield from self.content.items()

    def text_items(self) -> Iterator[tuple[str, str]]:
        """Yield the table's keys and values, in order; each value must be a string."""
        for name in self.content:
            yield name, self.required_text(name)

    def wrong(self, name: str, expected: str) -> FactoryError:
        """Return the error that a field is absent, or not what was expected."""
        if name not in self:
            return self._error(f"{self.place}: {name} is missing; it must be {expected}")
        kind = type(self.content[name])
        return self._error(f"{self.place}: {name} is {_TYPES.get(kind, kind.__name__)}; it must be {expected}")
