"""Escape sequences and control characters in what a package prints."""

import re

_CONTROL = re.compile(
    r"""\x1b\[[0-9;?]*[ -/]*[@-~]              # colours, the cursor
      | \x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?  # what a terminal takes as text of its own: titles, links
      | \x1b[@-_]
      | [\x00-\x08\x0b-\x1f\x7f-\x9f]          # tab and line feed stay
    """,
    re.VERBOSE,
)


def clean(text: str) -> str:
    """Drop escape sequences and control characters, so that a package's output cannot steer a terminal."""
    return _CONTROL.sub("", text)
