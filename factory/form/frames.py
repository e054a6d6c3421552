"""Problems as text for people: the place, the line with a caret under it, and a hint."""

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
    hint = [f"  hint: {problem.hint}"] if problem.hint else []
    place = f"{problem.span.file}:{problem.span.line}:{problem.span.column}: " if problem.span else ""
    frame = _frame(problem.span) if problem.span else []
    return "".join(f"{_visible(line)}\n" for line in (place + message, *frame, *hint))


def _frame(span: Span) -> list[str]:
    """Show the line with a caret under the place; of a long line, the part around it."""
    if not span.text.strip():
        return []
    start = max(0, span.column - 1 - _BEFORE) if len(span.text) > _WIDTH else 0
    line = _visible(_cut(span.text, start))
    left = line[: span.column - 1 - start]
    marked = line[len(left) : len(left) + span.length]
    gutter = " " * len(str(span.line))
    caret = " " * _columns(left) + "^" * max(1, _columns(marked))
    return [f"{gutter} |", f"{span.line} | {line}".rstrip(), f"{gutter} | {caret}"]


def _cut(text: str, start: int) -> str:
    """Take the part that is shown, with an ellipsis where something is missing."""
    shown = text[start : start + _WIDTH]
    if start:
        shown = "…" + shown[1:]
    return shown[:-1] + "…" if start + _WIDTH < len(text) else shown


def _visible(text: str) -> str:
    """Replace each character that a terminal would act on by one that it shows."""
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
