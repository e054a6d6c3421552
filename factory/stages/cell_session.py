"""A cell's container with its source, tools, crates and environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from factory.backends.environment import copy_step, environment_step, install_step, remove_step
from factory.digest import Artifact
from factory.engine.api import Mount
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.crates import Crates
from factory.stages.maturin import maturin_program
from factory.stages.reading import Readings
from factory.stages.resolve import BuildSdist, wheel_files
from factory.stages.start import put_source, start_with_source
from factory.stages.tools import tools_volume
from factory.steps import (
    BUILT,
    INTERPRETERS,
    MATURIN,
    SOURCE,
    TOOLS,
    WHEELHOUSE,
    ZIG_CACHE,
    ZIG_SEED,
)
from factory.tags import Interpreter


@dataclass(slots=True, kw_only=True)
class CellSession:
    """A cell's container with its source and environment, started by the first stage that has to run something.

    Where `interpreter` is None, the image's interpreters are hidden, and maturin's program is all of the environment.
    `build_sdist` builds what the environment needs and the indexes have only as an sdist.
    """

    services: Services
    planned: PlannedRecipe
    cell: Cell
    interpreter: Interpreter | None
    image: ReadyImage
    container: Session
    readings: Readings
    env: Mapping[str, str]
    passed: Mapping[str, str]
    build_sdist: BuildSdist
    installed: frozenset[Artifact] = frozenset()
    crates: Crates | None = None

    @property
    def resolved_for(self) -> Interpreter:
        """The interpreter that build requirements are resolved for: the one that builds, else that of the floor."""
        floor = self.cell.floor
        if self.interpreter is None and floor is not None:
            return Interpreter(floor.minor, floor.free_threaded)
        if self.interpreter is None:
            raise AssertionError(f"planning refuses {self.cell.address} without an interpreter")
        return self.interpreter

    def equip(self, files: tuple[Artifact, ...], crates: Crates | None) -> Failure | None:
        """Start the container unless it runs, and install these wheels unless they are installed."""
        if not self.container.started and (failure := self.start(crates)) is not None:
            return failure
        fresh = tuple(file for file in files if file not in self.installed)
        if not fresh:
            return None
        self.installed |= set(fresh)
        return self._install(fresh) if self.interpreter is not None else self._put_maturin(fresh)

    def _install(self, files: tuple[Artifact, ...]) -> Failure | None:
        self.container.put(wheel_files(self.services.memory.store, files), WHEELHOUSE)
        return self.container.run_all([install_step(tuple(file.filename for file in files), self.env)])

    def _put_maturin(self, files: tuple[Artifact, ...]) -> Failure | None:
        program = maturin_program(self.services.memory.store, files[0])
        if isinstance(program, Failure):
            return program
        self.container.put([program], MATURIN)
        return None

    def start(self, crates: Crates | None) -> Failure | None:
        """Start the container with source, tools and crates, and an empty environment."""
        # As with the crates, what fills the volume is no material.
        tools = tools_volume(self.services.noting(lambda _: None), self.image)
        if isinstance(tools, Failure):
            return tools
        failure = start_with_source(
            self.services,
            self.container,
            self.planned,
            self.image,
            crates,
            mounts=(Mount(volume=tools, path=TOOLS),),
            hidden=(INTERPRETERS,) if self.interpreter is None else (),
        )
        if failure is not None:
            return failure
        self.crates = crates
        if self.interpreter is None:
            return None
        steps = (environment_step(self.interpreter, self.env),)
        return self.container.run_all((copy_step(ZIG_SEED, ZIG_CACHE, self.env), *steps) if self.cell.by_zig else steps)

    def renew_source(self) -> Failure | None:
        """Write the source again after the backend's hook ran in it.

        A later run that remembers the hook's answer does not run the hook, and must build from the same files.
        """
        failure = self.container.run_all((remove_step(SOURCE, BUILT, env=self.env),))
        if failure is None:
            put_source(self.services, self.container, self.planned, self.crates)
        return failure
