"""Everything a build needs, known before it starts: its environment's wheels, and its crates."""

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement

from factory.backends.environment import environment_step, install_step, remove_step
from factory.backends.hooks import hook_step
from factory.codec import JSON
from factory.digest import Artifact
from factory.engine.api import ContainerSpec, Mount
from factory.failure import Failure
from factory.images import ReadyImage
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.redaction import Search
from factory.resolve import Resolution
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.commands import commands_of
from factory.stages.crates import Crates, crates_of, crates_volume, lock_files
from factory.stages.resolve import resolved, wheel_files
from factory.stages.source import source_files
from factory.stages.tools import tools_volume
from factory.steps import BUILT, CARGO_HOME, SOURCE, TOOLS, WHEELHOUSE
from factory.tags import Interpreter
from factory.untrusted import UntrustedTextError, excerpt, parse_json, parse_requirement

_REQUIRES_LIMIT_BYTES = 1 << 20
_HOOK_TIMEOUT_S = 300
_MOST_REQUIREMENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What goes into a build beside its source: every wheel of its environment, and its crates if it has any."""

    files: tuple[Artifact, ...]
    crates: Crates | None


@dataclass(slots=True, kw_only=True)
class CellSession:
    """A cell's container with its source and environment in place, put together when something must run there."""

    services: Services
    planned: PlannedRecipe
    cell: Cell
    interpreter: Interpreter
    image: ReadyImage
    session: Session
    env: Mapping[str, str]
    passed: Mapping[str, str]
    installed: frozenset[Artifact] = frozenset()
    crates: Crates | None = None
    is_built: bool = False

    def equip(self, files: tuple[Artifact, ...], crates: Crates | None) -> Failure | None:
        """Start the container unless it runs, and install these wheels unless they are installed."""
        if not self.session.started and (failure := self.start(crates)) is not None:
            return failure
        fresh = tuple(file for file in files if file not in self.installed)
        if not fresh:
            return None
        self.session.put(wheel_files(self.services.memory.store, fresh), WHEELHOUSE)
        self.installed |= set(fresh)
        return self.session.run_all([install_step(tuple(file.filename for file in fresh), self.env)])

    def start(self, crates: Crates | None) -> Failure | None:
        """Start the container with source, tools and crates, and an empty environment."""
        tools = tools_volume(self.services, self.image)
        if isinstance(tools, Failure):
            return tools
        mounts = [*self.image.mounts, Mount(volume=tools, path=TOOLS)]
        if crates is not None:
            volume = crates_volume(self.services, self.planned, self.image, crates)
            if isinstance(volume, Failure):
                return volume
            mounts.append(Mount(volume=volume, path=CARGO_HOME))
        build = self.planned.recipe.build
        self.session.start(
            ContainerSpec(
                image=self.image.reference,
                label=self.cell.address,
                env={},
                mounts=tuple(mounts),
                memory_bytes=build.memory_bytes,
                workspace_bytes=build.disk_bytes,
            )
        )
        self.crates = crates
        self._put_source()
        return self.session.run_all((environment_step(self.interpreter, self.env),))

    def renew_source(self) -> Failure | None:
        """Lay the source anew after the backend's hook ran in it: a build that needs no hook begins with the same."""
        failure = self.session.run_all((remove_step(SOURCE, BUILT, env=self.env),))
        if failure is None:
            self._put_source()
        return failure

    def _put_source(self) -> None:
        self.session.put(source_files(self.planned.tree), SOURCE)
        if self.crates is not None:
            self.session.put(lock_files(self.services, self.crates), SOURCE)


def prepare(place: CellSession, settings: Mapping[str, str | list[str]]) -> Prepared | Failure:
    """Resolve the static requirements, fetch the crates, ask the backend what more it needs, and resolve that."""
    build, project = place.planned.recipe.build, place.planned.project
    static = _resolved(place, (*project.build_system.requires, *build.requires))
    if isinstance(static, Failure):
        return static
    crates = crates_of(place.services, place.planned, place.image)
    if isinstance(crates, Failure):
        return crates
    asked = _dynamic(place, static, crates, settings)
    if isinstance(asked, Failure):
        return asked
    dynamic = _resolved(place, (*project.build_system.requires, *build.requires, *asked)) if asked else static
    if isinstance(dynamic, Failure):
        return dynamic
    return Prepared(files=dynamic.files, crates=crates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """What the backend's hook asked for beyond the static requirements."""

    requirements: tuple[Requirement, ...]


def _resolved(place: CellSession, requirements: tuple[Requirement, ...]) -> Resolution | Failure:
    return resolved(
        place.services,
        requirements,
        constraints=place.planned.recipe.build.constraints,
        interpreter=place.interpreter,
        platform=place.image.facts.platform,
        subject=place.cell.address,
    )


def _dynamic(
    place: CellSession, static: Resolution, crates: Crates | None, settings: Mapping[str, str | list[str]]
) -> tuple[Requirement, ...] | Failure:
    subdir = place.planned.recipe.source.subdir
    step = hook_step(
        "requires", place.planned.project, settings, place.env, place.passed, subdir=subdir, timeout_s=_HOOK_TIMEOUT_S
    )
    inputs: dict[str, JSON] = {
        "source": str(place.planned.tree.digest),
        "image": str(place.image.identity),
        "interpreter": str(place.interpreter),
        "requirements": sorted(str(file.digest) for file in static.files),
        "commands": commands_of((step,)),
        "tools": str(place.services.tools.digest),
    }

    def make() -> Dynamic | Failure:
        failure = place.equip(static.files, crates)
        if failure is not None:
            return failure
        ended = place.session.run(step)
        asked = ended if isinstance(ended, Failure) else _read_requires(place.session, place.passed)
        return asked if isinstance(asked, Failure) else place.renew_source() or asked

    outcome, _ = place.services.memory.once("prepare", inputs, Dynamic, make)
    return outcome if isinstance(outcome, Failure) else outcome.requirements


def _read_requires(session: Session, passed: Mapping[str, str]) -> Dynamic | Failure:
    """Read what the hook asked for; the index, which is asked for it, is told no value of the caller's environment."""
    taken = session.take(BUILT / "requires.json", "requirements", limit_bytes=_REQUIRES_LIMIT_BYTES)
    if isinstance(taken, Failure):
        return taken
    if len(taken) != 1:
        return Failure(step="requirements", message=f"the backend's hook left {len(taken)} files; one was expected")
    try:
        asked = parse_requires(taken[0].content)
    except UntrustedTextError as error:
        return Failure(step="requirements", message=f"the answer of the backend's requirements hook {error}")
    if name := Search.of(passed).first_in(f"{requirement}\n".encode() for requirement in asked):
        return Failure(step="requirements", message=f"the backend asked for what holds the value of {name}")
    return Dynamic(requirements=asked)


def parse_requires(content: bytes) -> tuple[Requirement, ...]:
    """Read what a backend's requirements hook asked for: a list of requirements, as JSON.

    Raises:
        UntrustedTextError: it is something else.
    """
    texts = parse_json(content)
    if not isinstance(texts, list) or len(texts) > _MOST_REQUIREMENTS:
        raise UntrustedTextError(f"is not a list of at most {_MOST_REQUIREMENTS} requirements")
    return tuple(_requirement(text) for text in texts)


def _requirement(text: object) -> Requirement:
    if not isinstance(text, str):
        raise UntrustedTextError("has an item that is not text")
    try:
        return parse_requirement(text)
    except UntrustedTextError as error:
        raise UntrustedTextError(f"holds {excerpt(text)}, which {error}") from error
