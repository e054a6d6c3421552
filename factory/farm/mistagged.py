"""Wheels with other tags than are owed: the recipe's lines that ask for them, and the cells that would end alike."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from factory.digest import Artifact
from factory.events.model import CellRecord
from factory.failure import Failure
from factory.farm.jobs import BuildCell, Built, Job, Key, Outcome
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.recipe.model import Recipe
from factory.tags import Abi3Floor, AnyPython, BuiltFor, Interpreter, built_for
from factory.untrusted import parse_wheel_name

RULE = "tag-unexpected"
_FLOOR_OPTIONS = {"setuptools": "--py-limited-api={floor}", "scikit_build_core": "wheel.py-api={floor}"}


def lines_for(wheel: Artifact, planned: PlannedRecipe, cell: Cell) -> str:
    """Return the recipe's lines that ask for the tags that a cell's wheel has; empty where there are none."""
    recipe, owed = planned.recipe, built_for(cell.wheel_tag.expanded)
    match made := _made(wheel):
        case AnyPython():
            return f"the project makes one wheel for every Python: write wheel: {made}{_instead(recipe)}"
        case Abi3Floor():
            subject = "sets its own floor" if isinstance(owed, Abi3Floor) else "makes abi3 wheels itself"
            return f"the project {subject}: write {_floor_lines(made, planned)}"
        case Interpreter() if isinstance(owed, Abi3Floor):
            named = recipe.build.floor.kind in ("feature", "option")
            way = "another feature or option" if named else "{feature: NAME} or {option: TEXT}"
            per_version = f"wheel: per-version{_instead(recipe)}"
            return f"the floor does not reach the build: write {way} as build.floor, or {per_version}"
        case Interpreter() if isinstance(owed, AnyPython):
            return "the project makes a wheel per version: write wheel: per-version"
        case Interpreter() | None:
            return ""
        case _:
            assert_never(made)


def spared(job: Job, outcomes: Mapping[Key, Outcome]) -> Outcome | None:
    """Return the outcome of a build that need not begin: a wheel of its recipe was refused, and it would be alike."""
    if not isinstance(job, BuildCell) or job.image is None or not job.cell.makes_wheel:
        return None
    for peer in job.peers:
        outcome = outcomes.get(peer)
        if isinstance(outcome, Built) and (made := _repeated(outcome.record, job.cell)) is not None:
            tags = f"{made.python_tag}-{made.abi_tag}"
            message = f"{peer} came out as {tags}; this wheel would get the same tags, so it was not built"
            failure = Failure(step="audit of the built wheel", message=message)
            return Built(record=CellRecord(cell=job.cell, status="blocked", failure=failure))
    return None


def _made(wheel: Artifact) -> BuiltFor | None:
    """Return what a wheel was built for; None for a pure one, which a build leaves that fell back."""
    tags = parse_wheel_name(wheel.filename)[3]
    return None if any(tag.platform == "any" for tag in tags) else built_for(tags)


def _repeated(record: CellRecord, cell: Cell) -> BuiltFor | None:
    """Return what a refused wheel was built for, where another cell's wheel would have the same tags and be wrong."""
    refused = record.before is not None and any(
        finding.fails and finding.rule == RULE for finding in record.before.findings
    )
    made = _made(record.built) if refused and record.built is not None else None
    if made is None or not _is_alike(
        made, built_for(record.cell.wheel_tag.expanded), built_for(cell.wheel_tag.expanded)
    ):
        return None
    return made


def _is_alike(made: BuiltFor, owed: BuiltFor | None, other: BuiltFor | None) -> bool:
    """Tell whether a build that is to make `other` makes what another one made in place of `owed`.

    A build of the same on another platform does. What has no ABI does not depend on the interpreter, and a floor that a
    project sets itself is that of all interpreters that the floor covers.
    """
    if other in (made, owed):
        return other == owed
    match made:
        case AnyPython():
            return True
        case Abi3Floor():
            return isinstance(owed, Interpreter) and isinstance(other, Interpreter) and made.covers(other)
        case Interpreter():
            return False
        case _:
            assert_never(made)


def _floor_lines(floor: Abi3Floor, planned: PlannedRecipe) -> str:
    """Return the lines for a floor that a project sets itself, for some of the listed interpreters or for all.

    `project` leaves none for interpreters below the floor; an option does, and says what the project says.
    """
    instead = ", instead of wheel" if planned.recipe.wheel is not None else ""
    below = [wanted.interpreter for wanted in planned.recipe.interpreters if _is_below(wanted.interpreter, floor)]
    backend = planned.project.build_system.module
    if not below:
        return f"abi3: {floor} and build: {{floor: project}}{instead}"
    if backend in _FLOOR_OPTIONS:
        return f"abi3: {floor} and build: {{floor: {{option: '{_FLOOR_OPTIONS[backend]}'}}}}{instead}"
    names = " ".join(map(str, below))
    return f"abi3: {floor} and build: {{floor: project}}{instead}, and a recipe of their own for {names}"


def _is_below(interpreter: Interpreter, floor: Abi3Floor) -> bool:
    with_gil = interpreter.implementation == "cp" and not interpreter.free_threaded
    return with_gil and interpreter.minor < floor.minor


def _instead(recipe: Recipe) -> str:
    """Name the fields of a recipe that cannot be beside `wheel`."""
    fields: Sequence[str] = [
        *(["abi3"] if recipe.abi3 is not None else []),
        *(["build.floor"] if recipe.build.floor.kind != "default" else []),
    ]
    return f", instead of {' and '.join(fields)}" if fields else ""
