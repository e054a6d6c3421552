"""One folder that remembers: blobs by digest, results by key, and who uses it now.

Layout, version 1: `format`, `owner`, `versions`, `blobs/<2 digits>/<digest>`, `ledger/<stage>/<key>.json`, `locks/`,
`temp/`.
Only `format` and `owner` are not made again when they are deleted.

A ledger entry names the blobs it needs and is written after them, each by a rename, so that a kill at any moment
leaves entries that hold. Nothing here reads a clock.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO, Self

from factory.codec import JSON
from factory.digest import Artifact, Digest, chunks
from factory.errors import StoreError
from factory.keys import difference
from factory.keys import key as key_of
from factory.store.entry import Entry, parse_entry, parse_versions
from factory.store.files import Intake, explained, publish, roomy, write_temporary
from factory.store.locks import FileLock, acquired, is_held

_FORMAT = "1"
_UNRELATED = frozenset({"lost+found"})
_LOCK_TIMEOUT_S = 5.0

OnDamage = Callable[[str], None]


class Store:
    """An open store. Safe to use from several threads, and from several processes at once."""

    def __init__(self, path: Path, session: FileLock, on_damage: OnDamage) -> None:
        """Use `Store.open`."""
        self.path = path
        self._session = session
        self._on_damage = on_damage
        self._intact: set[tuple[Digest, int, int, int]] = set()

    @classmethod
    def open(cls, path: Path, *, on_damage: OnDamage = lambda _: None) -> Self:
        """Open a store, making it where there is nothing, and remove what dead runs left in `temp`.

        `on_damage` is told, a sentence each, of results that cannot be used because their blobs are gone or changed.

        Raises:
            StoreError: the path cannot be used, is no store, or one of another format.
        """
        path = path.absolute()
        with explained("use the store", path):
            _prepare(path)
            _remove_leftovers(path)
            session = acquired(path / "temp" / f"{os.urandom(8).hex()}.lock", timeout_s=_LOCK_TIMEOUT_S)
            _session_folder(session).mkdir()
        return cls(path, session, on_damage)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove this session's temporary files."""
        shutil.rmtree(_session_folder(self._session), ignore_errors=True)
        self._session.release()

    @property
    def owner(self) -> str:
        """A random name, made once: what the engine's things of this store are labelled with."""
        with explained("read", self.path / "owner"):
            return (self.path / "owner").read_text(encoding="ascii").strip()

    def put_bytes(self, content: bytes, filename: str) -> Artifact:
        """Keep bytes."""
        return self.put_stream([content], filename)

    def put_file(self, path: Path, filename: str | None = None) -> Artifact:
        """Keep a copy of a file's bytes."""
        with path.open("rb") as stream:
            return self.put_stream(chunks(stream), filename or path.name)

    def put_stream(self, pieces: Iterable[bytes], filename: str) -> Artifact:
        """Keep a stream's bytes. An exception that the stream raises passes through, and nothing is kept."""
        intake = Intake(pieces)
        temporary = self._write(intake)
        with explained("write", self._blob(intake.digest)):
            temporary.chmod(0o444)
            publish(temporary, self._blob(intake.digest))
        return Artifact(filename=filename, digest=intake.digest, size_bytes=intake.size_bytes)

    def discard(self, digest: Digest) -> None:
        """Remove bytes that must not be kept; whatever remembered them is made again."""
        with explained("write", self._blob(digest)):
            self._blob(digest).unlink(missing_ok=True)

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are here and are still what their digest says."""
        return self._fault(digest) is None

    def open_blob(self, digest: Digest) -> BinaryIO:
        """Open a blob for reading, after its bytes were compared with its digest.

        Raises:
            StoreError: it is not here, or was changed.
        """
        if fault := self._fault(digest):
            raise StoreError(fault, hint=f"delete {self._blob(digest)}; the next run makes it again")
        with explained("read", self._blob(digest)):
            return self._blob(digest).open("rb")

    def read(self, digest: Digest) -> bytes:
        """Return a blob's bytes.

        Raises:
            StoreError: it is not here, or was changed.
        """
        with self.open_blob(digest) as stream:
            return stream.read()

    def ledger_get(self, stage: str, key: Digest) -> JSON | None:
        """Return the result remembered under a key, or None. One whose blobs do not hold is none, and is told of."""
        entry = self._entry(stage, key)
        if entry is None:
            return None
        for digest in entry.blobs:
            if fault := self._fault(digest):
                self._on_damage(f"{stage} {key.short} is made again: {fault}")
                return None
        return entry.result

    def ledger_put(
        self, stage: str, key: Digest, document: Mapping[str, JSON], result: JSON, blobs: Iterable[Digest] = ()
    ) -> None:
        """Remember a result, the document its key was made of, and every blob it needs. Callers remember passes only.

        Raises:
            ValueError: the key is not the document's.
            StoreError: a blob is not here.
        """
        if key != key_of(document):
            raise ValueError(f"{key} is not the key of this {stage} document")
        entry = Entry(document=document, result=result, blobs=tuple(sorted(set(blobs))))
        for digest in entry.blobs:
            if fault := self._fault(digest):
                raise StoreError(fault)
        temporary = self._write(Intake([entry.written()]))
        with explained("write", self._entry_path(stage, key)):
            publish(temporary, self._entry_path(stage, key))

    def nearest(self, stage: str, document: Mapping[str, JSON]) -> Mapping[str, JSON] | None:
        """Return the remembered document of a stage that differs least from this one, to tell what changed."""
        with explained("read", self.path / "ledger" / stage):
            paths = sorted((self.path / "ledger" / stage).glob("*.json"))
        entries = (self._entry(stage, Digest(path.stem)) for path in paths)
        documents = [entry.document for entry in entries if entry is not None]
        return min(documents, key=lambda old: len(difference(old, document)), default=None)

    def note_versions(self, versions: Mapping[str, int]) -> tuple[str, ...]:
        """Write down the stages' versions; return the stages of which older results lie here, the first time alone.

        Such results are under keys that nobody asks for any more.
        """
        path = self.path / "versions"
        with explained("read", path):
            noted = parse_versions(path.read_bytes() if path.exists() else b"")
        risen = [stage for stage, version in versions.items() if noted.get(stage) != version]
        if not risen:
            return ()
        old = tuple(sorted(stage for stage in risen if self._has_older(stage, versions[stage])))
        temporary = self._write(Intake([json.dumps(dict(versions), sort_keys=True).encode()]))
        with explained("write", path):
            publish(temporary, path)
        return old

    def _has_older(self, stage: str, version: int) -> bool:
        with explained("read", self.path / "ledger" / stage):
            paths = sorted((self.path / "ledger" / stage).glob("*.json"))
        entries = (self._entry(stage, Digest(path.stem)) for path in paths)
        return any(entry is not None and entry.version < version for entry in entries)

    @contextmanager
    def once(self, stage: str, key: Digest, *, cancelled: Event | None = None) -> Iterator[bool]:
        """Hold a key while its result is made, so that nobody else on this machine makes it meanwhile.

        Yields False, without the lock, when `cancelled` is set before the other holder is done.
        """
        with FileLock(self.path / "locks" / f"{stage}-{key.hex}.lock") as lock:
            yield lock.acquire(cancelled=cancelled)

    @contextmanager
    def run_lock(self, run_id: str) -> Iterator[None]:
        """Hold a run's lock: as long as it is held, `is_running` says so, and nobody reaps what the run made.

        Raises:
            StoreError: a run of this id is running.
        """
        with acquired(self._run_lock_path(run_id), timeout_s=_LOCK_TIMEOUT_S):
            yield

    def is_running(self, run_id: str) -> bool:
        """Whether a living process holds this run's lock."""
        return is_held(self._run_lock_path(run_id))

    @contextmanager
    def temp_folder(self) -> Iterator[Path]:
        """Lend an empty folder on the store's own disk, removed at the end; after a kill, when the store is opened.

        Raises:
            StoreError: it cannot be made, or what is written there meets a full disk.
        """
        with explained("write", self.path / "temp"):
            folder = Path(tempfile.mkdtemp(dir=_session_folder(self._session)))
        try:
            with roomy(folder):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lend(self, artifact: Artifact) -> Iterator[Path]:
        """Lend a blob as a read-only file under its own name, for readers that want a path.

        Raises:
            StoreError: the blob is not here, or not what its digest says.
        """
        self.open_blob(artifact.digest).close()
        with self.temp_folder() as folder:
            path = folder / artifact.filename
            with explained("write", path):
                path.symlink_to(self._blob(artifact.digest))
            yield path

    def _blob(self, digest: Digest) -> Path:
        return self.path / "blobs" / digest.hex[:2] / digest.hex

    def _entry_path(self, stage: str, key: Digest) -> Path:
        return self.path / "ledger" / stage / f"{key.hex}.json"

    def _run_lock_path(self, run_id: str) -> Path:
        return self.path / "locks" / f"run-{run_id}.lock"

    def _write(self, intake: Intake) -> Path:
        try:
            return write_temporary(_session_folder(self._session), intake)
        except OSError as error:
            if intake.is_reading:
                raise
            with explained("write to the store", self.path):
                raise error from None

    def _entry(self, stage: str, key: Digest) -> Entry | None:
        path = self._entry_path(stage, key)
        with explained("read", path):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        entry = parse_entry(content)
        if entry is None:
            self._on_damage(f"{stage} {key.short} is made again: {path} is damaged")
        return entry

    def _fault(self, digest: Digest) -> str | None:
        """Say what is wrong with a blob. A file is read once in a session, and again when it was replaced."""
        path = self._blob(digest)
        with explained("read", path):
            try:
                found = path.stat()
            except FileNotFoundError:
                return f"blob {digest.short} is not in the store"
            seen = (digest, found.st_ino, found.st_size, found.st_mtime_ns)
            if seen in self._intact:
                return None
            if Digest.of_file(path) != digest:
                return f"blob {digest.short} in the store was changed"
        self._intact.add(seen)
        return None


