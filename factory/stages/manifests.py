"""What cargo sees of a source while it fetches, as remembered facts: manifests are parsed once, not once a run."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from factory.audit.identity import code_identity
from factory.digest import Artifact, Digest
from factory.memory import Memory, Stage
from factory.planned import PlannedRecipe
from factory.resolve.cargo import FetchFolder, fetch_folder
from factory.stages.tree import ROOMS as SOURCE_ROOMS
from factory.store import Store

ROOMS: Final = (*SOURCE_ROOMS, "resolve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that names crates, and where it belongs in the source."""

    file: Artifact
    path: PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """The digest of what cargo sees, where it reads or writes locks, and those locks that the source has."""

    folder: Digest
    lock_paths: tuple[str, ...]
    own: tuple[Lock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadManifests(Stage[Manifests]):
    """A source, the manifests of crates in it that share no workspace, and the code that reads them."""

    NAME, VERSION, IS_MATERIAL = "manifests", 1, False

    source: Digest
    manifests: tuple[str, ...]
    code: Digest


def manifests_of(memory: Memory, planned: PlannedRecipe) -> Manifests | None:
    """Return what cargo sees of a source; None where no crate is built.

    Raises:
        SourceError: a configuration, a manifest or the lock is not valid TOML, or they are too large.
    """
    manifest = planned.project.cargo_manifest
    if manifest is None:
        return None
    manifests = (manifest, *planned.project.other_manifests)
    stage = ReadManifests(source=planned.tree.digest, manifests=manifests, code=code_identity(ROOMS))

    def read() -> Manifests:
        folder = folder_of(planned)
        found = ((path, planned.tree.read(path)) for path in folder.lock_paths)
        own = tuple(lock_of(memory.store, path, content) for path, content in found if content is not None)
        return Manifests(folder=folder.digest, lock_paths=folder.lock_paths, own=own)

    return memory.surely(stage, read)


def folder_of(planned: PlannedRecipe) -> FetchFolder:
    """Return the files themselves.

    Raises:
        SourceError: as for `manifests_of`.
    """
    if planned.project.cargo_manifest is None:
        raise AssertionError("a project with crates has a manifest")
    return fetch_folder(planned.tree, planned.project.cargo_manifest, *planned.project.other_manifests)


def lock_of(store: Store, path: str, content: bytes) -> Lock:
    """Put a lock into the store."""
    return Lock(file=store.put_bytes(content, PurePosixPath(path).name), path=PurePosixPath(path))
