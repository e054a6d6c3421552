"""The list that problems are gathered in while a recipe is read."""

import difflib
from collections.abc import Iterable

from factory.errors import Problem, Span

_MOST = 50
_QUOTED_CHARACTERS = 60
_WORD_CHARACTERS = 64


class StopReading(Exception):  # noqa: N818 -- ends the reading; it is not an error
    """There is no point in reading on; the last problem is in the list."""


class Problems:
    """Problems in the order in which they are found, at most fifty."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, message: str, span: Span, *, field: str = "", hint: str = "") -> None:
        """Add a problem.

        Raises:
            StopReading: the list is full.
        """
        self._found.append(Problem(field=field, message=message, span=span, hint=hint))
        if self.full:
            raise StopReading

    @property
    def full(self) -> bool:
        """Whether reading stopped because there were enough."""
        return len(self._found) >= _MOST

    def in_order(self) -> tuple[Problem, ...]:
        """Return all of them, from the top of each text to its bottom."""
        return tuple(sorted(self._found, key=lambda problem: (problem.span is None, problem.span or _NOWHERE)))


_NOWHERE = Span(file="", line=0, column=0)


def quote(text: str) -> str:
    """Show a text in a message: quoted, escaped, and shortened where it is long."""
    return repr(text if len(text) <= _QUOTED_CHARACTERS else text[: _QUOTED_CHARACTERS - 1] + "…")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is closest; empty when none is close."""
    if len(word) > _WORD_CHARACTERS:
        return ""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the known word that is closest, as a hint; empty when none is close."""
    near = nearest(word, known)
    return f"did you mean {near}?" if near else ""
