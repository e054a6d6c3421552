"""The output folder: wheels that passed, and their SHA256SUMS.

Files are only deleted if the last SHA256SUMS lists them and this run replaces or refuses them, or if a killed release
left them half written. Other recipes' lines stay; foreign files are named and left alone. A wheel is complete under its
name before SHA256SUMS lists it.

The folder may be another user's, or one that everybody may write to: it is opened once, files in it are named relative
to the open folder, and no link in it is followed.
"""

import errno
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import BinaryIO, Final, cast

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from factory.digest import Artifact, Digest, chunks
from factory.errors import OutputError
from factory.events.model import CellRecord, Run
from factory.plan.model import Cell, Plan
from factory.store.locks import flocked, waited_for
from factory.untrusted import UntrustedTextError, parse_wheel_name

SUMS = "SHA256SUMS"
_LINE = re.compile(r"(?P<hex>[0-9a-f]{64}) [ *](?P<name>[^/\n]+)")

_PREFIX = ".factory-"
_HALF_WRITTEN = re.compile(re.escape(_PREFIX) + "[a-z0-9_]{8}")
_LOCK_TIMEOUT_S: Final = 60.0
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

OpenBlob = Callable[[Digest], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What an output folder holds of this run: wheels put or kept, listed files removed, foreign files left alone."""

    folder: Path
    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    foreign: tuple[str, ...]


def claim(folder: Path) -> None:
    """Create the output folder and check that it can be written, before hours of work depend on it.

    Raises:
        OutputError: it cannot.
    """
    with _usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return


def release(
    run: Run,
    folder: Path,
    open_blob: OpenBlob,
    *,
    cancelled: Event | None = None,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Release:
    """Bring the folder up to date with the run: passed wheels in, refused and replaced ones out.

    Where another run writes to it, `on_wait` is called with a message, and this one waits; once `cancelled` is set,
    not for long.

    Raises:
        OutputError: the folder cannot be made, locked, read or written.
    """
    text = f"waiting for the output folder {folder}, which another process has locked"
    with _usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _opened(folder) as place:
            is_free = waited_for(
                lambda: flocked(place.descriptor),  # of the folder itself: it leaves no file behind
                cancelled=cancelled or Event(),
                timeout_s=_LOCK_TIMEOUT_S,
                on_wait=lambda: on_wait(text),
            )
            if not is_free:
                held = f"another process has locked the output folder {folder}"
                raise OutputError(held, hint="run the same command again later, or name another folder with -o")
            _remove_half_written(place)
            return _release(run, place, open_blob)


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the output folder {folder} cannot be used: {error.strerror}",
            hint="name another with -o; finished wheels stay in the store, so a second run only copies them",
        ) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """The open output folder."""

    path: Path
    descriptor: int

    def names(self) -> list[str]:
        return os.listdir(self.descriptor)  # noqa: PTH208 -- a Path cannot stand for an open folder

    def read(self, name: str) -> BinaryIO | None:
        """Open a file; None where nothing has this name, or what has it is a link or a pipe."""
        try:
            handle = os.open(name, _READ, dir_fd=self.descriptor)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
                return None
            raise
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return None
        return cast("BinaryIO", os.fdopen(handle, "rb"))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.descriptor)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file completely or not at all, even if the power fails."""
        temporary = f"{_PREFIX}{secrets.token_hex(4)}"
        with os.fdopen(os.open(temporary, _NEW, 0o600, dir_fd=self.descriptor), "wb") as stream:
            try:
                stream.writelines(pieces)
                stream.flush()
                # By its number, because its name may have become somebody else's link.
                os.fchmod(stream.fileno(), 0o644)
                os.fsync(stream.fileno())
                os.replace(temporary, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
            except BaseException:
                self.remove(temporary)
                raise


@contextmanager
def _opened(folder: Path) -> Iterator[_Place]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _Place(folder, descriptor)
    finally:
        os.close(descriptor)


def _release(run: Run, place: _Place, open_blob: OpenBlob) -> Release:
    listed = _sums(place)
    passed = {record.wheel.filename: record.wheel for record in run.records if record.passed and record.wheel}
    removed = sorted(_outdated(run, listed, passed))
    kept = {name: digest for name, digest in listed.items() if name not in removed}
    unchanged, written = [], []
    for name, artifact in sorted(passed.items()):
        if listed.get(name) == artifact.digest and _is_whole(place, artifact):
            unchanged.append(name)
        else:
            with open_blob(artifact.digest) as blob:
                place.write(name, chunks(blob))
            written.append(name)
    _write_sums(place, {**kept, **{name: artifact.digest for name, artifact in passed.items()}}, listed)
    for name in removed:
        place.remove(name)
    names = set(place.names()) - {SUMS} - set(kept) - set(passed)
    return Release(
        folder=place.path,
        written=tuple(written),
        unchanged=tuple(unchanged),
        removed=tuple(removed),
        foreign=tuple(sorted(names)),
    )


def _remove_half_written(place: _Place) -> None:
    """Remove what a killed release left; no other one is writing while the folder's lock is held."""
    for name in place.names():
        if _HALF_WRITTEN.fullmatch(name) and (stream := place.read(name)) is not None:
            stream.close()
            place.remove(name)


def _sums(place: _Place) -> Mapping[str, Digest]:
    """Read SHA256SUMS as file name → digest; empty where there is no such file.

    Raises:
        OutputError: it is not a regular file, or a line is not of the format that sha256sum writes.
    """
    path, stream = place.path / SUMS, place.read(SUMS)
    if stream is None:
        if SUMS in place.names():
            raise OutputError(f"{path} is not a regular file", hint=f"remove {path}; the factory did not write it")
        return {}
    with stream:
        text = stream.read().decode(errors="replace")
    sums = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise OutputError(
                f"{path}:{number} is not a line that sha256sum writes",
                hint=f"correct or remove {path}; the factory did not write it",
            )
        sums[match["name"]] = Digest(match["hex"])
    return sums


def _outdated(run: Run, listed: Mapping[str, Digest], passed: Mapping[str, Artifact]) -> Iterator[str]:
    """Yield listed files that this run replaces by another version, or refuses."""
    plans = {plan.recipe: plan for plan in run.plans}
    for name in listed:
        if name in passed:
            continue
        if any(_is_outdated(name, record, plans[record.cell.recipe]) for record in run.records):
            yield name


def _is_outdated(name: str, record: CellRecord, plan: Plan) -> bool:
    if record.wheel is not None and record.wheel.filename == name:
        return not record.passed
    version = version_of(name, plan.distribution, record.cell) if record.cell.makes_wheel else None
    if version is None:
        return False
    return record.passed or (record.status in ("failed", "timeout") and version == plan.version)


def version_of(filename: str, distribution: NormalizedName, cell: Cell) -> Version | None:
    """Return the version of a wheel file that is this distribution's and carries this cell's tag; else None."""
    try:
        name, version, _, tags = parse_wheel_name(filename)
    except UntrustedTextError:
        return None
    triples = {(tag.interpreter, tag.abi, tag.platform) for tag in tags}
    wanted = {(tag.interpreter, tag.abi, alias) for tag in cell.wheel_tag.expanded for alias in cell.platform.aliases}
    return version if canonicalize_name(name) == distribution and triples & wanted else None


def _is_whole(place: _Place, artifact: Artifact) -> bool:
    stream = place.read(artifact.filename)
    if stream is None:
        return False
    with stream:
        is_as_long = os.fstat(stream.fileno()).st_size == artifact.size_bytes
        return is_as_long and Digest.of_chunks(chunks(stream)) == artifact.digest


def _write_sums(place: _Place, sums: Mapping[str, Digest], before: Mapping[str, Digest]) -> None:
    if sums != before or SUMS not in place.names():
        place.write(SUMS, ["".join(f"{sums[name].hex}  {name}\n" for name in sorted(sums)).encode()])
