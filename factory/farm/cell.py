"""One cell's way: prepare, build, audit, repair, audit again. Its trials are jobs of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath
from typing import Literal

from factory import codec
from factory.audit import Audit, Expectation
from factory.audit.identity import gate_identity
from factory.backends.environment import build_env, remove_step
from factory.backends.hooks import before_steps, hook_step
from factory.backends.settings import config_settings
from factory.codec import JSON
from factory.confined import Overrun
from factory.digest import Artifact
from factory.engine.api import StreamEntry
from factory.events.model import CellRecord
from factory.excerpt import listed
from factory.failure import Failure
from factory.images import ReadyImage
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.recipe.model import SdistSource
from factory.repair import Repair, repair_step, repairer
from factory.sessions.services import Services
from factory.stages.commands import commands_of
from factory.stages.leaks import leak_in
from factory.stages.pass_env import passed_variables
from factory.stages.prepare import CellSession, Prepared, prepare
from factory.stages.reading import differences, judge
from factory.stages.resolve import wheel_files
from factory.steps import BUILT, RAW, REPAIRED, Step
from factory.tags import Interpreter
from factory.untrusted import UntrustedTextError, parse_wheel_name

_WHEEL_LIMIT_BYTES = 4 << 30
_REPAIR_TIMEOUT_S = 600
_BAKED_IN = (
    "whoever gets the wheel could read it: keep the build from writing it into a file; "
    "a value that is not secret belongs in build.env instead of build.pass-env"
)
_TOO_FAR = "repair may graft libraries, rename needs, set search paths and retag, and nothing else: report what it did"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A repaired wheel, and what the repairer did to it."""

    wheel: Artifact
    repair: Repair


