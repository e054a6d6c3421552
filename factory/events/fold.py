"""Fold a run's events into the Run."""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from factory.events.model import (
    CellEnded,
    Event,
    ImageReady,
    JobEnded,
    JobStarted,
    Planned,
    Progress,
    RecipeFailed,
    Run,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
    WorkStarted,
)


def fold(events: Iterable[Event]) -> Run:
    """Fold a run's events into the Run; the first must be RunStarted."""
    stream = iter(events)
    first = next(stream)
    if not isinstance(first, RunStarted):
        raise TypeError(f"a run begins with run-started, not {type(first).__name__}")
    run = Run(id=first.run, started=first.at, version=first.version, folder=first.folder)
    for event in stream:
        run = _with(run, event)
    return run


def _with(run: Run, event: Event) -> Run:
    match event:
        case Planned(plan=plan):
            return replace(run, plans=(*run.plans, plan))
        case CellEnded(record=record):
            return replace(run, records=(*run.records, record))
        case ImageReady():
            return replace(run, images=(*run.images, event))
        case RecipeFailed():
            return replace(run, failed_recipes=(*run.failed_recipes, event))
        case RunEnded():
            # Cells end in any order, but reports list them in the plan's.
            order = [cell.address for plan in run.plans for cell in plan.cells]
            return replace(
                run,
                records=tuple(sorted(run.records, key=lambda record: order.index(record.cell.address))),
                duration_s=event.duration_s,
                containers=event.containers,
                interrupted=event.interrupted,
                stopped=event.stopped,
                ended=True,
            )
        case StepStarted() | StepEnded() | JobStarted() | JobEnded() | WorkStarted():
            return run
        case Progress() | TrialEnded() | RunStarted():
            return run
        case _:
            assert_never(event)
