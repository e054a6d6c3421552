"""The part of a program's output that is searched, however much it printed."""

import re
from typing import Final, NewType

from factory.terminal import clean

Searchable = NewType("Searchable", str)
"""Text that `searchable` has cut and cleaned; functions that search take no other."""

_PART: Final = 64 << 10
_LINE: Final = 1000
_BLANKS = re.compile(r"\s++")


def searchable(output: str) -> Searchable:
    """Return the first and the last 64 KiB, free of escape sequences, of each line the first 1000 characters.

    The first error is near the beginning or near the end: between them are other files, or its consequences.
    Credentials must be removed before: a cut could leave half of one.
    """
    if len(output) > 2 * _PART:
        last = output[-_PART:]
        last = last.partition("\n")[2] or last  # its first line is half a line
        output = f"{output[:_PART]}\n{last}"
    lines = clean(output.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return Searchable("\n".join(line[:_LINE] for line in lines))


def one_line(text: Searchable) -> Searchable:
    """Join lines that a program has wrapped."""
    return Searchable(_BLANKS.sub(" ", text))
