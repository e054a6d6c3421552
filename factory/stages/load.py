"""Load every object of a wheel with the loader of the oldest libc, which finds what reading ELF files cannot."""

from collections.abc import Sequence
from dataclasses import dataclass

from factory.digest import Artifact, Digest
from factory.engine.api import ContainerSpec
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.images.spec import python
from factory.machines import WINDOWS_RUST
from factory.memory import Stage
from factory.sessions.services import Services
from factory.stages.commands import KeyedCommands, commands_of
from factory.stages.reading import Contents
from factory.stages.resolve import wheel_files
from factory.steps import WHEELHOUSE
from factory.trials.load import load_steps, windows_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The remembered fact that every object was resolved, and how long that took."""

    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Stage[Loaded]):
    """A wheel, whose objects the loader of an image resolves."""

    NAME, VERSION = "load", 2

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
    excluded: Sequence[str],
) -> tuple[Loaded | Failure, bool]:
    """Resolve a repaired wheel's objects by the loader of an image, except for the libraries in `excluded`.

    Also return whether the result came from the store.
    """
    asking, tolerated = python(image.facts, image.facts.interpreters[0]), contents.tolerated
    if image.facts.platform.arch in WINDOWS_RUST:
        steps = windows_steps(wheel.filename, contents.windows, asking, excluded=excluded, tolerated=tolerated)
    else:
        steps = load_steps(
            wheel.filename,
            contents.loadable,
            asking,
            platform=image.facts.platform,
            emulated=image.facts.platform.arch != image.machine,
            excluded=excluded,
            tolerated=tolerated,
        )

    def resolve() -> Loaded | Failure:
        with services.session(f"{address}@load") as session:
            session.start(ContainerSpec(image=image.reference, label=address, env={}, mounts=image.mounts))
            session.put(wheel_files(services.memory.store, [wheel]), WHEELHOUSE)
            failure = session.run_all(steps)
            return failure if failure is not None else Loaded(duration_s=sum(session.seconds.values()))

    stage = Load(wheel=wheel.digest, image=image.identity, commands=commands_of(steps))
    return services.memory.once(stage, resolve)
