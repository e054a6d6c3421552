"""One try of one wheel: a clean container of a plain image, offline, where the wheel is installed, imported, tested."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement
from packaging.utils import NormalizedName, parse_wheel_filename

from factory.audit.modules import module_files
from factory.backends.base import SOURCE, TOOLS, WHEELHOUSE, Step
from factory.backends.trial import requirements_of, trial_steps, wants_source
from factory.codec import JSON
from factory.digest import Artifact
from factory.engine.api import ContainerSpec, FileEntry, Mount
from factory.images import ReadyImage
from factory.pipeline.bench import Bench
from factory.pipeline.hands import Hands, tools_volume
from factory.pipeline.model import Failure, TrialResult
from factory.pipeline.order import Order
from factory.pipeline.requirements import resolved, wheel_files
from factory.pipeline.sources import source_files
from factory.pipeline.stages import commands_of
from factory.plan.model import Cell
from factory.tags import Interpreter
from factory.wheel import Wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPass:
    """The ledger's word that a trial passed, and how long it took."""

    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWork:
    """The work of one trial: `wheel` is the repaired one, `contents` what it holds."""

    hands: Hands
    order: Order
    cell: Cell
    interpreter: Interpreter
    image: ReadyImage
    wheel: Artifact
    contents: Wheel

    @property
    def address(self) -> str:
        """The cell's address with the interpreter: `nh3/cp38-abi3-…@cp313`."""
        return f"{self.cell.address}@{self.interpreter}"

    def work(self) -> TrialResult:
        """Try the wheel, unless the store remembers that this very trial passed."""
        files = self._files()
        if isinstance(files, Failure):
            return self.failed(files)
        steps = self._steps()
        outcome, from_store = self.hands.stages.once(
            "trial", self._inputs(files, steps), TrialPass, lambda: self._try(files, steps)
        )
        if isinstance(outcome, Failure):
            return self.failed(outcome)
        return TrialResult(
            interpreter=self.interpreter,
            image=self.image.facts.name,
            outcome="passed",
            duration_s=0.0 if from_store else outcome.duration_s,
            from_store=from_store,
        )

    def failed(self, failure: Failure) -> TrialResult:
        """Return this trial's result where it did not come to its end, or came to a bad one."""
        return TrialResult(
            interpreter=self.interpreter, image=self.image.facts.name, outcome=failure.ended, failure=failure
        )

    @property
    def _name(self) -> NormalizedName:
        if self.contents.name is None:
            raise AssertionError("the gate passes no wheel without a name")
        return self.contents.name.name

    def _files(self) -> tuple[Artifact, ...] | Failure:
        """Resolve what is installed beside the wheel; another file of the same project never lies beside it."""
        metadata = self.contents.metadata
        requires = metadata.requires_dist if metadata else ()
        try:
            wanted = requirements_of(
                self._name, requires, self.order.recipe.test, self.interpreter, self.cell.platform.arch
            )
        except InvalidRequirement as error:
            return Failure(step="install", message=f"Requires-Dist of the wheel is no requirement: {error}")
        resolution = resolved(
            self.hands,
            wanted,
            constraints=(),
            interpreter=self.interpreter,
            platform=self.image.facts.platform,
            subject=self.address,
        )
        if isinstance(resolution, Failure):
            return resolution
        return tuple(file for file in resolution.files if parse_wheel_filename(file.filename)[0] != self._name)

    def _steps(self) -> tuple[Step, ...]:
        recipe = self.order.recipe
        return trial_steps(
            self._name,
            self.wheel.filename,
            self._modules(),
            recipe.test,
            self.interpreter,
            epoch_s=self.order.tree.epoch_s,
        )

    def _modules(self) -> tuple[str, ...]:
        """Return the extension modules to import: those the recipe names; all of the wheel's where it tries nothing.

        A library that is no module may carry a module's suffix: what has no init function is none.
        """
        recipe = self.order.recipe
        if recipe.audit.modules or recipe.test.imports or recipe.test.run:
            return recipe.audit.modules
        found = (module for module in module_files(self.contents) if module.is_importable(self.contents))
        return tuple(sorted({module.name for module in found}))

    def _inputs(self, files: tuple[Artifact, ...], steps: tuple[Step, ...]) -> dict[str, JSON]:
        return {
            "wheel": str(self.wheel.digest),
            "image": str(self.image.identity),
            "requirements": sorted(str(file.digest) for file in files),
            "source": str(self.order.tree.digest) if wants_source(self.order.recipe.test) else None,
            "tools": str(self.hands.tools.digest),
            "commands": commands_of(steps),
        }

    def _try(self, files: tuple[Artifact, ...], steps: tuple[Step, ...]) -> TrialPass | Failure:
        with self.hands.bench(self.address) as bench:
            failure = self._equip(bench, files) or bench.run_all(steps)
            return failure if failure is not None else TrialPass(duration_s=sum(bench.seconds.values()))

    def _equip(self, bench: Bench, files: tuple[Artifact, ...]) -> Failure | None:
        tools = tools_volume(self.hands, self.image)
        if isinstance(tools, Failure):
            return tools
        mounts = (Mount(volume=tools, path=TOOLS, read_only=True),)
        bench.start(ContainerSpec(image=self.image.reference, label=self.address, env={}, mounts=mounts))
        store = self.hands.stages.store
        wheel = FileEntry(path=PurePosixPath(self.wheel.filename), content=store.read(self.wheel.digest))
        bench.put([wheel, *wheel_files(store, files)], WHEELHOUSE)
        if wants_source(self.order.recipe.test):
            bench.put(source_files(self.order.tree), SOURCE)
        return None
