"""One run of a trial: install, import, start and test a wheel in a clean container of a plain image, offline."""

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal, Self

from factory.digest import Artifact, Digest
from factory.engine.api import ContainerSpec, FileEntry, Mount
from factory.events.model import TrialResult
from factory.excerpt import few
from factory.failure import Failure
from factory.images.emulator import Emulator, NoEmulator, emulator_of
from factory.images.ready import ReadyImage
from factory.images.spec import python
from factory.machines import USUAL_MACHINE
from factory.memory import ABSENT, Material, Stage
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.recipe.model import TestSpec
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.commands import KeyedCommands, commands_of, digests_of
from factory.stages.reading import Contents
from factory.stages.resolve import wheel_files
from factory.stages.source import source_files
from factory.stages.tools import tools_volume
from factory.steps import COMPILERS, EMULATOR, SOURCE, TOOLS, WHEELHOUSE, Python, Step, emulated_python
from factory.tags import Interpreter
from factory.trials.commands import Beside, alone, processor_model, trial_steps, wants_source
from factory.trials.costs import OLDER_WHEELS, ImportCost, costs_in
from factory.trials.stubs import stubs_fault
from factory.trials.subjects import Subjects
from factory.trials.told import (
    STAYS_OFF,
    first_told,
    gil_switched_on,
    hinted,
    in_threads,
    notes_in,
    speaks,
    unemulated_in,
)
from factory.trials.witness import modules_in, site_packages, witness_files


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPass:
    """The remembered fact that a trial passed, how long it took, its notes, and what imports cost.

    `unemulated` says why the emulator, where there was one, ran nothing.
    """

    duration_s: float
    notes: tuple[str, ...] = ()
    unemulated: str = ""
    costs: tuple[ImportCost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Try(Stage[TrialPass]):
    """One wheel in one image, with what is installed beside it; what its tests see of the source, and what watches.

    `older` is the wheel of an older release whose imports are measured as well.
    """

    NAME, VERSION = "trial", 6

    wheel: Digest
    image: Digest
    requirements: tuple[Digest, ...]
    source: Digest | None
    holds: Literal["tests", "whole"] | None
    witness: Digest | None
    tools: Digest
    emulator: Digest | None
    commands: KeyedCommands
    older: Digest | None = field(default=None, metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A repaired wheel that is tried on an interpreter in an image; `contents` is what it holds.

    `older` is the wheel of an older release that it is compared with, where that one runs there too.
    """

    services: Services
    planned: PlannedRecipe
    cell: Cell
    interpreter: Interpreter
    image: ReadyImage
    wheel: Artifact
    contents: Contents
    older: Artifact | None = None

    @property
    def address(self) -> str:
        """The cell's address with the interpreter: `nh3/cp38-abi3-…@cp313`."""
        return f"{self.cell.address}@{self.interpreter}"

    @property
    def about(self) -> Subjects:
        """What is loaded, imported and started."""
        return self.contents.subjects[str(self.interpreter)]

    @property
    def test(self) -> TestSpec:
        """What the recipe says about trials."""
        return self.planned.recipe.test


def attempted(candidate: Candidate, files: tuple[Artifact, ...], *, whole: bool = True) -> TrialResult | Failure:
    """Try a wheel with what is installed beside it, unless the store remembers that this passed.

    Without `whole`, what no other versions of its requirements would change is left out: old
    processors, threads, stubs, and what imports cost.
    """
    tree = candidate.planned.tree
    # Only where it is asked: the files of a source that the store knows are not unpacked.
    fault = stubs_fault(candidate.test, candidate.about.stubbed, lambda path: path in tree.files)
    if fault is not None:
        return fault
    attempt = _Attempt.of(candidate, files, whole=whole)
    stage, memory = attempt.stage, candidate.services.memory
    outcome, from_store = memory.once(stage, attempt.tried)
    if isinstance(outcome, Failure):
        return outcome
    result = attempt.passed(outcome, Material(stage=stage.NAME, key=stage.key, from_store=from_store))
    # Judged anew each time, so that no key depends on what the recipe allows.
    switched, gil = gil_switched_on(outcome.notes), candidate.planned.recipe.test.gil
    if switched is None:
        return result
    if gil is None:
        return _gil_on(switched)
    return replace(result, notes=few((*result.notes, f"the recipe allows the GIL: {gil.allowed}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """What one run has: files installed beside the wheel, the emulator, what watches the tests, and the steps."""

    candidate: Candidate
    files: tuple[Artifact, ...]
    emulator: Emulator | NoEmulator | None
    watching: tuple[FileEntry, ...]
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, candidate: Candidate, files: tuple[Artifact, ...], *, whole: bool) -> Self:
        """Choose the emulator and the steps."""
        emulator, watching = _emulator(candidate) if whole else None, _witness(candidate)
        steps = trial_steps(
            candidate.contents.name,
            candidate.wheel.filename,
            candidate.about,
            candidate.test if whole else alone(candidate.test),
            _python(candidate),
            epoch_s=candidate.planned.tree.epoch_s,
            beside=Beside(
                emulated=_model(candidate) if isinstance(emulator, Emulator) else None,
                watched=bool(watching),
                measured=whole and _emulated(candidate) is None,
                older=() if candidate.older is None else (candidate.older.filename, *(file.filename for file in files)),
            ),
        )
        return cls(candidate=candidate, files=files, emulator=emulator, watching=watching, steps=steps)

    @property
    def stage(self) -> Try:
        """All that the result depends on."""
        candidate, test = self.candidate, self.candidate.test
        watching = b"\0".join(entry.content for entry in self.watching)
        return Try(
            wheel=candidate.wheel.digest,
            image=candidate.image.identity,
            requirements=digests_of(self.files),
            source=candidate.planned.tree.digest if wants_source(test) else None,
            holds=test.source if wants_source(test) else None,
            witness=Digest.of(watching) if watching else None,
            tools=candidate.services.tools(candidate.image.machine).digest,
            emulator=self.emulator.digest if isinstance(self.emulator, Emulator) else None,
            commands=commands_of(self.steps),
            older=None if candidate.older is None or not self._measures else candidate.older.digest,
        )

    @property
    def _measures(self) -> bool:
        return any(step.name == "import-cost" for step in self.steps)

    def tried(self) -> TrialPass | Failure:
        """Carry out the steps in a container of their own."""
        lines: list[str] = []
        with self.candidate.services.session(self.candidate.address) as session:
            failure = self._equip(session)
            if failure is not None:
                return failure
            for step in self.steps:
                if step.name == "test":
                    session.put(self.watching, site_packages(self.candidate.interpreter))
                if isinstance(ended := session.run(step), Failure):
                    return self._explained(session, ended, gil_switched_on(notes_in(lines)))
                # The output of other steps, such as the recipe's tests, may have lines that look like ours.
                lines += session.last_output.splitlines() if speaks(step.name) else []
            return TrialPass(
                duration_s=sum(session.seconds.values()),
                notes=few(notes_in(lines)),
                unemulated=unemulated_in(lines),
                costs=costs_in(lines),
            )

    def passed(self, outcome: TrialPass, material: Material) -> TrialResult:
        """Return the trial's result."""
        candidate = self.candidate
        unemulated = self.emulator.reason if isinstance(self.emulator, NoEmulator) else outcome.unemulated
        return TrialResult(
            interpreter=candidate.interpreter,
            image=candidate.image.facts.name,
            outcome="passed",
            duration_s=0.0 if material.from_store else outcome.duration_s,
            from_store=material.from_store,
            notes=(*candidate.about.notes, *outcome.notes),
            processor=_model(candidate) if isinstance(self.emulator, Emulator) and not unemulated else None,
            unemulated=unemulated,
            emulated=_emulated(candidate),
            costs=outcome.costs,
            materials=(material,),
        )

    def _equip(self, session: Session) -> Failure | None:
        candidate = self.candidate
        services, image = candidate.services, candidate.image
        tools = tools_volume(services, image)
        if isinstance(tools, Failure):
            return tools
        mounts = (*image.mounts, Mount(volume=tools, path=TOOLS))
        hidden = COMPILERS if image.facts.role == "build" else ()
        spec = ContainerSpec(image=image.reference, label=candidate.address, env={}, mounts=mounts, hidden=hidden)
        session.start(spec)
        session.put(wheel_files(services.memory.store, [candidate.wheel, *self.files]), WHEELHOUSE)
        if candidate.older is not None and self._measures:
            session.put(wheel_files(services.memory.store, [candidate.older]), OLDER_WHEELS)
        if wants_source(candidate.test):
            session.put(source_files(candidate.planned.tree, left_out=_left_out(candidate)), SOURCE)
        if isinstance(self.emulator, Emulator):
            program = FileEntry(path=PurePosixPath(EMULATOR.name), content=self.emulator.content, mode=0o755)
            session.put([program], EMULATOR.parent)
        return None

    def _explained(self, session: Session, failure: Failure, switched: str | None) -> Failure:
        """Say why a step failed; tests that failed with a module from elsewhere would have proved nothing, either.

        `switched` says which module switched the GIL on, which ends tests in threads.
        """
        if failure.step == "threads" and switched is not None and self.candidate.test.gil is None:
            return _gil_on(switched)
        if failure.step != "test" or failure.ended != "failed":
            return in_threads(failure, session.last_output, self.candidate.test.threads)
        for step in self.steps:
            if step.name == "import-origins":
                compared = session.run(step)
                if isinstance(compared, Failure) and first_told(session.last_output):
                    return hinted(compared, session.last_output)
        left_out = _LEFT_OUT if wants_source(self.candidate.test) and _left_out(self.candidate) else ""
        known = "" if failure.last_lines and left_out else failure.hint
        return replace(failure, hint="; ".join(filter(None, (known, left_out))))


def _python(candidate: Candidate) -> Python:
    """Return the interpreter where its distribution has it if the image holds it, else where it was brought."""
    interpreter = candidate.interpreter
    if candidate.cell.emulated is not None:
        return emulated_python(interpreter)
    return Python(interpreter=interpreter, path=python(candidate.image.facts, interpreter))


def _witness(candidate: Candidate) -> tuple[FileEntry, ...]:
    """Return what lies in site-packages while the tests run; nothing where there are none, or nothing to import."""
    if not candidate.test.run or not candidate.contents.roots:
        return ()
    files = witness_files(candidate.contents.roots)
    return tuple(FileEntry(path=PurePosixPath(name), content=content) for name, content in files)


def _left_out(candidate: Candidate) -> frozenset[str]:
    """Return which files of the source the tests do not get."""
    is_whole = candidate.test.source == "whole"
    return frozenset() if is_whole else modules_in(candidate.planned.tree.files, candidate.contents.roots)


def _emulated(candidate: Candidate) -> str | None:
    """Return the machine that is emulated: in the container or, where that is for another one, around it."""
    is_foreign = candidate.image.machine != candidate.planned.plan.machine
    return candidate.cell.emulated or (candidate.image.machine if is_foreign else None)


def _model(candidate: Candidate) -> str | None:
    return processor_model(candidate.test.processor)


def _emulator(candidate: Candidate) -> Emulator | NoEmulator | None:
    """Return what imports the modules once more on an old processor; None where this trial need not emulate one.

    One trial per wheel is enough, because the instructions in a wheel do not depend on the interpreter.
    """
    cell, about = candidate.cell, candidate.about
    oldest = min(trial.interpreter for trial in cell.trials if trial.image is not None)
    # The old processors are x86_64's, and an emulator of one runs beside the container's own programs.
    is_native = cell.platform.arch == candidate.image.machine == USUAL_MACHINE
    if not is_native or candidate.interpreter != oldest or not (about.modules or about.natives):
        return None
    if _model(candidate) is None:
        return NoEmulator(reason="the recipe asks for no old processor (test.processor)")
    return emulator_of(candidate.services.host.path)


_LEFT_OUT = (
    "{source} holds no modules of the wheel's own packages, so that tests import the installed ones; `pytest --pyargs "
    "PACKAGE` runs tests that the wheel holds, test: {source: whole} gives all files"
)


def _gil_on(switched: str) -> Failure:
    return Failure(step="import", message=switched, hint=STAYS_OFF)
