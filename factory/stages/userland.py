"""Bring the userland of another machine to a trial image, for an emulator that runs that machine's Python."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import PurePosixPath

from factory.digest import chunks
from factory.engine import tarstream
from factory.engine.api import FileEntry, Mount, TreeEntry
from factory.errors import ImageError
from factory.failure import Failure
from factory.images.emulator import Emulator, NoEmulator, emulator_of
from factory.images.interpreters import Packed
from factory.images.known import spec_named
from factory.images.ready import ReadyImage
from factory.images.spec import ImageSpec
from factory.images.userland import packed_userland
from factory.keys import key
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.steps import USERLAND, USERLAND_EMULATOR
from factory.store import Store

_LIMIT_BYTES = 2 << 30


def with_userland(services: Services, image: ReadyImage, machine: str, subject: str) -> ReadyImage | Failure:
    """Return an image with its suite's userland for a machine mounted.

    Where no emulator could run it the image stays as it is, and nothing is downloaded; trials there say so.

    Raises:
        Interrupted: the run was cancelled meanwhile.
    """
    emulator = emulator_of(services.host.path, machine)
    if isinstance(emulator, NoEmulator):
        return image
    spec, facts = spec_named(image.facts.name), image.facts.on(machine)
    if not isinstance(spec, ImageSpec) or facts is None:
        raise AssertionError(f"{image.facts.name} has no userland for {machine}")
    progress = services.recorder.progress(subject)
    try:
        packed = packed_userland(spec, machine, host=services.host, memory=services.memory, progress=progress)
    except ImageError as error:  # Only the trials on that machine can do nothing without it.
        return Failure(step="userland", message=error.message, hint=error.hint)
    content = key({"userland": str(packed.tar.digest), "emulator": str(emulator.digest)})
    volume = filled_volume(services, "userland", content, lambda: _files(services.memory.store, packed, emulator))
    if isinstance(volume, Failure):
        return volume
    return replace(image.with_mounts("userland", content, Mount(volume=volume, path=USERLAND)), facts=facts)


@contextmanager
def _files(store: Store, packed: Packed, emulator: Emulator) -> Iterator[Iterator[TreeEntry]]:
    program = FileEntry(path=PurePosixPath(USERLAND_EMULATOR.name), content=emulator.content, mode=0o755)
    with store.open_blob(packed.tar.digest) as tar:
        yield chain(tarstream.entries(chunks(tar), limit_bytes=_LIMIT_BYTES), [program])
