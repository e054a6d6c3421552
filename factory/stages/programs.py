"""Build and run programs that link libpython, in a program image."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from factory.digest import Digest
from factory.engine.api import ContainerSpec, Mount
from factory.failure import Failure
from factory.images import ReadyImage
from factory.memory import Stage
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.commands import KeyedCommands, commands_of
from factory.stages.crates import Crates, crates_volume, lock_files
from factory.stages.source import source_files
from factory.steps import CARGO_HOME, SOURCE, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramsPass:
    """The remembered fact that every command ended with 0, and how long each step took."""

    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPrograms(Stage[ProgramsPass]):
    """A source whose programs these commands build and run; the interpreter is in the commands."""

    NAME, VERSION = "programs", 1

    source: Digest
    image: Digest
    crates: Crates | None
    commands: KeyedCommands


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The programs of one recipe on one interpreter: where they run, what cargo needs, and the commands.

    `planned` has the crate of the programs among those of its project.
    """

    services: Services
    planned: PlannedRecipe
    image: ReadyImage
    container: Session
    crates: Crates | None
    steps: tuple[Step, ...]

    def run(self) -> Failure | None:
        """Run the commands, unless the store remembers that these passed with these files."""
        stage = RunPrograms(
            source=self.planned.tree.digest,
            image=self.image.identity,
            crates=self.crates,
            commands=commands_of(self.steps),
        )
        outcome, _ = self.services.memory.once(stage, self._run)
        return outcome if isinstance(outcome, Failure) else None

    def _run(self) -> ProgramsPass | Failure:
        failure = self._start() or self.container.run_all(self.steps)
        return failure or ProgramsPass(seconds=MappingProxyType(dict(self.container.seconds)))

    def _start(self) -> Failure | None:
        """Start the container with the source and the crates."""
        mounts = list(self.image.mounts)
        if self.crates is not None:
            # A volume is filled only where a container starts: what fills it is no material, or reruns would differ.
            volume = crates_volume(self.services.noting(lambda _: None), self.planned, self.image, self.crates)
            if isinstance(volume, Failure):
                return volume
            mounts.append(Mount(volume=volume, path=CARGO_HOME))
        build = self.planned.recipe.build
        self.container.start(
            ContainerSpec(
                image=self.image.reference,
                label=self.container.subject,
                env={},
                mounts=tuple(mounts),
                memory_bytes=build.memory_bytes,
                workspace_bytes=build.disk_bytes,
            )
        )
        self.container.put(source_files(self.planned.tree), SOURCE)
        if self.crates is not None:
            self.container.put(lock_files(self.services, self.crates), SOURCE)
        return None