def build_cell(
    services: Services, planned: PlannedRecipe, cell: Cell, interpreter: Interpreter, image: ReadyImage, today: date
) -> CellRecord:
    """Take a buildable cell as far as it goes without its trials, in one container, which only missing work starts."""
    env = build_env(planned.recipe.build, planned.project, interpreter, epoch_s=planned.tree.epoch_s, system=image.path)
    passed = passed_variables(planned.recipe.build, services.host)
    with services.session(cell.address) as session:
        place = CellSession(
            services=services,
            planned=planned,
            cell=cell,
            interpreter=interpreter,
            image=image,
            session=session,
            env=env,
            passed=passed,
        )
        record = _Way(place=place, today=today).go()
        if record.failure is not None and services.keep and session.started:
            session.save(_WHEEL_LIMIT_BYTES)
        return replace(record, seconds=session.seconds, from_store=not session.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    place: CellSession
    today: date

    def go(self) -> CellRecord:
        record = CellRecord(cell=self.place.cell, status="failed")
        settings = config_settings(self.place.planned.recipe.build, self.place.planned.project, self.place.cell.floor)
        prepared = prepare(self.place, settings)
        if isinstance(prepared, Failure):
            return _stopped(record, replace(prepared, ended="blocked") if prepared.ended == "failed" else prepared)
        steps = self._steps(settings)
        built = self._built(prepared, steps)
        if isinstance(built, Failure):
            return _stopped(record, built)
        before = self._audit(built, self._expectation("built"))
        record = replace(record, built=built, before=before)
        if not before.passed:
            return _stopped(record, _refusal(before, "audit of the built wheel"))
        repaired = self._repaired(built, prepared, steps)
        if isinstance(repaired, Failure):
            return _stopped(record, repaired)
        after = self._audit(repaired.wheel, self._expectation("repaired"))
        record = replace(record, repair=repaired.repair, wheel=repaired.wheel, after=after)
        if not after.passed:
            return _stopped(record, _refusal(after, "audit of the repaired wheel"))
        return replace(record, status="passed")

    def _steps(self, settings: Mapping[str, str | list[str]]) -> tuple[Step, ...]:
        place, recipe = self.place, self.place.planned.recipe
        build, subdir = recipe.build, recipe.source.subdir
        hook = hook_step(
            "wheel", place.planned.project, settings, place.env, place.passed, subdir=subdir, timeout_s=build.timeout_s
        )
        return (*before_steps(build, place.env, place.passed, subdir=subdir), hook)

    def _built(self, prepared: Prepared, steps: tuple[Step, ...]) -> Artifact | Failure:
        place = self.place
        inputs: dict[str, JSON] = {
            "source": str(place.planned.tree.digest),
            "image": str(place.image.identity),
            "interpreter": str(place.interpreter),
            "requirements": sorted(str(file.digest) for file in prepared.files),
            "crates": codec.dump(prepared.crates),
            "tools": str(place.services.tools.digest),
            "commands": commands_of(steps),
        }

        def make() -> Artifact | Failure:
            return self._build(prepared, steps) or self._take(BUILT, "build")

        outcome, from_store = place.services.memory.once("build", inputs, Artifact, make)
        return self._kept(outcome, "build") if from_store and isinstance(outcome, Artifact) else outcome

    def _build(self, prepared: Prepared, steps: tuple[Step, ...]) -> Failure | None:
        self.place.is_built = True
        return self.place.equip(prepared.files, prepared.crates) or self.place.session.run_all(steps)

    def _repaired(self, built: Artifact, prepared: Prepared, steps: tuple[Step, ...]) -> Repaired | Failure:
        """Repair a raw wheel; where the store remembered it and the repair fails, in a container that built it again.

        The libraries that are grafted may be what the build left in its workspace.
        """
        place, recipe = self.place, self.place.planned.recipe
        step = repair_step(
            built.filename,
            recipe.repair,
            place.cell.platform,
            repairer(place.image.facts),
            epoch_s=place.planned.tree.epoch_s,
            timeout_s=_REPAIR_TIMEOUT_S,
            system=place.image.path,
        )
        inputs: dict[str, JSON] = {
            "wheel": str(built.digest),
            "image": str(place.image.identity),
            "tools": str(place.services.tools.digest),
            "commands": commands_of((step,)),
        }

        def repair() -> Failure | None:
            place.session.put(wheel_files(place.services.memory.store, [built]), RAW)
            return place.session.run_all((step,))

        def make() -> Repaired | Failure:
            failure = (None if place.session.started else place.start(prepared.crates)) or repair()
            if failure is not None and failure.ended == "failed" and not place.is_built:
                place.session.run_all((remove_step(REPAIRED, env=place.env),))
                failure = self._build(prepared, steps) or repair()
            repaired = failure or self._take(REPAIRED, "repair")
            if isinstance(repaired, Failure):
                return repaired
            return _verified(repaired, differences(place.services.memory, built, repaired))

        outcome, from_store = place.services.memory.once("repair", inputs, Repaired, make)
        kept = self._kept(outcome.wheel, "repair") if from_store and isinstance(outcome, Repaired) else outcome
        return kept if isinstance(kept, Failure) else outcome

    def _take(self, folder: PurePosixPath, step: str) -> Artifact | Failure:
        """Take the one wheel out of a folder of the container into the store."""
        store, names, kept = self.place.services.memory.store, list[str](), list[Artifact]()

        def keep(entry: StreamEntry) -> None:
            if entry.path.suffix == ".whl":
                names.append(str(entry.path))
                if not kept:
                    kept.append(store.put_stream(entry.pieces, entry.path.name))

        failure = self.place.session.take_each(folder, step, keep, limit_bytes=_WHEEL_LIMIT_BYTES)
        if failure is not None:
            return failure
        if len(names) != 1:
            came = listed(sorted(names)) or "none"
            return Failure(step=step, message=f"one wheel was owed, {len(names)} came out: {came}")
        if strange := _strange(kept[0].filename, self.place.planned):
            return Failure(step=step, message=strange, hint="look at the backend's configuration and at its log")
        return self._kept(kept[0], step)

    def _kept(self, wheel: Artifact, step: str) -> Artifact | Failure:
        """Refuse a wheel that holds a value of the caller's environment, and have the store forget its bytes."""
        store = self.place.services.memory.store
        with store.open_blob(wheel.digest) as stream:
            leak = leak_in(stream, wheel.filename, self.place.passed)
        if not leak:
            return wheel
        store.discard(wheel.digest)
        return Failure(step=step, message=f"the wheel {leak}", hint=_BAKED_IN)

    def _expectation(self, stage: Literal["built", "repaired"]) -> Expectation:
        cell, spec = self.place.cell, self.place.planned.recipe.audit
        return Expectation(
            tags=cell.tag.expanded,
            platform=cell.platform,
            floor=cell.floor,
            modules=spec.modules,
            max_size_bytes=spec.max_size_bytes,
            waivers=spec.waive,
            stage=stage,
        )

    def _audit(self, wheel: Artifact, expectation: Expectation) -> Audit:
        place, memory = self.place, self.place.services.memory
        dated = any(waiver.until is not None for waiver in expectation.waivers)
        inputs: dict[str, JSON] = {
            "wheel": str(wheel.digest),
            "expectation": codec.dump(expectation),
            "gate": str(gate_identity()),
            "today": self.today.isoformat() if dated else None,
        }

        def make() -> Audit:
            with place.services.recorder.step(place.cell.address, "audit") as mark:
                verdict = judge(memory, wheel, expectation, self.today)
                mark.outcome = "passed" if verdict.passed else "failed"
                return verdict

        return memory.surely("audit", inputs, Audit, make, worth=lambda verdict: verdict.passed)


def _verified(wheel: Artifact, found: tuple[tuple[str, ...], Repair] | Overrun) -> Repaired | Failure:
    """Refuse what a repairer did beyond its task, before the gate judges the rest."""
    if isinstance(found, Overrun):
        message = f"comparing the wheel before and after the repair {found.reason}"
        return Failure(step="repair", message=message, hint="please report it, with the wheel")
    told, repair = found
    if not told:
        return Repaired(wheel=wheel, repair=repair)
    others = f", and {len(told) - 1} more" if told[1:] else ""
    return Failure(step="repair", message=f"the repair went too far: {told[0]}{others}", hint=_TOO_FAR)


def _strange(filename: str, planned: PlannedRecipe) -> str:
    """Say what a wheel is of that is not of the source's project or its release; the gate reads malformed names."""
    try:
        name, version, _, _ = parse_wheel_name(filename)
    except UntrustedTextError:
        return ""
    if name != planned.project.name:
        return f"a wheel of {name} came out; the source is {planned.project.name}"
    source = planned.recipe.source
    if isinstance(source, SdistSource) and version != source.version:
        return f"a wheel of version {version} came out; the source is {source.version}"
    return ""


def _stopped(record: CellRecord, failure: Failure) -> CellRecord:
    return replace(record, status=failure.ended, failure=failure)


def _refusal(verdict: Audit, step: str) -> Failure:
    worst = next(finding for finding in verdict.findings if finding.fails)
    return Failure(
        step=step,
        message=f"{worst.rule}: {worst.message}",
        hint=f"every finding stands in the report; see docs/reference/rules.md on {worst.rule}",
    )
