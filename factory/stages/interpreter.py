"""Bring an interpreter to an image that does not hold it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from factory.digest import chunks
from factory.engine import tarstream
from factory.engine.api import Mount, TreeEntry
from factory.errors import ImageError
from factory.failure import Failure
from factory.images.interpreters import Maker, Packed
from factory.images.on_demand import on_demand_spec
from factory.images.ready import ReadyImage
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.steps import image_python
from factory.store import Store
from factory.tags import Interpreter

_LIMIT_BYTES = 2 << 30


def with_interpreter(
    services: Services, image: ReadyImage, interpreter: Interpreter, subject: str
) -> ReadyImage | Failure:
    """Return an image with an interpreter mounted where the pypa images have theirs; it is made if need be.

    Whatever needs no interpreter of the recipe's own, such as fetching crates, is done in the image without it, and is
    shared with cells that do not ask for it.

    Raises:
        Interrupted: the run was cancelled meanwhile.
    """
    maker = Maker(
        spec=on_demand_spec().on(image.machine),
        host=services.host,
        memory=services.memory,
        progress=services.recorder.progress(subject),
    )
    try:
        packed = maker.made(interpreter)
    except ImageError as error:  # Only the cells that ask for it can do nothing without it.
        return Failure(step="interpreter", message=error.message, hint=error.hint)
    volume = filled_volume(services, "python", packed.tar.digest, lambda: _files(services.memory.store, packed))
    if isinstance(volume, Failure):
        return volume
    mount = Mount(volume=volume, path=image_python(interpreter).parents[1])
    return replace(image.with_mounts("interpreter", packed.tar.digest, mount), base=image.base or image)


@contextmanager
def _files(store: Store, packed: Packed) -> Iterator[Iterator[TreeEntry]]:
    with store.open_blob(packed.tar.digest) as tar:
        yield tarstream.entries(chunks(tar), limit_bytes=_LIMIT_BYTES)
