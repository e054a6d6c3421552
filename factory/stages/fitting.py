"""What a build image becomes before cells use it: prepared as a recipe asks, and with Rust brought to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from factory import codec
from factory.engine.api import FileEntry, Mount
from factory.failure import Failure
from factory.images import ReadyImage
from factory.images.rust import RUST, RustBundle, bundled_files, input_digest, make_rust, rust_spec
from factory.keys import key
from factory.plan.model import Cell, Preparation
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.stages.prepared import prepared_image
from factory.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """One way to fit a build image; cells that ask for the same share it."""

    image: str
    preparation: Preparation | None
    bundled_rust: bool

    @property
    def name(self) -> str:
        """What the fitted image is called in this run: the image's own name where there is nothing to do."""
        parts = [self.image]
        if self.preparation is not None:
            parts.append(key({"preparation": codec.dump(self.preparation)}).short)
        if self.bundled_rust:
            parts.append("rust")
        return "+".join(parts)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return self.preparation is not None or self.bundled_rust


def fitting_of(cell: Cell) -> Fitting | None:
    """Say how a cell's image is fitted; None for a cell that no image builds."""
    if cell.image is None:
        return None
    return Fitting(image=cell.image, preparation=cell.preparation, bundled_rust=cell.rust == "bundle")


def fitted(services: Services, base: ReadyImage, fitting: Fitting) -> ReadyImage | Failure:
    """Fit an image.

    Raises:
        ImageError: Rust cannot be assembled here.
        Interrupted: the run was ended meanwhile.
    """
    subject = f"image:{fitting.name}"
    image: ReadyImage | Failure = base
    if fitting.preparation is not None:
        image = prepared_image(services, base, fitting.preparation, subject)
    if isinstance(image, Failure) or not fitting.bundled_rust:
        return image
    return with_rust(services, image)


def with_rust(services: Services, image: ReadyImage) -> ReadyImage | Failure:
    """Mount the bundle: a volume costs a copy once per engine, a layer of the image a walk over the tree of each.

    Raises:
        ImageError: Rust cannot be assembled here.
    """
    bundle = services.memory.surely(
        "rust", {"made of": str(input_digest(rust_spec()))}, RustBundle, lambda: _made(services)
    )
    volume = filled_volume(services, "rust", bundle.file.digest, lambda: _files(services.memory.store, bundle))
    return volume if isinstance(volume, Failure) else _mounted(image, bundle, volume)


def _mounted(image: ReadyImage, bundle: RustBundle, volume: str) -> ReadyImage:
    return replace(
        image,
        identity=key({"image": str(image.identity), "rust": str(bundle.file.digest)}),
        mounts=(*image.mounts, Mount(volume=volume, path=RUST)),
        path=f"{RUST / 'bin'}:{image.path}",
        base=None if image.base is None else _mounted(image.base, bundle, volume),
    )


def _made(services: Services) -> RustBundle:
    with services.recorder.step("image:rust", "image") as mark:
        bundle = make_rust(services.host, services.memory.store, services.recorder.progress("image:rust"))
        mark.outcome = "passed"
        return bundle


@contextmanager
def _files(store: Store, bundle: RustBundle) -> Iterator[Iterator[FileEntry]]:
    with store.lend(bundle.file) as tar:
        yield bundled_files(tar)
