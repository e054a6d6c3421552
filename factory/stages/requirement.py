"""Build the wheel of a requirement that the indexes have only as an sdist, as a cell is built."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from factory.backends.environment import build_env
from factory.backends.hooks import hook_step
from factory.backends.settings import config_settings
from factory.digest import Artifact
from factory.errors import PlanError, SourceError
from factory.excerpt import listed
from factory.failure import Failure
from factory.images.on_demand import brought, offered
from factory.images.ready import ReadyImage
from factory.installable import supported_tags
from factory.plan.model import Builder, Cell, Plan
from factory.plan.toolchain import rust_of
from factory.planned import PlannedRecipe
from factory.recipe.model import BuildSpec, Recipe, SdistSource
from factory.resolve import MOST_SDISTS, Release
from factory.sessions.services import Services
from factory.sessions.sources import SourceServices
from factory.stages.build import Build, Built, build
from factory.stages.cell_session import CellSession
from factory.stages.prepare import prepare
from factory.stages.reading import Readings
from factory.stages.rust import with_rust
from factory.stages.rust_release import with_release
from factory.stages.source import tree_of
from factory.stages.tree import project_of
from factory.tags import Interpreter, tag_for
from factory.untrusted import UntrustedTextError, parse_wheel_name

_DEEPEST = 3  # sdists, each of which is needed to build the one before
_WAY = (
    "constrain it to a version that has a wheel (build: {constraints: […]}, or test: {requires: […]}), or configure an "
    "index that has one; the recipe's build: {constraints: …} and {system: …} hold for this build, too"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequirement(Build):
    """The sdist of a requirement, and what it is built with; its wheel is neither repaired nor released."""

    NAME, VERSION = "requirement", 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SdistBuilder:
    """Builds the sdists that one build or trial, the `subject`, needs: in a build image, by one of its interpreters.

    `spec` is how the recipe builds its own wheel, and `added` what it has added to the image. `chain` are releases each
    of which needs the next one to be built; `built` collects the wheels of all.
    """

    services: Services
    subject: str
    spec: BuildSpec
    image: ReadyImage
    added: tuple[str, ...]
    interpreter: Interpreter
    chain: tuple[Release, ...] = ()
    built: dict[Release, Artifact] = field(default_factory=dict)

    @property
    def told(self) -> tuple[str, ...]:
        """The releases that were built, for people."""
        return tuple(map(str, self.built))

    def build(self, release: Release) -> Artifact | Failure:
        """Return the wheel of a release: offline, unprivileged and limited as every build, unless it is remembered."""
        if release in self.built:
            return self.built[release]
        if refusal := self._refusal(release):
            return Failure(step="resolve", message=refusal, hint=_WAY)
        try:
            outcome = self._built(release, self._planned(release))
        except (SourceError, PlanError) as error:
            outcome = Failure(step="source", message=error.message)
        if isinstance(outcome, Failure):
            message = f"{release} could not be built from its sdist: {outcome.message}"
            return replace(outcome, message=message, hint=_way(outcome.hint))
        self.built[release] = outcome
        return outcome

    def _refusal(self, release: Release) -> str:
        """Say why a release is not built; empty if it may be."""
        if release in self.chain:
            cycle = (*self.chain[self.chain.index(release) :], release)
            return f"{_needs(cycle)}: no index has a wheel that fits"
        if len(self.chain) == _DEEPEST:
            return f"{_needs((*self.chain, release))}: at most {_DEEPEST} sdists are built for one another"
        if len(self.built) + len(self.chain) == MOST_SDISTS:
            others = listed([str(other) for other in (*self.built, *self.chain)])
            return f"{release} has to be built from its sdist, after {others}: at most {MOST_SDISTS} are"
        if self.interpreter not in self.image.facts.interpreters:
            image = self.image.facts.name
            return (
                f"{release} has to be built from its sdist, and {image}, where that is done, has no {self.interpreter}"
            )
        return ""

    def _planned(self, release: Release) -> PlannedRecipe:
        """Plan what a recipe would owe that names the release and nothing else: one wheel, without a trial.

        Raises:
            SourceError: the sdist cannot be fetched or read.
            PlanError: the image has no Rust that it could be built with.
        """
        services, image = self.services, offered(brought(self.image.facts), self.services.host)
        recipe = Recipe(
            name=release.name,
            file=Path(),
            source=SdistSource(name=release.name, version=release.version),
            interpreters=(),
            platforms=(image.platform,),
            build=BuildSpec(constraints=self.spec.constraints),
        )
        tree, _ = tree_of(recipe, SourceServices(memory=services.memory, host=services.host, reader=services.reader))
        project = project_of(services.memory, tree)
        if project.absent_locks:  # cargo then makes one, as it does for pip
            recipe = replace(recipe, build=replace(recipe.build, locked=False))
        rust, brought_rust = rust_of(recipe, project, image, image.platform)
        cell = Cell(
            recipe=release.name,
            product=tag_for(self.interpreter, image.platform),
            floor=None,
            platform=image.platform,
            builder=Builder(interpreter=self.interpreter, image=image.name, rust=rust, rust_release=brought_rust),
            trials=(),
            machine=self.image.machine,
        )
        plan = Plan(
            recipe=release.name,
            file=recipe.file,
            distribution=project.name,
            version=project.version,
            floor_source="",
            cells=(cell,),
        )
        return PlannedRecipe(recipe=recipe, tree=tree, project=project, plan=plan)

    def _built(self, release: Release, planned: PlannedRecipe) -> Artifact | Failure:
        """Prepare and build, in a container that starts only if something is not remembered."""
        (cell,), spec, services = planned.plan.cells, planned.recipe.build, self.services
        image = self._with_rust(cell)
        if isinstance(image, Failure):
            return image
        env = build_env(spec, planned.project, self.interpreter, epoch_s=planned.tree.epoch_s, system=image.path)
        settings = config_settings(spec, planned.project, None)
        with services.session(cell.address, services.asking(cell.address, image.facts, self.added)) as container:
            session = CellSession(
                services=services,
                planned=planned,
                cell=cell,
                interpreter=self.interpreter,
                image=image,
                container=container,
                readings=Readings(store=services.memory.store, reader=services.reader),
                env=env,
                passed={},
                build_sdist=replace(self, chain=(*self.chain, release)).build,
            )
            prepared = prepare(session, settings)
            if isinstance(prepared, Failure):
                return prepared
            step = hook_step("wheel", planned.project, settings, env, subdir="", timeout_s=spec.timeout_s)
            built = build(session, prepared, (step,), BuildRequirement)
        return built if isinstance(built, Failure) else self._fitting(release, built)

    def _with_rust(self, cell: Cell) -> ReadyImage | Failure:
        builder, image = cell.builder, self.image
        if builder is None or builder.rust in (None, "image"):
            return image
        if builder.rust_release is None:
            return with_rust(self.services, image)
        return with_release(self.services, image, builder.rust_release)

    def _fitting(self, release: Release, built: Built) -> Artifact | Failure:
        """Refuse a wheel that the resolver would not take, and ask for over and over."""
        filename = built.wheel.filename
        try:
            name, version, _, tags = parse_wheel_name(filename)
        except UntrustedTextError as error:
            return Failure(step="build", message=f"{filename} {error}")
        if (name, version) != (release.name, release.version):
            return Failure(step="build", message=f"expected a wheel of {release}, but {filename} came out")
        if tags.isdisjoint(supported_tags(self.interpreter, self.image.facts.platform, built_here=True)):
            return Failure(step="build", message=f"{filename} does not run on {self.interpreter}")
        if built.is_here:
            told = f"built from source: {release} (only an sdist on the index fits)"
            self.services.recorder.progress(self.subject)(told)
        return built.wheel


def _way(hint: str) -> str:
    """Say what helps where a build failed; of what helps a cell's build, only system packages and constraints do."""
    return f"{hint}; or {_WAY}" if hint.startswith("build: {system:") else _WAY


def _needs(chain: Sequence[Release]) -> str:
    """Say which sdist needs which: `a 1.0 needs b 2.0 to be built, which needs a 1.0 to be built`."""
    first, *others = map(str, chain)
    return f"{first} needs {' to be built, which needs '.join(others)} to be built"
