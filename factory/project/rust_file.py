"""The file by which a project tells rustup which Rust it wants: `rust-toolchain`, or `rust-toolchain.toml`."""

import posixpath
from collections.abc import Iterator

from factory.errors import SourceError
from factory.project.files import Reading, read_text
from factory.project.model import RustFile
from factory.tables import Table

_NAMES = ("rust-toolchain", "rust-toolchain.toml")  # rustup reads the older name where a folder has both
_TABLE = "[toolchain]"


def read_rust_file(files: Reading, folder: str) -> RustFile | None:
    """Read the file that lies nearest above a project's folder, as rustup looks for it; None where there is none.

    One that cannot be read names no channel: no build fails because of it, as cargo itself does not read it.
    """
    for place in _upwards(folder.rstrip("/")):
        for name in _NAMES:
            path = posixpath.join(place, name)
            if files.size(path) is not None:
                return RustFile(path=path, channel=_channel(files, path))
    return None


def _channel(files: Reading, path: str) -> str | None:
    """Return the channel that a file names: the whole of it in the older form, which is one line without tables."""
    try:
        text = (read_text(files, path) or "").strip()
        if not path.endswith(".toml") and _TABLE not in text:
            return text if text and len(text.splitlines()) == 1 else None
        return Table.parse(text, path, SourceError).table("toolchain").text("channel")
    except SourceError:
        return None


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while folder:
        folder = posixpath.dirname(folder)
        yield folder
