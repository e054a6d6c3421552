"""Makers of plans, cells and records that state only the fact that matters."""

from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.digest import Artifact, Digest
from factory.events.fold import fold
from factory.events.model import CellRecord, Event, Run, RunStarted, Status, TrialResult
from factory.failure import Failure
from factory.plan.model import Builder, Cell, Plan, Trial
from factory.tags import Interpreter, WheelTag


def make_cell(id_: str = "cp313-cp313-manylinux_2_31_x86_64", recipe: str = "spam", *tried: str) -> Cell:
    tag = WheelTag.parse(id_)
    interpreter = Interpreter.parse(tag.python)
    trials = tuple(Trial(interpreter=Interpreter.parse(name), image="trial") for name in tried or (str(interpreter),))
    return Cell(
        recipe=canonicalize_name(recipe),
        product=tag,
        floor=None,
        platform=tag.platform,
        builder=Builder(interpreter=interpreter, image="lookalike"),
        trials=trials,
    )


def make_artifact(content: bytes, filename: str) -> Artifact:
    return Artifact(filename=filename, digest=Digest.of(content), size_bytes=len(content))


def make_record(
    status: Status = "passed",
    *,
    cell: Cell | None = None,
    built: Artifact | None = None,
    wheel: Artifact | None = None,
    failure: Failure | None = None,
    trials: tuple[TrialResult, ...] = (),
) -> CellRecord:
    return CellRecord(cell=cell or make_cell(), status=status, built=built, wheel=wheel, failure=failure, trials=trials)


def make_plan(*cells: Cell, recipe: str = "spam", distribution: str = "", version: str = "1.0") -> Plan:
    return Plan(
        recipe=canonicalize_name(recipe),
        file=Path(f"recipes/{recipe}.yml"),
        distribution=canonicalize_name(distribution or recipe),
        version=Version(version),
        floor_source="per version",
        cells=cells,
    )


def make_run(*events: Event) -> Run:
    return fold([RunStarted(run="r1", at="2026-01-01T00:00:00Z", version="0", folder=".factory/runs/r1"), *events])
