"""What our own scripts print while they make an image."""

from typing import Final

from factory.diagnoses.searchable import searchable

_FAULT: Final = "fault: "
_LAST_LINES: Final = 15


def explain_script(output: str) -> str:
    """Return the faults that a failed script names, in one line, else the last lines that it or its tools printed."""
    printed = searchable(output).splitlines()
    faults = [" ".join(line.removeprefix(_FAULT).split()) for line in printed if line.startswith(_FAULT)]
    return "; ".join(faults[-_LAST_LINES:]) or "\n".join(printed[-_LAST_LINES:])
