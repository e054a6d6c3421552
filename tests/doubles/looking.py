"""What the tests of stages share: a world, and how to look into what its containers were asked."""

from collections.abc import Iterable

from factory.events.model import CellRecord, Run
from factory.failure import Failure
from tests.doubles.engine import Call
from tests.doubles.projects import STEPS
from tests.doubles.run import World


def only(run: Run) -> CellRecord:
    """Return the record of a run of one cell."""
    (record,) = run.records
    return record


def failure_of(record: CellRecord) -> Failure:
    """Return why a cell did not pass."""
    assert record.failure is not None
    return record.failure


def calls_of(world: World, step: str) -> list[Call]:
    """Return the commands of a step, in their order."""
    return [call for call in world.engine.calls if STEPS[step](call.argv)]


def images_of(world: World, label: str) -> list[str]:
    """Return the images of the containers whose label begins so."""
    return [spec.image for spec in world.engine.started if spec.label.startswith(label)]


def values(calls: Iterable[Call], variable: str) -> set[str | None]:
    """Return a variable as each command was told it."""
    return {call.env.get(variable) for call in calls}
