"""The `[tool.cibuildwheel]` table of a tree as it applies to Linux, and its values in the forms cibuildwheel reads.

Read by its documentation ("Options") and by the schema in its wheel, version 4.3.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.init.commands import shell_words
from factory.project.files import Reading
from factory.tables import Table

_OTHER_SYSTEMS = ("macos", "windows", "pyodide", "android", "ios")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options in force for Linux, and where they are; tables for other systems are ignored."""

    place: str
    options: Mapping[str, object]
    overrides: tuple[Mapping[str, object], ...] = ()

    def words(self, option: str) -> tuple[str, ...]:
        """Return an option's words: a text is split at spaces, a list is taken as it is."""
        value = self.options.get(option)
        return tuple(value.split()) if isinstance(value, str) else _texts(value)

    def quoted(self, option: str) -> tuple[str, ...]:
        """Return an option's words where a text is split as a shell does: requirements contain spaces.

        Raises:
            ValueError: a quote is never closed.
        """
        value = self.options.get(option)
        return tuple(shell_words(value)) if isinstance(value, str) else _texts(value)

    def command(self, option: str) -> str:
        """Return a command: the lines of a list are joined by `&&`, as cibuildwheel does."""
        value = self.options.get(option)
        return value if isinstance(value, str) else " && ".join(_texts(value))

    def lines(self, option: str) -> tuple[str, ...]:
        """Return the commands of an option: the lines of a list, or one text."""
        value = self.options.get(option)
        return tuple(text for text in ((value,) if isinstance(value, str) else _texts(value)) if text.strip())

    def pairs(self, option: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield names and values: of a table, or of `NAME=VALUE` words.

        Raises:
            ValueError: a quote is never closed, or a word is not an assignment.
        """
        value = self.options.get(option)
        if isinstance(value, dict):
            yield from (
                (str(name), _texts(item) if isinstance(item, list) else (_text(item),)) for name, item in value.items()
            )
            return
        gathered: dict[str, tuple[str, ...]] = {}
        for word in shell_words(value) if isinstance(value, str) else ():
            name, equals, text = word.partition("=")
            if not equals:
                raise ValueError(f"{word!r} is not NAME=VALUE")
            gathered[name] = (*gathered.get(name, ()), text)
        yield from gathered.items()


def read_settings(files: Reading, folder: str) -> Settings | None:
    """Read the table of `cibuildwheel.toml`, else of pyproject.toml; None where neither has one.

    Raises:
        SourceError: the file is not valid TOML, or has no table there.
    """
    for name in ("cibuildwheel.toml", "pyproject.toml"):
        table = files.table(f"{folder}{name}")
        if table is not None and "cibuildwheel" in table.table("tool"):
            return _settings(table.table("tool", "cibuildwheel"))
    return None


def _settings(table: Table) -> Settings:
    """Lay the Linux table over the one for all systems, as cibuildwheel does."""
    options = {name: value for name, value in table.items() if name not in (*_OTHER_SYSTEMS, "linux", "overrides")}
    options |= dict(table.table("linux").items())
    return Settings(
        place=table.place,
        options=options,
        overrides=tuple(override.content for override in table.tables("overrides")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(item) for item in value) if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
