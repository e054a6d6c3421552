"""The end of a cell's work in its container, whether it made a wheel or ran programs."""

from collections.abc import Iterable
from dataclasses import replace

from factory.events.model import CellRecord
from factory.images.ready import ReadyImage
from factory.memory import Material
from factory.sessions.session import Session
from factory.stages.outcome import WHEEL_LIMIT_BYTES


def ended(
    record: CellRecord, container: Session, materials: Iterable[Material], image: ReadyImage, *, keep: bool
) -> CellRecord:
    """Add what the work took, was made of and was compiled by; with `keep`, save the workspace of a failed one."""
    if record.failure is not None and keep and container.started:
        container.save(WHEEL_LIMIT_BYTES)
    return replace(
        record,
        seconds=container.seconds,
        from_store=not container.seconds,
        materials=tuple(materials),
        rust=None if image.rust is None else image.rust.version,
    )
