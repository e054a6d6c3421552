"""A run's failures, each told once with all that share it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from factory.events.model import CellRecord
from factory.failure import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A failure and the addresses of the cells and trials that ended by it; its log is that of the first."""

    failure: Failure
    addresses: tuple[str, ...]


def told_once(records: Iterable[CellRecord]) -> tuple[Told, ...]:
    """Return the failures of a run in the order of the cells; equal ones are told once."""
    shared: dict[tuple[str, str, str, str], list[tuple[str, Failure]]] = {}
    for record in records:
        for address, failure in _failures(record):
            same = (failure.step, failure.ended, failure.message, failure.hint)
            shared.setdefault(same, []).append((address, failure))
    return tuple(
        Told(failure=ended[0][1], addresses=tuple(address for address, _ in ended)) for ended in shared.values()
    )


def _failures(record: CellRecord) -> Iterator[tuple[str, Failure]]:
    """Yield the failures of a cell's trials, else the cell's own, which is that of a trial where one failed."""
    tried = [(trial.interpreter, trial.failure) for trial in record.trials if trial.failure is not None]
    if not tried and record.failure is not None:
        yield record.cell.address, record.failure
    for interpreter, failure in tried:
        yield f"{record.cell.address}@{interpreter}", failure
