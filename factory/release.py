"""Put the wheels that passed into the output folder, and keep its SHA256SUMS true.

Only files that the last SHA256SUMS lists, and that this run replaces or refuses, are ever deleted, and what a killed
release left half written. Other recipes' lines stay; foreign files are named and left alone. A wheel lies whole under
its name before SHA256SUMS names it.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from factory.digest import Artifact, Digest, chunks
from factory.errors import OutputError
from factory.pipeline.model import CellRecord, Run
from factory.plan.model import Cell, Plan

SUMS = "SHA256SUMS"
_LINE = re.compile(r"(?P<hex>[0-9a-f]{64}) [ *](?P<name>[^/\n]+)")

_PREFIX = ".factory-"
_HALF_WRITTEN = re.compile(re.escape(_PREFIX) + "[a-z0-9_]{8}")  # as mkstemp names them

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
    """Make the output folder and see that it can be written, before hours of work have to wait for a place.

    Raises:
        OutputError: it cannot.
    """
    with _usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return


def release(run: Run, folder: Path, open_blob: OpenBlob) -> Release:
    """Bring the folder up to date with the run: passed wheels in, refused and replaced ones out.

    Raises:
        OutputError: the folder cannot be made, locked, read or written.
    """
    with _usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            _remove_half_written(folder)
            return _release(run, folder, open_blob)


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the output folder {folder} cannot be used: {error.strerror}",
            hint="name another with -o; finished wheels stay in the store, so a second run only copies them",
        ) from error


def _release(run: Run, folder: Path, open_blob: OpenBlob) -> Release:
    listed = read_sums(folder)
    passed = {record.wheel.filename: record.wheel for record in run.records if record.passed and record.wheel}
    removed = sorted(_outdated(run, listed, passed))
    kept = {name: digest for name, digest in listed.items() if name not in removed}
    unchanged, written = [], []
    for name, artifact in sorted(passed.items()):
        if listed.get(name) == artifact.digest and _is_whole(folder / name, artifact):
            unchanged.append(name)
        else:
            _put(folder, artifact, open_blob)
            written.append(name)
    _write_sums(folder, {**kept, **{name: artifact.digest for name, artifact in passed.items()}}, listed)
    for name in removed:
        (folder / name).unlink(missing_ok=True)
    names = {path.name for path in folder.iterdir()} - {SUMS} - set(kept) - set(passed)
    return Release(
        folder=folder,
        written=tuple(written),
        unchanged=tuple(unchanged),
        removed=tuple(removed),
        foreign=tuple(sorted(names)),
    )


def _remove_half_written(folder: Path) -> None:
    """Remove what a release that was killed left; no other is writing while the folder's lock is held."""
    for path in list(folder.iterdir()):
        if _HALF_WRITTEN.fullmatch(path.name) and path.is_file():
            path.unlink()


def read_sums(folder: Path) -> Mapping[str, Digest]:
    """Read SHA256SUMS as file name → digest; empty where there is none.

    Raises:
        OutputError: a line is not of the format that sha256sum writes.
    """
    path = folder / SUMS
    if not path.exists():
        return {}
    sums = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise OutputError(
                f"{path}:{number} is no line of sha256sum", hint=f"mend or remove {path}; the factory did not write it"
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
    found = version_of(name, plan.distribution, record.cell)
    if found is None:
        return False
    return record.passed or (record.status in ("failed", "timeout") and found == plan.version)


def version_of(filename: str, distribution: NormalizedName, cell: Cell) -> Version | None:
    """Return the version of a wheel file that is this distribution's and carries this cell's tag; else None."""
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    triples = {(tag.interpreter, tag.abi, tag.platform) for tag in tags}
    wanted = {(tag.interpreter, tag.abi, alias) for tag in cell.tag.expanded for alias in cell.platform.aliases}
    return version if canonicalize_name(name) == distribution and triples & wanted else None


def _is_whole(path: Path, artifact: Artifact) -> bool:
    return path.is_file() and path.stat().st_size == artifact.size_bytes and Digest.of_file(path) == artifact.digest


def _put(folder: Path, artifact: Artifact, open_blob: OpenBlob) -> None:
    with open_blob(artifact.digest) as blob:
        _write(folder / artifact.filename, chunks(blob))


def _write_sums(folder: Path, sums: Mapping[str, Digest], before: Mapping[str, Digest]) -> None:
    if sums != before or not (folder / SUMS).exists():
        _write(folder / SUMS, ["".join(f"{sums[name].hex}  {name}\n" for name in sorted(sums)).encode()])


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file under its name at once: whole or not at all, also after a power cut."""
    descriptor, temporary = tempfile.mkstemp(prefix=_PREFIX, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one run at a time change the folder: flock(2) on the folder itself leaves no file behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
