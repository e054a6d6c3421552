"""Try a wheel: install, import, start and test it in a clean container of a plain image, offline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from factory.digest import Artifact, Digest
from factory.engine.api import ContainerSpec, FileEntry, Mount
from factory.events.model import TrialResult
from factory.excerpt import few
from factory.failure import Failure
from factory.images.emulator import Emulator, NoEmulator, emulator_of
from factory.images.ready import ReadyImage
from factory.images.spec import python
from factory.machines import USUAL_MACHINE
from factory.memory import Material, Stage
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.resolve import Question
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.commands import KeyedCommands, commands_of, digests_of
from factory.stages.reading import Contents
from factory.stages.requirement import SdistBuilder
from factory.stages.resolve import resolved, wheel_files
from factory.stages.source import source_files
from factory.stages.tools import tools_volume
from factory.steps import COMPILERS, EMULATOR, SOURCE, TOOLS, WHEELHOUSE, Python, Step, emulated_python
from factory.tags import Interpreter
from factory.trials.bounds import held_at, lowered
from factory.trials.commands import processor_model, trial_steps, wants_source
from factory.trials.requirements import requirements_of
from factory.trials.subjects import Subjects
from factory.trials.witness import modules_in, site_packages, witness_files
from factory.untrusted import UntrustedTextError, parse_wheel_name


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPass:
    """The remembered fact that a trial passed, how long it took, and its notes.

    `unemulated` says why the emulator, where there was one, ran nothing.
    """

    duration_s: float
    notes: tuple[str, ...] = ()
    unemulated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try(Stage[TrialPass]):
    """One wheel in one image, with what is installed beside it; what its tests see of the source, and what watches."""

    NAME, VERSION = "trial", 5

    wheel: Digest
    image: Digest
    requirements: tuple[Digest, ...]
    source: Digest | None
    holds: Literal["tests", "whole"] | None
    witness: Digest | None
    tools: Digest
    emulator: Digest | None
    commands: KeyedCommands


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWork:
    """The work of one trial; `wheel` is the repaired wheel, `contents` what it holds.

    `sdists` builds what the wheel or its tests require and the indexes have only as sdists.
    """

    services: Services
    planned: PlannedRecipe
    cell: Cell
    interpreter: Interpreter
    image: ReadyImage
    wheel: Artifact
    contents: Contents
    sdists: SdistBuilder

    @property
    def address(self) -> str:
        """The cell's address with the interpreter: `nh3/cp38-abi3-…@cp313`."""
        return f"{self.cell.address}@{self.interpreter}"

    def work(self) -> TrialResult:
        """Try the wheel, unless the store remembers that this very trial passed, or nothing here runs its machine."""
        if self.image.facts.platform.arch != self.cell.platform.arch:
            return self._untried()
        newest = self._files()
        if isinstance(newest, Failure):
            return self.failed(newest)
        resolutions = self.planned.recipe.test.resolve
        result = self._tried(newest) if "highest" in resolutions else None
        if result is not None and (result.failure is not None or "lowest-direct" not in resolutions):
            return result
        return self._tried_with_oldest(newest, result)

    def _tried_with_oldest(self, newest: tuple[Artifact, ...], passed: TrialResult | None) -> TrialResult:
        """Try the wheel with the oldest versions that its METADATA allows, and add that to what passed."""
        files = self._files(newest)
        if isinstance(files, Failure):
            return self.failed(replace(files, message=f"with {_OLDEST}: {files.message}", hint=_BOUNDS))
        which = lowered(self._required, newest, files)
        if passed is not None and files == newest:
            return replace(passed, notes=few((*passed.notes, f"{_OLDEST} are the newest")))
        result = self._tried(files, emulating=passed is None)
        if result.failure is not None:
            message = f"with {which or _OLDEST}: {result.failure.message}"
            return replace(result, failure=replace(result.failure, message=message, hint=_BOUNDS))
        note = f"passed with {which}" if which else f"{_OLDEST} are the newest"
        notes, materials = (passed or result).notes, (*(passed.materials if passed else ()), *result.materials)
        return replace(passed or result, notes=few((*notes, note)), materials=materials)

    def _tried(self, files: tuple[Artifact, ...], *, emulating: bool = True) -> TrialResult:
        """Try the wheel with what is installed beside it, unless the store remembers that this passed."""
        means = self._means(files, emulating=emulating)
        stage = self._stage(means)
        outcome, from_store = self.services.memory.once(stage, lambda: self._try(means))
        if isinstance(outcome, Failure):
            return self.failed(outcome)
        material = Material(stage=stage.NAME, key=stage.key, from_store=from_store)
        # Judged anew each time, so that no key depends on what the recipe allows.
        switched, gil = next((note for note in outcome.notes if _GIL in note), None), self.planned.recipe.test.gil
        if switched is None:
            return self._passed(means, outcome, material)
        if gil is None:
            return self.failed(Failure(step="import", message=switched, hint=_STAYS_OFF))
        result = self._passed(means, outcome, material)
        return replace(result, notes=few((*result.notes, f"the recipe allows the GIL: {gil.allowed}")))

    def _untried(self) -> TrialResult:
        emulator = emulator_of(self.services.host.path, self.cell.platform.arch, self.image.machine)
        return TrialResult(
            interpreter=self.interpreter,
            image=self.image.facts.name,
            outcome="untried",
            reason=emulator.reason if isinstance(emulator, NoEmulator) else "",
        )

    def failed(self, failure: Failure) -> TrialResult:
        """Return the trial's result for a failure."""
        return TrialResult(
            interpreter=self.interpreter,
            image=self.image.facts.name,
            outcome=failure.ended,
            failure=failure,
            from_source=self.sdists.told,
        )

    @property
    def _name(self) -> NormalizedName:
        return self.contents.name

    def _files(self, newest: Sequence[Artifact] | None = None) -> tuple[Artifact, ...] | Failure:
        """Resolve what is installed beside the wheel, without any other file of the same project.

        After the newest versions were resolved, the oldest that the wheel's METADATA allows.
        """
        tests = self.planned.recipe.test.requires
        try:
            wanted = (*self._required, *tests)
        except UntrustedTextError as error:
            return Failure(step="install", message=f"METADATA of the wheel {error}")
        question = Question(
            requirements=wanted,
            constraints=() if newest is None else held_at(tests, newest),
            interpreter=self.interpreter,
            platform=self.image.facts.platform,
            oldest=newest is not None,
        )
        resolution = resolved(self.services, question, self.address, self.sdists.build)
        if isinstance(resolution, Failure):
            return resolution
        # A test requirement may depend on the project itself, and the installer could prefer the index's wheel to ours.
        return tuple(file for file in resolution.files if parse_wheel_name(file.filename)[0] != self._name)

    @property
    def _required(self) -> tuple[Requirement, ...]:
        """What the wheel's METADATA requires here.

        Raises:
            UntrustedTextError: it cannot be read.
        """
        contents, machine = self.contents, self.cell.platform.arch
        extras = self.planned.recipe.test.extras
        return requirements_of(contents.name, contents.requires_dist, extras, self.interpreter, machine)

    def _means(self, files: tuple[Artifact, ...], *, emulating: bool) -> "_Means":
        recipe = self.planned.recipe
        about = self.contents.subjects[str(self.interpreter)]
        emulator = self._emulator(about) if emulating else None
        steps = trial_steps(
            self._name,
            self.wheel.filename,
            about,
            recipe.test,
            self._python,
            epoch_s=self.planned.tree.epoch_s,
            emulated=self._model if isinstance(emulator, Emulator) else None,
            watched=bool(self._witness),
        )
        return _Means(files=files, about=about, emulator=emulator, steps=steps)

    @property
    def _python(self) -> Python:
        """The interpreter where its distribution has it if the image holds it, else where it was brought."""
        if self.cell.emulated is not None:
            return emulated_python(self.interpreter)
        return Python(interpreter=self.interpreter, path=python(self.image.facts, self.interpreter))

    @property
    def _witness(self) -> tuple[FileEntry, ...]:
        """What lies in site-packages while the tests run; nothing where there are none, or nothing to import."""
        if not self.planned.recipe.test.run or not self.contents.roots:
            return ()
        files = witness_files(self.contents.roots)
        return tuple(FileEntry(path=PurePosixPath(name), content=content) for name, content in files)

    @property
    def _left_out(self) -> frozenset[str]:
        """Which files of the source the tests do not get."""
        is_whole = self.planned.recipe.test.source == "whole"
        return frozenset() if is_whole else modules_in(self.planned.tree.files, self.contents.roots)

    @property
    def _emulated(self) -> str | None:
        """The machine that was emulated: inside the container or, where the container is for another one, around it."""
        is_foreign = self.image.machine != self.planned.plan.machine
        return self.cell.emulated or (self.image.machine if is_foreign else None)

    @property
    def _model(self) -> str | None:
        return processor_model(self.planned.recipe.test.processor)

    def _emulator(self, about: Subjects) -> Emulator | NoEmulator | None:
        """Return what imports the modules once more on an old processor; None where this trial need not emulate one.

        One trial per wheel is enough, because the instructions in a wheel do not depend on the interpreter.
        """
        oldest = min(trial.interpreter for trial in self.cell.trials if trial.image is not None)
        # The old processors are x86_64's, and an emulator of one runs beside the container's own programs.
        is_native = self.cell.platform.arch == self.image.machine == USUAL_MACHINE
        if not is_native or self.interpreter != oldest or not (about.modules or about.natives):
            return None
        if self._model is None:
            return NoEmulator(reason="the recipe asks for no old processor (test.processor)")
        return emulator_of(self.services.host.path)

    def _stage(self, means: "_Means") -> Try:
        emulator, test = means.emulator, self.planned.recipe.test
        witness = b"\0".join(entry.content for entry in self._witness)
        return Try(
            wheel=self.wheel.digest,
            image=self.image.identity,
            requirements=digests_of(means.files),
            source=self.planned.tree.digest if wants_source(test) else None,
            holds=test.source if wants_source(test) else None,
            witness=Digest.of(witness) if witness else None,
            tools=self.services.tools(self.image.machine).digest,
            emulator=emulator.digest if isinstance(emulator, Emulator) else None,
            commands=commands_of(means.steps),
        )

    def _try(self, means: "_Means") -> TrialPass | Failure:
        lines: list[str] = []
        with self.services.session(self.address) as session:
            failure = self._equip(session, means)
            if failure is not None:
                return failure
            for step in means.steps:
                if step.name == "test":
                    session.put(self._witness, site_packages(self.interpreter))
                if isinstance(ended := session.run(step), Failure):
                    return self._explained(session, ended, means)
                # The output of other steps, such as the recipe's tests, may have lines that look like ours.
                lines += session.last_output.splitlines() if step.name in _TRYING else []
            return TrialPass(
                duration_s=sum(session.seconds.values()),
                notes=few(tuple(line.removeprefix(_NOTE) for line in lines if line.startswith(_NOTE))),
                unemulated=next((line.removeprefix(_NONE) for line in lines if line.startswith(_NONE)), ""),
            )

    def _explained(self, session: Session, failure: Failure, means: "_Means") -> Failure:
        """Say why a step failed; tests that failed with a module from elsewhere would have proved nothing, either."""
        if failure.step != "test" or failure.ended != "failed":
            return _hinted(failure, session.last_output)
        if self._witness:
            compared = session.run(means.steps[-1])
            if isinstance(compared, Failure) and session.last_output.startswith(_ERROR):
                return _hinted(compared, session.last_output)
        left_out = _LEFT_OUT if wants_source(self.planned.recipe.test) and self._left_out else ""
        known = "" if failure.last_lines and left_out else failure.hint
        hint = "; ".join(filter(None, (known, left_out)))
        return replace(failure, hint=hint)

    def _equip(self, session: Session, means: "_Means") -> Failure | None:
        tools = tools_volume(self.services, self.image)
        if isinstance(tools, Failure):
            return tools
        mounts = (*self.image.mounts, Mount(volume=tools, path=TOOLS))
        hidden = COMPILERS if self.image.facts.role == "build" else ()
        spec = ContainerSpec(image=self.image.reference, label=self.address, env={}, mounts=mounts, hidden=hidden)
        session.start(spec)
        store = self.services.memory.store
        session.put(wheel_files(store, [self.wheel, *means.files]), WHEELHOUSE)
        if wants_source(self.planned.recipe.test):
            session.put(source_files(self.planned.tree, left_out=self._left_out), SOURCE)
        if isinstance(means.emulator, Emulator):
            program = FileEntry(path=PurePosixPath(EMULATOR.name), content=means.emulator.content, mode=0o755)
            session.put([program], EMULATOR.parent)
        return None

    def _passed(self, means: "_Means", outcome: TrialPass, material: Material) -> TrialResult:
        unemulated = means.emulator.reason if isinstance(means.emulator, NoEmulator) else outcome.unemulated
        return TrialResult(
            interpreter=self.interpreter,
            image=self.image.facts.name,
            outcome="passed",
            duration_s=0.0 if material.from_store else outcome.duration_s,
            from_store=material.from_store,
            notes=(*means.about.notes, *outcome.notes),
            processor=self._model if isinstance(means.emulator, Emulator) and not unemulated else None,
            unemulated=unemulated,
            from_source=self.sdists.told,
            emulated=self._emulated,
            materials=(material,),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """What a trial runs with: the files installed beside the wheel, the subjects, the emulator, and the steps."""

    files: tuple[Artifact, ...]
    about: Subjects
    emulator: Emulator | NoEmulator | None
    steps: tuple[Step, ...]


def _hinted(failure: Failure, output: str) -> Failure:
    """Take the message from the program that tried the wheel, and add a hint."""
    is_told = failure.hint and not failure.last_lines
    if failure.step not in _TRYING or failure.ended != "failed" or is_told:
        return failure
    errors = (line.removeprefix(_ERROR) for line in output.splitlines() if line.startswith(_ERROR))
    return replace(failure, message=next(errors, failure.message), hint=_HINTS[failure.step], last_lines=())


_ERROR, _NOTE, _NONE = "error: ", "note: ", "unemulated: "  # what the guest that tries wheels begins its lines with
_HINTS = {
    "import": (
        "if the wheel needs a package that it does not require, name it in test: {requires: […]}; a module that no "
        "trial can import goes into test: {unimported: […]}"
    ),
    "start-commands": "test: {requires: […]} or {extras: […]} installs what it needs beside the wheel",
    "old-processor": (
        "compile without -march, -mavx and target-cpu, or choose by cpuid at run time; or say which processors the "
        "wheel is for: test: {processor: x86-64-v2}, or any"
    ),
    "import-origins": (
        "tests must import the installed wheel: leave test: {source: tests}, copy nothing but tests, and let no path "
        "(PYTHONPATH, sys.path, cd) lead to another copy; `pytest --pyargs PACKAGE` runs tests that the wheel holds"
    ),
}
_LEFT_OUT = (
    "{source} holds no modules of the wheel's own packages, so that tests import the installed ones; `pytest --pyargs "
    "PACKAGE` runs tests that the wheel holds, test: {source: whole} gives all files"
)
_TRYING = frozenset(_HINTS)
_OLDEST = "the oldest versions that METADATA allows"
_BOUNDS = "raise that lower bound in the project's metadata, or leave lowest-direct out of test: {resolve: …}"
_GIL = " switches the GIL on: "  # as the guest that tries wheels says it
_STAYS_OFF = (
    "declare it in the module's source, which Cython does by `# cython: freethreading_compatible=True` and pybind11 by "
    "py::mod_gil_not_used(); or accept it in the recipe, with the reason: test: {gil: {allowed: …}}"
)
