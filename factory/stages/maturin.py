"""maturin's own program, taken out of its wheel: no installer runs where no interpreter may be in sight."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from factory.archive import mapped_archive
from factory.digest import Artifact
from factory.engine.api import FileEntry
from factory.failure import Failure
from factory.store import Store
from factory.untrusted import parse_wheel_name

_PROGRAM = "*.data/scripts/maturin"
_LIMIT_BYTES = 256 << 20
_STEP = "requirements"


def maturin_of(files: Iterable[Artifact]) -> Artifact | Failure:
    """Return the wheel of maturin among those that a build requires."""
    maturin = next((file for file in files if parse_wheel_name(file.filename)[0] == "maturin"), None)
    return maturin or Failure(
        step=_STEP,
        message="maturin is not among the build requirements, and its program builds where there is no interpreter",
        hint="add build: {requires: [maturin]}",
    )


def maturin_program(store: Store, wheel: Artifact) -> FileEntry | Failure:
    """Return the program that maturin's wheel holds, as it lies below `steps.MATURIN`."""
    taken = bytearray()

    def look(name: str, pieces: Iterator[bytes]) -> None:
        if PurePosixPath(name).match(_PROGRAM) and not taken:
            for piece in pieces:
                taken.extend(piece[: _LIMIT_BYTES - len(taken)])

    with store.open_blob(wheel.digest) as stream, mapped_archive(stream) as archive:
        archive.stream(look)
    if not taken or len(taken) >= _LIMIT_BYTES:
        return Failure(step=_STEP, message=f"{wheel.filename} holds no program of less than {_LIMIT_BYTES >> 20} MiB")
    return FileEntry(path=PurePosixPath("bin/maturin"), content=bytes(taken), mode=0o755)
