"""The store of one folder: blobs by digest, results by key, and the locks of whoever uses it.

Layout, version 1: `format`, `owner`, `versions`, `durations`, `blobs/<2 digits>/<digest>`,
`ledger/<stage>/<key>.json`, `locks/`, `temp/`.
All but `format` and `owner` are made again when they are deleted.

The store, and each of its folders, belongs to this user alone: whoever can write to `ledger/` decides what has passed.
It is opened once, and what is read and written here is named relative to the open folder.

A ledger entry names the blobs it needs and is written after them, each by a rename, so that a kill at any moment
leaves valid entries.

Nothing here reads a clock. A result's file is touched at each use, and the file system notes the time: what was not
used for longest is what `sweep` removes first, and what was used since another process opened the store it keeps.
"""

import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO, Self

from factory.codec import JSON
from factory.digest import Artifact, Digest, chunks
from factory.errors import StoreError
from factory.folders import Folder, is_ours
from factory.keys import key as key_of
from factory.store.durations import parse_durations, written_durations
from factory.store.entry import LedgerEntry, parse_entry, parse_versions
from factory.store.files import Intake, explained, publish, roomy, write_temporary
from factory.store.inventory import Blob, Result, blobs, read_ours, results
from factory.store.locks import FileLock, is_held, standing_lock
from factory.store.opening import REFUSAL, OnWait, held, prepare, remove_leftovers, session_folder
from factory.store.sweep import Swept, oldest_session_ns, sweep

OnDamage = Callable[[str], None]

_DURATIONS = "durations"


