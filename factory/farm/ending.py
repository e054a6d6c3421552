"""The end of a cell's work in its container, whether it made a wheel or ran programs."""

from collections.abc import Iterable
from dataclasses import replace

from factory.events.model import CellRecord
from factory.memory import Material
from factory.sessions.session import Session
from factory.stages.outcome import WHEEL_LIMIT_BYTES


def ended(record: CellRecord, container: Session, materials: Iterable[Material], *, keep: bool) -> CellRecord:
    """Add what the work took and was made of; with `keep`, save the workspace of a failed one."""
    if record.failure is not None and keep and container.started:
        container.save(WHEEL_LIMIT_BYTES)
    return replace(record, seconds=container.seconds, from_store=not container.seconds, materials=tuple(materials))
