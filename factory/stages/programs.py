"""Build and run programs that link libpython, in a program image."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from factory.digest import Digest
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.memory import Stage
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.commands import KeyedCommands, commands_of
from factory.stages.crates import Crates
from factory.stages.start import start_with_source
from factory.steps import Step


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
        failure = start_with_source(self.services, self.container, self.planned, self.image, self.crates)
        failure = failure or self.container.run_all(self.steps)
        return failure or ProgramsPass(seconds=MappingProxyType(dict(self.container.seconds)))
