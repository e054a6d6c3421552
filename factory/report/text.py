"""The one way from text of wheels, packages and recipes to a person's terminal: it cannot steer it, nor forge lines."""

from rich.console import OverflowMethod
from rich.text import Text

from factory.pipeline.diagnose import clean


def plain(text: str) -> str:
    """Return what may be printed of a text, in one line; line breaks in a name become spaces."""
    printable = text.encode(errors="replace").decode()  # a file name that is no UTF-8 holds surrogates
    return " ".join(clean(printable).splitlines())


def line(text: str, style: str = "", *, overflow: OverflowMethod | None = None, no_wrap: bool | None = None) -> Text:
    """Make one line of a report or the board; no text gets there in another way."""
    return Text(plain(text), style=style, overflow=overflow, no_wrap=no_wrap)
