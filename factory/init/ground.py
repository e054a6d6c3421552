"""What the readers of cibuildwheel's options are given, and what they yield."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from factory.init.cibuildwheel import Settings
from factory.init.model import Carried
from factory.init.requirements import Wanted
from factory.project.files import Files
from factory.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an option is read with: the options, the tree they are in, and the project's folder in it."""

    settings: Settings
    files: Files
    pyproject: Table
    wanted: Wanted
    folder: str = ""

    def at(self, option: str) -> str:
        """Return where an option is, as messages say it."""
        return f"{self.settings.place}.{option}"


Reader: TypeAlias = Callable[[Ground, str], Iterator[Carried]]
"""Reads an option by its name."""
