"""Strangers' files of sections and options (setup.cfg, entry_points.txt), read line by line.

`configparser` reads a line in quadratic time: 16 000 blanks between two words take it seconds.
"""

import io
import re
from collections.abc import Mapping

from factory.untrusted.limits import UntrustedTextError, excerpt, refuse_longer, refuse_more_lines, refusing

_CHARACTERS = 1 << 20
_LINES = 20_000

Sections = Mapping[str, Mapping[str, str]]


def parse_configuration(text: str) -> Sections:
    """Read a configuration file such as setup.cfg: sections and their options, the latter in lower case.

    It is read as `configparser` does, except that no section holds the defaults of others.

    Raises:
        UntrustedTextError: a line is neither a section nor an option, one occurs twice, or the file is too large.
    """
    return _read(text, _Reader(re.compile("[=:]"), are_unique=True))


def parse_entry_points(content: bytes) -> Sections:
    """Read groups of entry points: names, which keep their case, and values. Of two with one name the last counts.

    Raises:
        UntrustedTextError: a line is neither a group nor an entry point, or the file is too large.
    """
    with refusing("is not valid UTF-8"):
        text = content.decode("utf-8")
    return _read(text, _Reader(re.compile("="), are_unique=False))


def _read(text: str, reader: "_Reader") -> Sections:
    refuse_longer(text, _CHARACTERS)
    refuse_more_lines(text, _LINES)
    for number, line in enumerate(io.StringIO(text), start=1):
        reader.take(line, number)
    return {
        section: {option: "\n".join(lines).rstrip() for option, lines in options.items()}
        for section, options in reader.sections.items()
    }


class _Reader:
    """The lines read so far. Where sections and options `are_unique`, options are also told apart without case."""

    def __init__(self, delimiter: re.Pattern[str], *, are_unique: bool) -> None:
        self.sections: dict[str, dict[str, list[str]]] = {}
        self._delimiter = delimiter
        self._are_unique = are_unique
        self._options: dict[str, list[str]] | None = None
        self._value: list[str] | None = None
        self._indent = 0

    def take(self, line: str, number: int) -> None:
        """Take a line. A value continues while lines are empty or indented deeper than its option."""
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text.startswith(("#", ";")):
            return
        if self._value is not None and (not text or indent > self._indent):
            self._value.append(text)
        elif text:
            self._indent = indent
            self._begin(text, number)

    def _begin(self, text: str, number: int) -> None:
        if text.startswith("[") and "]" in text[2:]:
            self._begin_section(text[1 : text.rindex("]")], number)
        elif self._options is None:
            raise UntrustedTextError(f"has no section before line {number}: {excerpt(text)}")
        else:
            self._begin_option(self._options, text, number)

    def _begin_section(self, section: str, number: int) -> None:
        if self._are_unique and section in self.sections:
            raise UntrustedTextError(f"repeats the section {excerpt(section)} in line {number}")
        self._options = self.sections.setdefault(section, {})
        self._value = None

    def _begin_option(self, options: dict[str, list[str]], text: str, number: int) -> None:
        match = self._delimiter.search(text)
        option = "" if match is None else text[: match.start()].rstrip()
        if match is None or not option:
            raise UntrustedTextError(f"has no option with a value in line {number}: {excerpt(text)}")
        name = option.lower() if self._are_unique else option
        if self._are_unique and name in options:
            raise UntrustedTextError(f"repeats the option {excerpt(name)} in line {number}")
        self._value = options[name] = [text[match.end() :].strip()]
