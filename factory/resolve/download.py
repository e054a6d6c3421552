"""Downloads resolved files, and compares each with its hash before the store takes it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from time import sleep as real_sleep

import requests

from factory.digest import Artifact
from factory.errors import SourceError
from factory.host import Host
from factory.resolve.model import Found, Resolution, ResolvedFile, Unresolved
from factory.store import Store
from factory.store.files import explained
from factory.web.download import download as fetch_file
from factory.web.session import attempt, open_session

_MOST_BYTES = 4 << 30  # of one file, whatever size the index gives


def download(
    found: Found,
    host: Host,
    store: Store,
    *,
    sleep: Callable[[float], None] = real_sleep,
    cancelled: Event | None = None,
) -> Resolution | Unresolved:
    """Bring every file into the store; files that it has are not downloaded again.

    Raises:
        StoreError: the store cannot take a file.
        Interrupted: `cancelled` was set before the last file had arrived.
    """
    taken: list[Artifact] = []
    with open_session(host) as session, store.temp_folder() as folder:
        for file in found.files:
            kept = _kept(file, store) or _fetched(file, session, store, folder, sleep, cancelled)
            if isinstance(kept, Unresolved):
                return kept
            taken.append(kept)
    return Resolution(files=tuple(taken))


def _kept(file: ResolvedFile, store: Store) -> Artifact | None:
    if file.size_bytes is None or not store.has(file.digest):  # An artifact has a size, which the index need not give.
        return None
    return Artifact(filename=file.filename, digest=file.digest, size_bytes=file.size_bytes)


def _fetched(
    file: ResolvedFile,
    session: requests.Session,
    store: Store,
    folder: Path,
    sleep: Callable[[float], None],
    cancelled: Event | None,
) -> Artifact | Unresolved:
    path = folder / file.filename
    fetch = partial(
        fetch_file,
        session,
        file.url,
        path,
        most_bytes=_MOST_BYTES,
        size_bytes=file.size_bytes,
        stop_bytes=file.size_bytes,
        writing=partial(explained, "write", path),
    )
    try:
        digest = attempt(file.filename, fetch, sleep=sleep, cancelled=cancelled)
    except SourceError as error:
        return Unresolved(kind="network", sentence=error.message, hint=error.hint)
    if digest != file.digest:
        return Unresolved(
            kind="refused",
            sentence=f"{file.filename} has {digest}; the index says {file.digest}",
            hint="do not use it before you know which of the two is wrong",
        )
    artifact = store.put_file(path)
    path.unlink()
    return artifact
