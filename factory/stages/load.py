"""Load every object of a wheel with the loader of the oldest libc, which finds what reading ELF files cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from factory.digest import Artifact, Digest
from factory.engine.api import ContainerSpec
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.images.spec import python
from factory.machines import WINDOWS_RUST
from factory.memory import Stage
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.commands import KeyedCommands, commands_of
from factory.stages.reading import Contents
from factory.stages.resolve import wheel_files
from factory.steps import WHEELHOUSE, WORK, Step
from factory.trials.load import load_steps, windows_steps

_MOST_BYTES: Final = 64 << 20  # of wheels in one container, where they stay and are unpacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The remembered fact that every object was resolved, and how long that took."""

    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Stage[Loaded]):
    """A wheel, whose objects the loader of an image resolves."""

    NAME, VERSION = "load", 3

    wheel: Digest
    image: Digest
    commands: KeyedCommands


def load_wheel(
    services: Services,
    address: str,
    wheel: Artifact,
    contents: Contents,
    image: ReadyImage,
    *,
    project: str,
    excluded: Sequence[str],
) -> tuple[Loaded | Failure, bool]:
    """Resolve a repaired wheel's objects by the loader of an image, except for the libraries in `excluded`.

    The wheels of one `project` follow each other in one container, each in a folder of its own: the loader runs no code
    of theirs, and if a wheel attacked the loader itself, only its own project's wheels would come after it. wine runs
    a module's code, so each wheel for Windows has a container of its own.
    Also return whether the result came from the store.
    """
    work = _Work(services=services, address=address, wheel=wheel, image=image, project=project)
    steps = work.steps(contents, excluded)
    stage = Load(wheel=wheel.digest, image=image.identity, commands=commands_of(steps))
    return services.memory.once(stage, lambda: work.resolve(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    services: Services
    address: str
    wheel: Artifact
    image: ReadyImage
    project: str

    @property
    def _runs_code(self) -> bool:
        return self.image.facts.platform.arch in WINDOWS_RUST

    @property
    def _folder(self) -> PurePosixPath:
        return WORK if self._runs_code else WORK / self.wheel.digest.short

    def steps(self, contents: Contents, excluded: Sequence[str]) -> tuple[Step, ...]:
        facts, tolerated = self.image.facts, contents.tolerated
        asking, filename = python(facts, facts.interpreters[0]), self.wheel.filename
        if self._runs_code:
            return windows_steps(filename, contents.windows, asking, excluded=excluded, tolerated=tolerated)
        return load_steps(
            filename,
            contents.loadable,
            asking,
            folder=self._folder,
            platform=facts.platform,
            emulated=facts.platform.arch != self.image.machine,
            excluded=excluded,
            tolerated=tolerated,
        )

    def resolve(self, steps: Sequence[Step]) -> Loaded | Failure:
        """Run the steps in a container of the project's, in which others of its wheels may have been before."""
        services = self.services
        loader = f"loader:{self.project}"
        spec = ContainerSpec(image=self.image.reference, label=loader, env={}, mounts=self.image.mounts)

        def work(kept: Session) -> Loaded | Failure:
            with services.session(f"{self.address}@load") as session:
                session.use(kept.container, spec)
                session.put(wheel_files(services.memory.store, [self.wheel]), self._folder / WHEELHOUSE.name)
                failure = session.run_all(steps)
                return failure if failure is not None else Loaded(duration_s=sum(session.seconds.values()))

        return services.shared.use(
            (self.project, spec),
            lambda: services.session(loader),
            work,
            size_bytes=self.wheel.size_bytes,
            most_bytes=0 if self._runs_code else _MOST_BYTES,
        )
