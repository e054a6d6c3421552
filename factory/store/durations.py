"""How long jobs took when their work was last done: it predicts the next run, and no result depends on it."""

import json
from collections.abc import Mapping
from typing import Final

MOST: Final = 20_000
"""Jobs that are kept, the last written ones; a run of several hundred cells has some thousand."""

_LONGEST_S: Final = 1e9


def parse_durations(content: bytes) -> Mapping[str, float] | None:
    """Read seconds by subject; None where the file is damaged."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(_is_duration(value) for value in found.values()):
        return None
    return {str(subject): float(value) for subject, value in found.items()}


def _is_duration(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= _LONGEST_S


def written_durations(known: Mapping[str, float], new: Mapping[str, float], *, most: int = MOST) -> bytes:
    """Write what was known and what is new, which takes its place; what was written first goes first."""
    kept = {subject: seconds for subject, seconds in known.items() if subject not in new}
    both = [*kept.items(), *((subject, round(seconds, 2)) for subject, seconds in new.items())]
    return json.dumps(dict(both[-most:]), allow_nan=False).encode()
