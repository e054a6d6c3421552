"""Text of wheels, packages and recipes as lines on a terminal, which it can neither control nor forge."""

from collections.abc import Iterable, Sequence

from rich.console import OverflowMethod
from rich.text import Text

from factory.terminal import plain


def line(text: str, style: str = "", *, overflow: OverflowMethod | None = None, no_wrap: bool | None = None) -> Text:
    """Make one line of a report or the board; all text on them is made by this."""
    return Text(plain(text), style=style, overflow=overflow, no_wrap=no_wrap)


def styled(lines: Iterable[Sequence[tuple[str, str]]]) -> Text:
    """Join lines of spans, each a text that is plain already with its style."""
    return Text("\n").join(Text.assemble(*spans) for spans in lines)
