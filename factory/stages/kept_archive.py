"""An archive of what one build left, for the next build of its project; no result depends on it."""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from factory.digest import Artifact, Digest
from factory.engine import tarstream
from factory.engine.api import FileEntry, TreeEntry
from factory.errors import EngineError, FactoryError, OutputError, StoreError
from factory.store import Store

LIMIT_BYTES: Final = 1 << 30
EPOCH: Final = "SOURCE_DATE_EPOCH"
"""The time of the source, which changes with each edit, and on which nothing that is kept depends."""

_OWN = PurePosixPath("key")


def lacking(env: Mapping[str, str], *names: str) -> Mapping[str, str]:
    """Return variables without some of them, for the key of what is kept."""
    return {name: value for name, value in env.items() if name not in names}


def packed(
    store: Store, key: Digest, files: Iterable[TreeEntry], folder: PurePosixPath, name: str
) -> Artifact | FactoryError:
    """Put files into the store as one archive, or return why a project's files cannot be kept.

    The key makes an archive unlike that of any other, so that none is discarded with another.
    """
    own = FileEntry(path=_OWN, content=str(key).encode())
    try:
        return store.put_stream(tarstream.pack(chain([own], files), folder), name)
    except (EngineError, OutputError, StoreError):  # The engine's fault or this machine's, not the project's.
        raise
    except FactoryError as error:
        return error


def open_kept(store: Store, kept: Artifact, what: str, say: Callable[[str], None]) -> BinaryIO | None:
    """Open an archive of what earlier builds left; None, which is said, where it is damaged or gone."""
    try:
        return store.open_blob(kept.digest)
    except StoreError as error:  # Another run may have put a newer one in its place meanwhile.
        say(f"{what} is not used: {error.message}")
        return None


def replace_kept(store: Store, old: Artifact | None, new: Artifact) -> None:
    """Discard an archive whose place another one has taken."""
    if old is not None and old.digest != new.digest:
        store.discard(old.digest)
