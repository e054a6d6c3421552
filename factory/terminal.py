"""Text of packages, wheels, tools and recipes, made fit to print: without commands to terminals and CI runners.

A CI runner takes some of what a program prints as commands. GitHub's takes `::command::` at the beginning of a line,
also after blanks, and `##[command]` anywhere; Azure's takes `##vso[…]`, TeamCity's `##teamcity[…]`.
GitLab's sections need an escape sequence, which `clean` drops.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from typing import BinaryIO, TextIO

_STEERING = re.compile(
    r"""[\x00-\x08\x0b-\x1f\x7f-\x9f]               # tab and line feed stay
        (?: (?<=\x1b) (?:
            \[[0-9;?]*+[ -/]*+[@-~]                 # colours, the cursor
          | [\]PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\)?  # what a terminal takes as text of its own: titles, links
          | [@-_]
        ))?
    """,
    re.VERBOSE,
)
_FORMATS = (  # category Cf: directions of writing, joiners, marks of byte order, tags
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
_IGNORABLE = (  # fillers, selectors and unassigned ones that Unicode lists as Default_Ignorable_Code_Point
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{_FORMATS}{_IGNORABLE}]")
_LINE_ENDS = re.compile("[\u2028\u2029]")  # those that only some readers take for the end of a line
_MARK = re.compile(r"#(?=#\w{0,32}\[)")
_COMMAND = re.compile(r"(?:^|(?<=[\r\n]))(?P<blanks>[^\S\r\n]*+):(?=:)")


def clean(text: str) -> str:
    """Drop escape sequences, control characters and invisible characters; tabs and line feeds stay."""
    printable = text.encode(errors="replace").decode()  # a file name that is not UTF-8 holds surrogates
    return _seen(_STEERING.sub("", printable))


def inert(text: str) -> str:
    """Put a space into whatever a CI runner would take as a command: `# #[error]`, `: :error::`."""
    text = _MARK.sub("# ", text) if "##" in text else text
    return _COMMAND.sub(r"\g<blanks>: ", text) if "::" in text else text


def inert_json(text: str) -> str:
    """Escape what `inert` would change in JSON of ASCII characters, so that its values stay the same."""
    return text.replace("##", r"#\u0023")


def shown(text: str) -> str:
    """Make a text of several lines fit to print."""
    return inert(clean(text))


def plain(text: str) -> str:
    """Make a text fit to print in one line; line breaks become spaces."""
    return inert(" ".join(clean(text).splitlines()))


class Printed(TextIOBase):
    """A stream for people and CI logs. Lines are made inert when they are printed: a table may break a line anywhere.

    The factory's own colours pass; other texts have lost theirs before, in `clean`.
    """

    def __init__(self, stream: TextIO) -> None:
        """Print into another stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text of whole lines."""
        self._stream.write(inert(_seen(text)))
        return len(text)

    def flush(self) -> None:
        """Flush what it prints into."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person looks at a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the number of the open file."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Whether it may be written to."""
        return True

    def close(self) -> None:
        """Leave the stream open: it is the process's own."""

    @property
    def buffer(self) -> BinaryIO:
        """Where bytes go: click writes the words that a shell may complete there, which are the factory's own."""
        return self._stream.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has it as a plain attribute
        """How text becomes bytes; rich and click ask."""
        return self._stream.encoding


@contextmanager
def printing() -> Iterator[None]:
    """Make inert whatever is printed inside, by any library: CI runners read both stdout and stderr."""
    with redirect_stdout(_printed(sys.stdout)), redirect_stderr(_printed(sys.stderr)):
        yield


def _printed(stream: TextIO | None) -> Printed | None:
    return None if stream is None else Printed(stream)  # Python sets it to None where it was closed before the start


def _seen(text: str) -> str:
    return text if text.isascii() else _LINE_ENDS.sub(" ", _UNSEEN.sub("", text))
