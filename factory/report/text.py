"""The one way from text of wheels, packages and recipes to a person's terminal: it cannot steer it, nor forge lines."""

from collections.abc import Iterable, Sequence

from rich.console import OverflowMethod
from rich.text import Text

from factory.terminal import plain


def line(text: str, style: str = "", *, overflow: OverflowMethod | None = None, no_wrap: bool | None = None) -> Text:
    """Make one line of a report or the board; no text gets there in another way."""
    return Text(plain(text), style=style, overflow=overflow, no_wrap=no_wrap)


def styled(lines: Iterable[Sequence[tuple[str, str]]]) -> Text:
    """Join lines of spans, each a text that is plain already with its style."""
    return Text("\n").join(Text.assemble(*spans) for spans in lines)
