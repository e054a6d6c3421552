"""Bring the userland of another machine to a trial image, for an emulator that runs its Python; for Windows', wine."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import PurePosixPath

from factory.digest import chunks
from factory.engine import tarstream
from factory.engine.api import ContainerSpec, FileEntry, Mount, StreamEntry, TreeEntry
from factory.errors import ImageError
from factory.failure import Failure
from factory.images.emulator import Emulator, NoEmulator, emulator_of
from factory.images.interpreters import Packed
from factory.images.known import spec_named
from factory.images.ready import ReadyImage
from factory.images.spec import ImageSpec
from factory.images.userland import packed_userland
from factory.keys import key
from factory.machines import WINDOWS_RUST
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.steps import USERLAND, USERLAND_EMULATOR, WINE, WORK, Step, search_path, trial_python
from factory.store import Store

_LIMIT_BYTES = 2 << 30
_COPY = WORK / "userland"
_TIMEOUT_S = 600


def with_userland(services: Services, image: ReadyImage, machine: str, subject: str) -> ReadyImage | Failure:
    """Return an image with its suite's userland for a machine mounted.

    Where no emulator could run it the image stays as it is, and nothing is downloaded; trials there say so.

    Raises:
        Interrupted: the run was cancelled meanwhile.
    """
    if machine in WINDOWS_RUST:
        return _with_wine(services, image, machine, subject)
    emulator = emulator_of(services.host.path, machine, image.machine)
    if isinstance(emulator, NoEmulator):
        return image
    packed = _packed(services, image, machine, subject)
    if isinstance(packed, Failure):
        return packed
    content = key({"userland": str(packed.tar.digest), "emulator": str(emulator.digest)})
    volume = filled_volume(services, "userland", content, lambda: _files(services, image, packed, emulator, subject))
    if isinstance(volume, Failure):
        return volume
    return _on(machine, image.with_mounts("userland", content, Mount(volume=volume, path=USERLAND)))


def _with_wine(services: Services, image: ReadyImage, machine: str, subject: str) -> ReadyImage | Failure:
    packed = _packed(services, image, machine, subject)
    if isinstance(packed, Failure):
        return packed
    content, store = packed.tar.digest, services.memory.store
    volume = filled_volume(services, "wine", content, lambda: nullcontext(_entries(store, packed)))
    if isinstance(volume, Failure):
        return volume
    return _on(machine, image.with_mounts("wine", content, Mount(volume=volume, path=WINE)))


def _on(machine: str, image: ReadyImage) -> ReadyImage:
    return replace(image, facts=image.facts.on(machine) or image.facts)


def _packed(services: Services, image: ReadyImage, machine: str, subject: str) -> Packed | Failure:
    spec = spec_named(image.facts.name)
    if not isinstance(spec, ImageSpec) or machine not in spec.facts.machines:
        raise AssertionError(f"{image.facts.name} has no userland for {machine}")
    progress = services.recorder.progress(subject)
    try:
        return packed_userland(spec, machine, host=services.host, memory=services.memory, progress=progress)
    except ImageError as error:  # Only what is tried on that machine can do nothing without it.
        return Failure(step="userland", message=error.message, hint=error.hint)


@contextmanager
def _files(
    services: Services, image: ReadyImage, packed: Packed, emulator: Emulator, subject: str
) -> Iterator[Iterable[TreeEntry] | Failure]:
    """Add the emulator, and bytecode, without which Python takes ten times as long to begin under it.

    The image's own interpreter compiles it, as it is the same version.
    """
    program = FileEntry(path=PurePosixPath(USERLAND_EMULATOR.name), content=emulator.content, mode=0o755)
    store = services.memory.store
    with services.session(subject) as session:
        session.start(ContainerSpec(image=image.reference, label=subject, env={}))
        session.put(_sources(store, packed), _COPY)
        failure = session.run_all(_compile_step(trial_python(name)) for name in image.facts.interpreters)
        compiled = session.container.copy_tree(_COPY, limit_bytes=_LIMIT_BYTES)
        bytecode = (entry for entry in compiled if entry.path.suffix == ".pyc")
        yield failure or chain(_entries(store, packed), bytecode, [program])


def _entries(store: Store, packed: Packed) -> Iterator[TreeEntry]:
    with store.open_blob(packed.tar.digest) as tar:
        yield from tarstream.entries(chunks(tar), limit_bytes=_LIMIT_BYTES)


def _sources(store: Store, packed: Packed) -> Iterator[StreamEntry]:
    for entry in _entries(store, packed):
        if isinstance(entry, StreamEntry) and entry.path.suffix == ".py":
            yield entry


def _compile_step(python: PurePosixPath) -> Step:
    """Compile without the times of the files (PEP 552), as in the trial images."""
    folders = ("-s", str(_COPY), "-p", str(USERLAND), str(_COPY / "usr/lib" / python.name))
    argv = (str(python), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *folders)
    env = {"PATH": search_path(), "LC_ALL": "C.UTF-8"}
    return Step(name="compile-userland", argv=argv, env=env, phase="prepare", timeout_s=_TIMEOUT_S)