class Store:
    """An open store. Safe to use from several threads, and from several processes at once."""

    def __init__(self, folder: Folder, session: FileLock, on_damage: OnDamage, on_wait: OnWait) -> None:
        """Use `Store.open`."""
        self.path = folder.path
        self._folder = folder
        self._root = folder.anchor
        self._session = session
        self._on_damage = on_damage
        self._on_wait = on_wait
        self._intact: set[tuple[Digest, int, int, int]] = set()

    @classmethod
    def open(cls, path: Path, *, on_damage: OnDamage = lambda _: None, on_wait: OnWait = lambda _: None) -> Self:
        """Open a store, creating it where it is missing, and remove what dead runs left in `temp`.

        `on_damage` is called with a message for each result that cannot be used because its blobs are gone or changed,
        `on_wait` for a lock that another process holds for long.

        Raises:
            StoreError: the path cannot be used, is not this user's alone, is not a store, or has another format.
        """
        path = path.absolute()
        with explained("use the store", path):
            folder = Folder.open(path, REFUSAL)
            try:
                prepare(folder, on_wait)
                remove_leftovers(folder.anchor)
                session = held(folder, f"temp/{os.urandom(8).hex()}.lock", on_wait)
                session_folder(session).mkdir(mode=0o700)
            except BaseException:
                folder.close()
                raise
        return cls(folder, session, on_damage, on_wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove this session's temporary files."""
        shutil.rmtree(session_folder(self._session), ignore_errors=True)
        self._session.release()
        self._folder.close()

    @property
    def owner(self) -> str:
        """A random name, made once, which labels everything that the engine holds for this store."""
        with explained("read", self.path / "owner"):
            return (self._root / "owner").read_text(encoding="ascii").strip()

    def put_bytes(self, content: bytes, filename: str) -> Artifact:
        """Store bytes."""
        return self.put_stream([content], filename)

    def put_file(self, path: Path, filename: str | None = None) -> Artifact:
        """Store a copy of a file's bytes."""
        with path.open("rb") as stream:
            return self.put_stream(chunks(stream), filename or path.name)

    def put_stream(self, pieces: Iterable[bytes], filename: str) -> Artifact:
        """Store a stream's bytes. An exception that the stream raises passes through, and nothing is stored."""
        intake = Intake(pieces)
        temporary = self._write(intake)
        with self._explained("write", self._blob(intake.digest)), self._unswept():
            temporary.chmod(0o444)  # A blob is never changed, and what opens it by mistake for writing shall fail.
            publish(temporary, self._blob(intake.digest))
        return Artifact(filename=filename, digest=intake.digest, size_bytes=intake.size_bytes)

    def discard(self, digest: Digest) -> None:
        """Remove bytes that must not be kept; results that need them are made again."""
        with explained("write", self._blob(digest)):
            self._blob(digest).unlink(missing_ok=True)

    def has(self, digest: Digest) -> bool:
        """Whether the bytes are here, and still have their digest. Whoever asks uses them from then on."""
        with self._unswept():
            return self._touch(self._blob(digest)) and self._fault(digest) is None

    def open_blob(self, digest: Digest) -> BinaryIO:
        """Open a blob for reading, after its bytes were compared with its digest.

        Raises:
            StoreError: it is not here, or was changed.
        """
        if fault := self._fault(digest):
            raise StoreError(fault, hint=f"delete {self._shown(self._blob(digest))}; the next run makes it again")
        with self._explained("read", self._blob(digest)):
            return self._blob(digest).open("rb")

    def read(self, digest: Digest) -> bytes:
        """Return a blob's bytes.

        Raises:
            StoreError: it is not here, or was changed.
        """
        with self.open_blob(digest) as stream:
            return stream.read()

    def pieces(self, digest: Digest) -> Iterator[bytes]:
        """Yield a blob's bytes in pieces.

        Raises:
            StoreError: it is not here, or was changed.
        """
        with self.open_blob(digest) as stream:
            yield from chunks(stream)

    def ledger_get(self, stage: str, key: Digest) -> JSON | None:
        """Return the result remembered under a key; None where there is none, or a blob of it is gone or changed."""
        with self._unswept():
            entry = self._entry(stage, key, is_use=True)
            if entry is None:
                return None
            for digest in entry.blobs:
                if fault := self._fault(digest):
                    self._on_damage(f"{stage} {key.short} is made again: {fault}")
                    return None
            return entry.result

    def peek(self, stage: str, key: Digest) -> LedgerEntry | None:
        """Return what the ledger holds under a key, whether or not its blobs are here; this is no use of it."""
        return self._entry(stage, key)

    def ledger_put(
        self, stage: str, key: Digest, document: Mapping[str, JSON], result: JSON, blobs: Iterable[Digest] = ()
    ) -> None:
        """Remember a result, the document that its key was made of, and every blob that it needs.

        Raises:
            ValueError: the key is not the document's.
            StoreError: a blob is not here.
        """
        if key != key_of(document):
            raise ValueError(f"{key} is not the key of this {stage} document")
        entry = LedgerEntry(document=document, result=result, blobs=tuple(sorted(set(blobs))))
        for digest in entry.blobs:
            if fault := self._fault(digest):
                raise StoreError(fault)
        temporary = self._write(Intake([entry.written()]))
        with self._explained("write", self._entry_path(stage, key)), self._unswept():
            publish(temporary, self._entry_path(stage, key))

    def results(self, stage: str = "*") -> Iterator[Result]:
        """Yield every result, or those of one stage, with its document, by stage and key; this is no use of them."""
        with explained("read", self.path / "ledger"):
            yield from results(self._root, stage)

    def blobs(self) -> Iterator[Blob]:
        """Yield every blob by its digest, unread."""
        with explained("read", self.path / "blobs"):
            yield from blobs(self._root)

    def faults(self) -> Iterator[str]:
        """Read everything, and say what of it is damaged, gone or not this user's alone."""
        with self._unswept():
            for blob in self.blobs():
                if fault := self._fault(blob.digest):
                    yield fault
            for result in self.results():
                subject = f"{result.stage} {result.key[:12]}"
                if result.entry is None or key_of(result.entry.document).hex != result.key:
                    yield f"{subject} is damaged, or not this user's alone"
                for digest in result.blobs:
                    if not self._blob(digest).exists():
                        yield f"{subject} needs blob {digest.short}, which is not in the store"

    def sweep(self, limit_bytes: int, *, dry: bool = False) -> Swept:
        """Remove what was not used for longest until the rest fits into `limit_bytes`; with `dry`, only say what.

        What another process used or put since it opened the store stays, also beyond the limit. Everybody else who
        reads or writes waits meanwhile.
        """
        with explained("sweep", self.path), standing_lock(self._root / "format", fcntl.LOCK_EX):
            since_ns = oldest_session_ns(self._root, self._session.path)
            return sweep(self._root, limit_bytes=limit_bytes, held_since_ns=since_ns, dry=dry)

    def note_versions(self, versions: Mapping[str, int]) -> tuple[str, ...]:
        """Record the stages' versions; where they changed, return the stages of which older results are here.

        Such results are under keys that are not asked for any more.
        """
        path = self.path / "versions"
        with explained("read", path):
            recorded = parse_versions(path.read_bytes() if path.exists() else b"")
        risen = [stage for stage, version in versions.items() if recorded.get(stage) != version]
        if not risen:
            return ()
        old = tuple(sorted(stage for stage in risen if self._has_older(stage, versions[stage])))
        temporary = self._write(Intake([json.dumps(dict(versions), sort_keys=True).encode()]))
        with explained("write", path):
            publish(temporary, path)
        return old

    def durations(self) -> Mapping[str, float]:
        """Return how many seconds jobs took when their work was last done, by their subjects."""
        path = self._root / _DURATIONS
        with self._explained("read", path):
            try:
                content = read_ours(path)
            except FileNotFoundError:
                return {}
        known = None if content is None else parse_durations(content)
        if known is None:
            fault = "is not this user's alone" if content is None else "is damaged"
            self._on_damage(f"how long jobs took is not known any more: {self._shown(path)} {fault}")
            return {}
        return known

    def note_durations(self, seconds: Mapping[str, float]) -> None:
        """Record how many seconds jobs took, by their subjects, for the runs that come."""
        if not seconds:
            return
        with held(self._folder, "locks/durations.lock", self._on_wait):
            temporary = self._write(Intake([written_durations(self.durations(), seconds)]))
            with self._explained("write", self._root / _DURATIONS):
                publish(temporary, self._root / _DURATIONS)

    def _has_older(self, stage: str, version: int) -> bool:
        with explained("read", self.path / "ledger" / stage):
            paths = sorted((self.path / "ledger" / stage).glob("*.json"))
        entries = (self._entry(stage, Digest(path.stem)) for path in paths)
        return any(entry is not None and entry.version < version for entry in entries)

    @contextmanager
    def once(
        self, stage: str, key: Digest, *, cancelled: Event | None = None, on_wait: OnWait | None = None
    ) -> Iterator[bool]:
        """Hold a key while its result is made, so that nobody else who uses this store makes it meanwhile.

        Yields False, without the lock, when `cancelled` is set before the other holder is done. `on_wait`, or what the
        store was opened with, is called with a message when the holder takes long.
        """
        text = f"waiting for {stage} {key.short}, which another run or job is making"
        with self._lock(f"{stage}-{key.hex}.lock") as lock:
            yield lock.acquire(cancelled=cancelled, on_wait=lambda: (on_wait or self._on_wait)(text))

    @contextmanager
    def run_lock(self, run_id: str) -> Iterator[None]:
        """Hold a run's lock: while it is held `is_running` is true, and nobody removes what the run made.

        Raises:
            StoreError: a run with this id is running.
        """
        with held(self._folder, f"locks/run-{run_id}.lock", self._on_wait):
            yield

    def is_running(self, run_id: str) -> bool:
        """Whether a living process holds this run's lock."""
        return is_held(self._root / "locks" / f"run-{run_id}.lock")

    @contextmanager
    def temp_folder(self) -> Iterator[Path]:
        """Lend an empty folder on the store's disk, removed at the end; after a kill, when the store is next opened.

        Its path leads through the store's name, so that other programs can use it, too.

        Raises:
            StoreError: it cannot be made, the store was moved, or its disk became full.
        """
        with explained("write", self.path / "temp"):
            if not self._folder.is_at(self.path):
                raise StoreError(f"the store {self.path} was replaced by another folder", hint=REFUSAL.elsewhere)
            folder = Path(tempfile.mkdtemp(dir=self._shown(session_folder(self._session))))
        try:
            with roomy(folder):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def lasting_folder(self, name: str) -> Path:
        """Return a folder like that of `temp_folder` that lasts until the store is closed, the same for each name."""
        with explained("write", self.path / "temp"):
            folder = self._shown(session_folder(self._session)) / name
            folder.mkdir(exist_ok=True)
            return folder

    @contextmanager
    def lend(self, artifact: Artifact) -> Iterator[Path]:
        """Lend a blob as a read-only file under its own name, for readers that want a path.

        Raises:
            StoreError: the blob is not here, or was changed.
        """
        self.open_blob(artifact.digest).close()
        with self.temp_folder() as folder:
            path = folder / artifact.filename
            with explained("write", path):
                path.symlink_to(self._shown(self._blob(artifact.digest)))
            yield path

    def _unswept(self) -> AbstractContextManager[None]:
        """Keep `sweep` waiting, so that what is found or written in the block is not removed before it counts as used.

        Other users of the store do not wait for each other.
        """
        return standing_lock(self._root / "format", fcntl.LOCK_SH)

    def _touch(self, path: Path) -> bool:
        """Let the file system note that a file is used now; whether it is there."""
        with self._explained("write", path):
            try:
                os.utime(path, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return True

    def _blob(self, digest: Digest) -> Path:
        return self._root / f"blobs/{digest.hex[:2]}/{digest.hex}"

    def _entry_path(self, stage: str, key: Digest) -> Path:
        return self._root / f"ledger/{stage}/{key.hex}.json"

    def _lock(self, name: str) -> FileLock:
        return FileLock(self._root / f"locks/{name}", shown=self.path / f"locks/{name}")

    def _shown(self, path: Path) -> Path:
        """Return the path that a person or another program uses for a path below the open folder."""
        return self.path / path.relative_to(self._root)

    def _explained(self, what: str, path: Path) -> AbstractContextManager[None]:
        return explained(what, path, shown=self._shown)

    def _write(self, intake: Intake) -> Path:
        try:
            return write_temporary(session_folder(self._session), intake)
        except OSError as error:
            if intake.is_reading:  # The stream that was to be stored failed, and not the store.
                raise
            with explained("write to the store", self.path):
                raise error from None

    def _entry(self, stage: str, key: Digest, *, is_use: bool = False) -> LedgerEntry | None:
        path = self._entry_path(stage, key)
        with self._explained("read", path):
            try:
                content = read_ours(path, touch=is_use)
            except FileNotFoundError:
                return None
        entry = None if content is None else parse_entry(content)
        if entry is None:
            fault = "is not this user's alone" if content is None else "is damaged"
            self._on_damage(f"{stage} {key.short} is made again: {self._shown(path)} {fault}")
        return entry

    def _fault(self, digest: Digest) -> str | None:
        """Say what is wrong with a blob. A file is read once in a session, and again after it was replaced."""
        path = self._blob(digest)
        with self._explained("read", path):
            try:
                status = path.lstat()
            except FileNotFoundError:
                return f"blob {digest.short} is not in the store"
            if not (stat.S_ISREG(status.st_mode) and is_ours(status)):
                return f"blob {digest.short} in the store is not this user's alone"
            # Hashing every blob at every use would take longer than most stages that it saves.
            seen = (digest, status.st_ino, status.st_size, status.st_mtime_ns)
            if seen in self._intact:
                return None
            if Digest.of_file(path) != digest:
                return f"blob {digest.short} in the store was changed"
        self._intact.add(seen)
        return None
