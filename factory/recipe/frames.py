"""Problems as text for people: the place, the line with a caret under it, and the way out."""

import unicodedata
from collections.abc import Iterable

from factory.errors import Problem, Span

_WIDTH = 100
_BEFORE = 60


def render_problems(problems: Iterable[Problem]) -> str:
    """Render problems one below the other, without colour, ending in a newline."""
    return "\n".join(render_problem(problem) for problem in problems)


def render_problem(problem: Problem) -> str:
    """Render one problem: `file:line:column: field: message`, the frame, the hint."""
    message = f"{problem.field}: {problem.message}" if problem.field else problem.message
    hint = [f"  hint: {line}" for line in problem.hint.splitlines()]
    if problem.span is None:
        return "\n".join([message, *hint]) + "\n"
    place = f"{problem.span.file}:{problem.span.line}:{problem.span.column}"
    return "\n".join([f"{place}: {message}", *_frame(problem.span), *hint]) + "\n"


def _frame(span: Span) -> list[str]:
    """Show the line with a caret under the place; of a long line, the part around it."""
    if not span.text.strip():
        return []
    start = max(0, span.column - 1 - _BEFORE) if len(span.text) > _WIDTH else 0
    line = _visible(span.text[start : start + _WIDTH])
    left = line[: span.column - 1 - start]
    marked = line[len(left) : len(left) + span.length]
    gutter = " " * len(str(span.line))
    caret = " " * _columns(left) + "^" * max(1, _columns(marked))
    return [f"{gutter} |", f"{span.line} | {line}".rstrip(), f"{gutter} | {caret}"]


def _visible(text: str) -> str:
    """Replace what a terminal would obey or move by, one character for one."""
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character == "\t" else "\N{REPLACEMENT CHARACTER}"


def _columns(text: str) -> int:
    """Count the columns that a text takes in a terminal (Unicode Standard Annex 11)."""
    return sum(_column_width(character) for character in text)


def _column_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
