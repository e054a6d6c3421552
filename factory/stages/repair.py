"""Repair a wheel with auditwheel in the cell's container, and compare what that changed."""

from dataclasses import dataclass

from factory.backends.environment import remove_step
from factory.confined import Overrun
from factory.digest import Artifact, Digest
from factory.failure import Failure
from factory.memory import Stage
from factory.repair import Repair, repair_step, repairer
from factory.stages.build import Built, run_build
from factory.stages.cell_session import CellSession
from factory.stages.commands import KeyedCommands, commands_of
from factory.stages.outcome import refuse_secrets, take_wheel
from factory.stages.prepare import Prepared
from factory.stages.resolve import wheel_files
from factory.steps import RAW, REPAIRED, Step
from factory.tags import PlatformTag

_TIMEOUT_S = 600
_TOO_FAR = "a repair may graft libraries, rename needed ones, set search paths and retag, but no more: please report it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A repaired wheel, and what auditwheel did to it."""

    wheel: Artifact
    repair: Repair


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairWheel(Stage[Repaired]):
    """A raw wheel, repaired in its build image.

    `build` is the key of its build, which leaves libraries to graft beside the wheel: another build may make the same
    wheel and leave others.
    """

    NAME, VERSION = "repair", 5

    wheel: Digest
    build: Digest
    image: Digest
    tools: Digest
    commands: KeyedCommands


def repair(session: CellSession, built: Built, prepared: Prepared, build_steps: tuple[Step, ...]) -> Repaired | Failure:
    """Repair a raw wheel for Linux."""
    planned, platform = session.planned, session.cell.platform
    if not isinstance(platform, PlatformTag):
        raise TypeError(f"{session.cell.address} is for {platform}, which auditwheel does not know")
    step = repair_step(
        built.wheel.filename,
        planned.recipe.repair,
        platform,
        repairer(session.image.facts),
        epoch_s=planned.tree.epoch_s,
        timeout_s=_TIMEOUT_S,
        system=session.image.path,
        image=session.image.facts.platform,
    )
    stage = RepairWheel(
        wheel=built.wheel.digest,
        build=built.key,
        image=session.image.identity,
        tools=session.services.tools(session.image.machine).digest,
        commands=commands_of((step,)),
    )

    def work() -> Repaired | Failure:
        failure = _run(session, built.wheel, prepared, step)
        # A remembered raw wheel was not built in this container, which may lack the libraries to graft.
        if failure is not None and failure.ended == "failed" and not built.is_here:
            failure = _run_after_build(session, built.wheel, prepared, build_steps, step)
        wheel = failure or take_wheel(session, REPAIRED, "repair")
        return wheel if isinstance(wheel, Failure) else _compared(session, built.wheel, wheel)

    outcome, from_store = session.services.memory.once(stage, work)
    if not from_store or isinstance(outcome, Failure):
        return outcome
    kept = refuse_secrets(session, outcome.wheel, "repair")
    return kept if isinstance(kept, Failure) else outcome


def _run(session: CellSession, wheel: Artifact, prepared: Prepared, step: Step) -> Failure | None:
    container = session.container
    if not container.started and (failure := session.start(prepared.crates)) is not None:
        return failure
    container.put(wheel_files(session.services.memory.store, [wheel]), RAW)
    return container.run_all((step,))


def _run_after_build(
    session: CellSession, wheel: Artifact, prepared: Prepared, build_steps: tuple[Step, ...], step: Step
) -> Failure | None:
    """Build a remembered wheel again and repair it: the libraries to graft may lie in what its build leaves."""
    session.container.run_all((remove_step(REPAIRED, env=session.env),))  # what the first attempt may have left
    return run_build(session, prepared, build_steps) or _run(session, wheel, prepared, step)


def _compared(session: CellSession, raw: Artifact, wheel: Artifact) -> Repaired | Failure:
    """Refuse a repair that did more than it may, before the gate judges the wheel."""
    compared = session.readings.differences(raw, wheel)
    if isinstance(compared, Overrun):
        message = f"comparing the wheel before and after the repair {compared.reason}"
        return Failure(step="repair", message=message, hint="please report it, with the wheel")
    faults, changes = compared
    if not faults:
        return Repaired(wheel=wheel, repair=changes)
    others = f", and {len(faults) - 1} more" if faults[1:] else ""
    return Failure(step="repair", message=f"the repair changed more than it may: {faults[0]}{others}", hint=_TOO_FAR)
