"""Start a container in which a source is built: with its crates, within the limits of the recipe's builds."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from factory.engine.api import ContainerSpec, Mount
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.stages.crates import Crates, crates_volume, lock_files
from factory.stages.source import source_files
from factory.steps import CARGO_HOME, SOURCE


def start_with_source(
    services: Services,
    container: Session,
    planned: PlannedRecipe,
    image: ReadyImage,
    crates: Crates | None,
    *,
    mounts: Sequence[Mount] = (),
    hidden: tuple[PurePosixPath, ...] = (),
) -> Failure | None:
    """Start it with the source and the crates; `mounts` come besides the image's own, `hidden` folders are empty."""
    mounted = [*image.mounts, *mounts]
    if crates is not None:
        # A volume is filled only where a container starts: what fills it is no material, or reruns would name others.
        volume = crates_volume(services.noting(lambda _: None), planned, image, crates)
        if isinstance(volume, Failure):
            return volume
        mounted.append(Mount(volume=volume, path=CARGO_HOME))
    build = planned.recipe.build
    container.start(
        ContainerSpec(
            image=image.reference,
            label=container.subject,
            env={},
            mounts=tuple(mounted),
            hidden=hidden,
            memory_bytes=build.memory_bytes,
            workspace_bytes=build.disk_bytes,
        )
    )
    put_source(services, container, planned, crates)
    return None


def put_source(services: Services, container: Session, planned: PlannedRecipe, crates: Crates | None) -> None:
    """Write the source, and the locks of its crates over its own."""
    container.put(source_files(planned.tree), SOURCE)
    if crates is not None:
        container.put(lock_files(services, crates), SOURCE)
