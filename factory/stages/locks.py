"""Locks that cargo made because a recipe says `locked: false`: kept as evidence, and compared with the source's."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import PurePath

from factory.events.model import MadeLock
from factory.events.recorder import path_of
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.stages.crates import LOCK_LIMIT_BYTES, Crates
from factory.stages.manifests import Lock, manifests_of
from factory.untrusted import UntrustedTextError, decoded, parse_toml

_TIMES = LOCK_LIMIT_BYTES >> 22  # parse_toml counts in 4 MiB


def made_locks(services: Services, planned: PlannedRecipe, address: str, crates: Crates | None) -> tuple[MadeLock, ...]:
    """Write the locks that cargo made for a cell into the run's folder, and say so; none where it kept to the source's.

    Raises:
        OutputError: one cannot be written.
    """
    if crates is None or planned.recipe.build.locked:
        return ()
    made = tuple(_made(services, planned, address, lock) for lock in crates.locks)
    for lock in made:
        services.recorder.progress(address)(
            f"build.locked is false: {lock.path} is the one that cargo made, with {_told(lock)}; "
            f"it lies in {services.recorder.folder / lock.file}"
        )
    return made


def _made(services: Services, planned: PlannedRecipe, address: str, lock: Lock) -> MadeLock:
    content = services.memory.store.read(lock.file.digest)
    manifests = manifests_of(services.memory, planned)
    own = next((held for held in manifests.own if held.path == lock.path), None) if manifests else None
    old = None if own is None else services.memory.store.read(own.file.digest)
    file = PurePath("locks") / path_of(address) / lock.path
    services.recorder.write(file, [content])
    crates = locked_crates(content)
    kept = None if old is None else len(crates & locked_crates(old))
    return MadeLock(path=str(lock.path), file=str(file), crates=len(crates), kept=kept)


@lru_cache(maxsize=64)  # cells share locks, which may have thousands of lines
def locked_crates(content: bytes) -> frozenset[tuple[str, str, str]]:
    """Return the name, version and source of every crate that a lock pins; nothing where it cannot be read."""
    try:
        packages = parse_toml(decoded(content, LOCK_LIMIT_BYTES), times=_TIMES).get("package")
    except UntrustedTextError:
        return frozenset()  # cargo does not read such a lock of the source either, and keeps nothing of it
    return frozenset(_pinned(packages)) if isinstance(packages, list) else frozenset()


def _pinned(packages: list[object]) -> Iterator[tuple[str, str, str]]:
    for package in packages:
        if isinstance(package, Mapping):
            yield str(package.get("name", "")), str(package.get("version", "")), str(package.get("source", ""))


def _told(lock: MadeLock) -> str:
    crates = f"{lock.crates} crate{'s' * (lock.crates != 1)}"
    if lock.kept is None:
        return f"{crates}; the source has none"
    return f"{crates}, {lock.kept} of them as in the source's own"
