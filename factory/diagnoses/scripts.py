"""What our own scripts print while they make an image."""

from typing import Final

from factory.diagnoses.searchable import searchable

_FAULT: Final = "fault: "
_LAST_LINES: Final = 15


def explain_script(output: str) -> str:
    """Return the lines that a failed script marks as faults, else the last lines that it or its tools printed."""
    printed = searchable(output).splitlines()
    faults = [line.removeprefix(_FAULT) for line in printed if line.startswith(_FAULT)]
    return "\n".join((faults or printed)[-_LAST_LINES:])
