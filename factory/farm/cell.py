"""Build one cell's wheel: prepare, build, audit, repair, audit again. Its trials are jobs of their own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import PurePath
from typing import Literal

from factory.audit import Audit, Expectation
from factory.diagnoses.cases import Diagnosis
from factory.diagnoses.causes.cause import Kind
from factory.diagnoses.causes.table import explain_command
from factory.digest import Artifact, Digest
from factory.events.model import CellRecord, MadeLock
from factory.events.recorder import path_of
from factory.failure import Failure
from factory.farm import mistagged
from factory.farm.commands import BuildCommands
from factory.farm.ending import ended
from factory.farm.newest import with_older
from factory.farm.refusal import note_of, refusal
from factory.images.ready import ReadyImage
from factory.memory import Material
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.project.downloads import downloads
from factory.recipe.model import AuditSpec
from factory.repair import repairer
from factory.sessions.services import Services
from factory.stages.against import compared_with_older
from factory.stages.audit import audited
from factory.stages.build import Built, build
from factory.stages.cell_session import CellSession
from factory.stages.locks import made_locks
from factory.stages.pass_env import passed_variables
from factory.stages.prepare import Prepared, prepare
from factory.stages.reading import Readings
from factory.stages.repair import Repaired, repair
from factory.stages.requirement import SdistBuilder
from factory.steps import Step
from factory.tags import Interpreter

_UNREPAIRED = "repair is left out: auditwheel repairs only wheels for Linux"


def build_cell(
    services: Services,
    planned: PlannedRecipe,
    cell: Cell,
    interpreter: Interpreter | None,
    image: ReadyImage,
    readings: Readings,
    today: date,
) -> CellRecord:
    """Do all of a cell's work but its trials, in one container, which starts only if something is not remembered.

    What is built without an interpreter is repaired in another container, because auditwheel needs one.
    """
    materials: dict[Digest, Material] = {}
    services = services.noting(lambda material: materials.setdefault(material.key, material))
    added = () if cell.builder is None else cell.builder.packages
    sdists = SdistBuilder(
        services=services,
        subject=cell.address,
        spec=planned.recipe.build,
        image=image,
        added=added,
        interpreter=interpreter or repairer(image.facts),
    )
    ask = services.asking(cell.address, image.facts, added)
    with services.session(cell.address, ask, lambda: _downloads(planned)) as container:
        passed = passed_variables(planned.recipe.build, services.host)
        commands = BuildCommands(planned=planned, cell=cell, interpreter=interpreter, system=image.path, passed=passed)
        session = CellSession(
            services=services,
            planned=planned,
            cell=cell,
            interpreter=interpreter,
            image=image,
            container=container,
            readings=readings,
            env=commands.env,
            passed=passed,
            build_sdist=sdists.build,
        )
        record = _Way(session=session, commands=commands, today=today).go()
        return replace(ended(record, container, materials.values(), image, keep=services.keep), from_source=sdists.told)


def _downloads(planned: PlannedRecipe) -> str:
    """Say what a source's scripts download, and what to write instead; nothing where none does."""
    subdir = planned.recipe.source.subdir.strip("/")
    found = downloads(planned.tree, planned.project.build_system.module, f"{subdir}/" if subdir else "")
    return "; ".join(f"{download.place}: {download.way}" for download in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    session: CellSession
    commands: BuildCommands
    today: date

    def go(self) -> CellRecord:
        session = self.session
        record = CellRecord(cell=session.cell, status="failed")
        prepared = prepare(session, self.commands.settings)
        if isinstance(prepared, Failure):
            return _stopped(record, prepared)
        steps = self.commands.steps
        record = replace(record, locks=self._locks(prepared))
        built = build(session, prepared, steps)
        if isinstance(built, Failure):
            return _stopped(record, with_older(built, prepared.files))
        lacked = partial(self._lacked, session.container.last_output if built.is_here else "")
        before = self._audited(built.wheel, "built")
        record = replace(record, built=built.wheel, before=before, unlike=self._unlike(built))
        if not before.passed:
            lines = mistagged.lines_for(built.wheel, session.planned, session.cell)
            return _stopped(record, refusal(before, "audit of the built wheel", lacked, lines))
        if session.cell.is_repaired:
            repaired = self._repaired(built, prepared, steps)
            if isinstance(repaired, Failure):
                return _stopped(record, repaired)
            return self._finished(replace(record, repair=repaired.repair), repaired.wheel, lacked)
        session.services.recorder.progress(session.cell.address)(_UNREPAIRED)
        return self._finished(record, built.wheel, lacked)

    def _finished(
        self, record: CellRecord, wheel: Artifact, lacked: Callable[[], Diagnosis[Kind] | None]
    ) -> CellRecord:
        """Judge a wheel as it would be released."""
        session, after = self.session, self._audited(wheel, "repaired")
        record = replace(record, wheel=wheel, after=after)
        if not after.passed:
            return _stopped(record, refusal(after, "audit of the repaired wheel", lacked))
        if note := note_of(after, lacked):
            session.services.recorder.progress(session.cell.address)(note)
        recipe = session.planned.recipe
        comparison = compared_with_older(session.services, recipe, session.cell, wheel, session.readings)
        if isinstance(comparison, Failure):
            return _stopped(record, comparison)
        return replace(record, status="passed", against=comparison)

    def _lacked(self, printed: str) -> Diagnosis[Kind] | None:
        """Return what the build looked for in vain and went on without, by what it printed in this run."""
        return explain_command(printed, "build", self.session.container.ask)

    def _unlike(self, built: Built) -> str:
        """Put the wheel that an earlier run built of the same inputs beside the evidence, where this one differs."""
        services, address = self.session.services, self.session.cell.address
        if built.unlike is None or not services.memory.store.has(built.unlike.digest):
            return ""
        path = PurePath("unlike") / path_of(address) / built.unlike.filename
        services.recorder.write(path, services.memory.store.pieces(built.unlike.digest))
        services.recorder.progress(address)("its wheel has other bytes than the one that an earlier run built")
        return str(path)

    def _locks(self, prepared: Prepared) -> tuple[MadeLock, ...]:
        session = self.session
        return made_locks(session.services, session.planned, session.cell.address, prepared.crates)

    def _repaired(self, built: Built, prepared: Prepared, steps: tuple[Step, ...]) -> Repaired | Failure:
        session = self.session
        if session.interpreter is not None:
            return repair(session, built, prepared, steps)
        with session.services.session(session.cell.address) as container:
            seeing = replace(session, container=container, interpreter=repairer(session.image.facts))
            # Nothing is built once more for this repair: the build would see interpreters.
            repaired = repair(seeing, replace(built, is_here=True), prepared, steps)
            session.container.seconds.update(container.seconds)
            return repaired

    def _audited(self, wheel: Artifact, stage: Literal["built", "repaired"]) -> Audit:
        session = self.session
        expectation = expected(session.cell, session.planned.recipe.audit, stage)
        return audited(session.services, session.cell.address, session.readings, wheel, expectation, self.today)


def expected(cell: Cell, spec: AuditSpec, stage: Literal["built", "repaired"]) -> Expectation:
    """Return what the gate expects of a cell's wheel."""
    return Expectation(
        tags=cell.wheel_tag.expanded,
        platform=cell.platform,
        floor=cell.floor,
        modules=spec.modules,
        guessed_modules=spec.guessed_modules,
        max_size_bytes=spec.max_size_bytes,
        waivers=spec.waive,
        stage=stage,
    )


def _stopped(record: CellRecord, failure: Failure) -> CellRecord:
    return replace(record, status=failure.ended, failure=failure)
