"""Bring Rust to an image that has none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from factory.digest import Digest
from factory.engine.api import FileEntry, Mount
from factory.failure import Failure
from factory.images import ReadyImage
from factory.images.rust import RUST, RustBundle, bundled_files, input_digest, make_rust, rust_spec
from factory.keys import key
from factory.memory import KEY, Flag, Stage
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRust(Stage[RustBundle]):
    """The Rust bundle, made of our data files and the suite's packages."""

    # Making it takes long and has nothing to do with the recipe whose work --no-cache does again.
    NAME, VERSION, REDONE_BY = "rust", 1, frozenset[Flag]({"update"})

    made_of: Digest = field(metadata={KEY: "made of"})


def with_rust(services: Services, image: ReadyImage) -> ReadyImage | Failure:
    """Return an image with the Rust bundle mounted; one that has it mounted is returned as it is.

    A volume is filled once per engine; committing Rust as a layer would walk the whole tree of each image.

    Raises:
        ImageError: Rust cannot be assembled.
    """
    if any(mount.path == RUST for mount in image.mounts):
        return image
    stage = MakeRust(made_of=input_digest(rust_spec()))
    bundle = services.memory.surely(stage, lambda: _made(services))
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
