"""Read the events of earlier runs, from the folder in which each run leaves its evidence."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import get_args

from factory import codec
from factory.errors import OutputError
from factory.events.model import Event

_FILE = "events.jsonl"
_KINDS = {kind.__name__: kind for kind in get_args(Event)}


def runs(evidence: Path) -> tuple[Path, ...]:
    """Return the folders of runs below the folder of evidence, the newest first; their names begin with the time."""
    return tuple(sorted((path.parent for path in evidence.glob(f"*/{_FILE}")), reverse=True))


def events_of(folder: Path, kinds: Collection[type] = tuple(_KINDS.values())) -> Iterator[Event]:
    """Yield the events of some kinds, in their order. A line that a killed run has not written to its end is left out.

    Raises:
        OutputError: the events cannot be read, or another version of the factory wrote them.
    """
    path = folder / _FILE
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be read: {error.strerror}", hint="name the folder of a run, such as .factory/runs/<run>"
        ) from error
    for line in lines:
        if not line.endswith(b"\n"):
            return
        try:
            written = json.loads(line)
            kind = _KINDS[written["kind"]]
            if kind in kinds:
                yield codec.load(written["event"], kind)
        except (ValueError, KeyError, TypeError) as error:
            hint = "another version of the factory may have written it"
            raise OutputError(f"{path} has a line that is not an event: {error}", hint=hint) from error