def _session_folder(session: FileLock) -> Path:
    return session.path.with_suffix("")


def _prepare(path: Path) -> None:
    """Make a new store, or check an old one. Two processes may do this at the same time."""
    path.mkdir(parents=True, exist_ok=True)
    format_file = path / "format"
    if not format_file.exists():
        foreign = sorted(entry.name for entry in path.iterdir() if not _belongs(entry.name))
        if foreign and not format_file.exists():
            hint = "set FACTORY_STORE to a new or empty folder"
            raise StoreError(f"{path} is no store: it holds {foreign[0]} and has no file `format`", hint=hint)
        publish(write_temporary(path, [f"{_FORMAT}\n".encode()]), format_file)
    version = format_file.read_text(encoding="utf-8", errors="replace").strip()
    if version != _FORMAT:
        hint = f"set FACTORY_STORE to another folder, or delete {path}: all of it can be made again"
        raise StoreError(f"the store {path} has format {version!r}; this factory reads format {_FORMAT!r}", hint=hint)
    for name in ("blobs", "ledger", "locks", "temp"):
        (path / name).mkdir(exist_ok=True)
    _ensure_owner(path)


def _belongs(name: str) -> bool:
    return name in _UNRELATED or name.startswith("new-")


def _ensure_owner(path: Path) -> None:
    with acquired(path / "locks" / "owner.lock", timeout_s=_LOCK_TIMEOUT_S):
        if not (path / "owner").exists():
            publish(write_temporary(path, [f"{os.urandom(8).hex()}\n".encode()]), path / "owner")


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary folders whose session's lock nobody holds, and lock files without a holder."""
    for folder in sorted((path / "temp").iterdir()):
        if folder.suffix != ".lock":
            with FileLock(folder.with_suffix(".lock")) as lock:
                if lock.try_acquire():
                    shutil.rmtree(folder, ignore_errors=True)
    for left in sorted([*(path / "temp").glob("*.lock"), *(path / "locks").glob("*.lock")]):
        with FileLock(left) as lock:
            lock.try_acquire()
