"""What one place of a source asks of the system."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from factory.diagnoses.missing import Kind, Missing

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,80}+"


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that a build asks for, and the file that asks."""

    missing: Missing
    where: str


def wishes_of(kind: Kind, names: Iterable[str], where: str) -> Iterator[Wish]:
    """Yield one for each name."""
    return (Wish(Missing(kind, name), where) for name in names)


def is_name(text: str) -> bool:
    """Whether a text may be the name of a library or package."""
    return re.fullmatch(NAME, text) is not None
