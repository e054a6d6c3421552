"""`factory why`."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from factory.cli.common import err, out
from factory.codec import JSON
from factory.errors import OutputError, UsageError
from factory.events.model import CellEnded, RunStarted
from factory.events.read import events_of, runs
from factory.host import read_host
from factory.memory import Material
from factory.plan.model import Cell
from factory.plan.selection import matches
from factory.report.text import line
from factory.report.why import Seen, render_why, told
from factory.run.options import Options
from factory.stages.changes import FileNameOf
from factory.stages.resolve import Resolve
from factory.store import Store

_HINT = "run `factory build` first, and call this from the same folder"


def run_why(selects: Sequence[str]) -> int:
    """Tell why cells were made again in the last run that has one of them.

    Raises:
        UsageError: no run has one.
    """
    evidence = Options().evidence
    earlier = earlier_cells(evidence)
    now = next((seen for run in earlier if (seen := _selected(run, selects))), None)
    if now is None:
        which = f"has a cell that {' or '.join(selects)} matches" if selects else "has ended a cell"
        raise UsageError(f"no run below {evidence} {which}", hint=_HINT)
    before = dict[str, Seen]()
    for run in earlier:
        before = {**run, **before}
        if before.keys() >= now.keys():
            break
    with Store.open(read_host().store) as store:
        document_of, file_name = partial(document_in, store), file_names_in(store)
        for address, cell in now.items():
            results = tuple(told(cell, before.get(address), document_of, file_name))
            out().print(render_why(cell, before.get(address), results), soft_wrap=True)
    return 0


def earlier_cells(evidence: Path) -> Iterator[Mapping[str, Seen]]:
    """Yield the cells of each run by address, the newest run first; a run that cannot be read is named and left out."""
    for folder in runs(evidence):
        try:
            started, *ended = events_of(folder, (RunStarted, CellEnded))
        except (OutputError, ValueError) as error:  # ValueError: it was killed before its first event.
            err().print(line(f"left out: {folder}: {error}"), soft_wrap=True)
            continue
        if isinstance(started, RunStarted):
            records = (event.record for event in ended if isinstance(event, CellEnded))
            yield {record.cell.address: Seen(run=started, record=record) for record in records}


def _selected(run: Mapping[str, Seen], selects: Sequence[str]) -> Mapping[str, Seen]:
    return {address: seen for address, seen in run.items() if not selects or _matches(seen.record.cell, selects)}


def _matches(cell: Cell, selects: Sequence[str]) -> bool:
    return any(matches(select, cell.recipe, cell.id) for select in selects)


def document_in(store: Store, material: Material) -> Mapping[str, JSON] | None:
    """Return the document of a result; None where the store has it no longer."""
    entry = store.peek(material.stage, material.key)
    return None if entry is None else entry.document


def file_names_in(store: Store) -> FileNameOf:
    """Name wheels by their digests, as the resolutions in the store name them; they are read when first asked for."""

    @cache
    def names() -> Mapping[str, str]:
        results = (result.entry.result for result in store.results(Resolve.NAME) if result.entry is not None)
        return dict(pair for result in results for pair in _named(result))

    return lambda digest: names().get(digest)


def _named(result: JSON) -> Iterator[tuple[str, str]]:
    match result:
        case {"files": [*files]}:
            for file in files:
                match file:
                    case {"digest": str(digest), "filename": str(filename)}:
                        yield digest, filename
