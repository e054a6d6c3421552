"""How large a stranger's text may be, counted before a parser sees it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

_SHOWN = 80
_MESSAGE = 300


class UntrustedTextError(ValueError):
    """A text that cannot be read. The message says what is wrong ("is not valid TOML: …"), and its reader names it.

    It is one line of at most 300 characters, whatever the text is.
    """

    def __init__(self, message: str) -> None:
        """Keep the message on one short line."""
        line = " ".join(message[: 4 * _MESSAGE].split())
        super().__init__(line if len(line) <= _MESSAGE else f"{line[: _MESSAGE - 1]}…")


def excerpt(text: str) -> str:
    """Quote the beginning of a text so that it fits into a message: ASCII alone, control characters escaped."""
    return ascii(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!a}…"


@contextmanager
def refusing(fault: str, *, in_detail: bool = True) -> Iterator[None]:
    """Turn what the parsers raise into the one exception. The list is complete: any other is a defect of ours.

    `ValueError` and `SyntaxError` are what they document (also for numbers with too many digits); `LookupError`,
    `TypeError`, `AttributeError` and `AssertionError` are what they raise where they lack a check.
    `RecursionError` and `MemoryError` are how CPython ends a text that is nested deeper than was counted before.
    """
    try:
        yield
    except UntrustedTextError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, SyntaxError) as error:
        # The first line says what is wrong; `packaging` then repeats the text, and points into it.
        reason = ascii(str(error)[: 4 * _MESSAGE].partition("\n")[0])[1:-1]
        raise UntrustedTextError(f"{fault}: {reason or type(error).__name__}" if in_detail else fault) from error
    except (RecursionError, MemoryError) as error:
        raise UntrustedTextError("is nested too deep") from error


def decoded(content: bytes, most_bytes: int) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        UntrustedTextError: it is larger than that, or not valid UTF-8.
    """
    if len(content) > most_bytes:
        raise UntrustedTextError(f"has {len(content)} bytes; at most {most_bytes} are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UntrustedTextError(f"is not valid UTF-8 at byte {error.start}") from error


def refuse_longer(text: str, most_characters: int) -> None:
    """Refuse a text of more characters.

    Raises:
        UntrustedTextError: it has more.
    """
    if len(text) > most_characters:
        raise UntrustedTextError(f"has {len(text)} characters; at most {most_characters} are read")


def refuse_more_lines(text: str, most_lines: int) -> None:
    """Refuse a text of more lines, whether a line feed or a carriage return ends them.

    Raises:
        UntrustedTextError: it has more.
    """
    lines = max(text.count("\n"), text.count("\r")) + 1
    if lines > most_lines:
        raise UntrustedTextError(f"has {lines} lines; at most {most_lines} are read")


def refuse_bulk(text: str, token: re.Pattern[str], *, most_elements: int, most_depth: int, most_dots: int = 0) -> None:
    """Walk a text's tokens, and refuse more of them, brackets nested deeper, or more dots in a row than allowed.

    `token` matches strings and comments whole, so that brackets in them do not count. Each of its
    matches is one element. `most_dots` bounds TOML's dotted keys, which its parser reads in quadratic time.

    Raises:
        UntrustedTextError: one of the limits is exceeded.
    """
    depth = dots = 0
    for elements, match in enumerate(token.finditer(text), start=1):
        first = text[match.start()]
        if first in "([{":
            depth += 1
        elif first in ")]}":
            depth = max(depth - 1, 0)
        dots = dots + 1 if first == "." else dots if first in "\"'" else 0
        if elements > most_elements:
            raise UntrustedTextError(f"has more than {most_elements} elements")
        if depth > most_depth:
            raise UntrustedTextError(f"is nested too deep: more than {most_depth} brackets are open at once")
        if most_dots and dots > most_dots:
            raise UntrustedTextError(f"has a key of more than {most_dots} parts")
