"""zig, pinned by hash for each machine that it runs on, and the programs by which builds call it as they call gcc."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory import guests
from factory.digest import Artifact, Digest
from factory.engine.api import FileEntry
from factory.host import Host
from factory.keys import key
from factory.machines import USUAL_MACHINE
from factory.steps import MUSL, REPAIR_FOREIGN, REPAIR_MUSL, ZIG
from factory.store import Store
from factory.tool_bundle import ZIG as ZIG_LOCK
from factory.tool_bundle import ensure_pinned

_LAYOUT = 1  # rises when the same files are placed otherwise; it is in the key of every build by zig
_PROGRAM = "zigcc.py"
_PROGRAMS = (_PROGRAM, REPAIR_FOREIGN.name)
_HEADERS = ("crypt.h", "pyconfig.h")
_CALLS = ("cc", "c++", "ar", "ranlib")
_CALL = '#!/bin/sh\nexec "$ZIG_PYTHON" -I -S {program} {call} "$@"\n'
_MUSL_PROGRAM = "muslcc.py"
_MUSL_PROGRAMS = (_MUSL_PROGRAM, REPAIR_MUSL.name)
_MUSL_CALLS = ("cc", "c++")
_PACKAGE = "ziglang"
_LEFT_OUT = f"{_PACKAGE}/doc/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZigBundle:
    """The pinned wheel in the store, and how it lies in a container: `ziglang/` and `bin/`."""

    file: Artifact
    store: Store

    @property
    def digest(self) -> Digest:
        """The digest of the wheel, of our own program, and of the layout."""
        programs = {name: str(Digest.of(guests.program(name).encode())) for name in (*_PROGRAMS, *_HEADERS)}
        return key({"layout": _LAYOUT, "file": str(self.file.digest), "programs": programs})

    def entries(self) -> Iterator[FileEntry]:
        """Yield every file of the unpacked bundle."""
        for name in _PROGRAMS:
            yield FileEntry(path=PurePosixPath(name), content=guests.program(name).encode())
        for name in _HEADERS:
            yield FileEntry(path=PurePosixPath("include", name), content=guests.program(name).encode())
        for call in _CALLS:
            text = _CALL.format(program=ZIG / _PROGRAM, call=call)
            yield FileEntry(path=PurePosixPath("bin", call), content=text.encode(), mode=0o755)
        with self.store.open_blob(self.file.digest) as blob, zipfile.ZipFile(blob) as wheel:
            for info in wheel.infolist():
                if info.filename.startswith(f"{_PACKAGE}/") and not info.is_dir() and _is_used(info.filename):
                    mode = 0o755 if info.filename == f"{_PACKAGE}/zig" else 0o644
                    yield FileEntry(path=PurePosixPath(info.filename), content=wheel.read(info), mode=mode)


def musl_digest() -> Digest:
    """Return the digest of what builds for musl get besides zig: no other build's key depends on it."""
    programs = {name: str(Digest.of(guests.program(name).encode())) for name in _MUSL_PROGRAMS}
    return key({"layout": _LAYOUT, "musl": programs})


def musl_entries() -> Iterator[FileEntry]:
    """Yield its files: our programs, and `bin/`."""
    for name in _MUSL_PROGRAMS:
        yield FileEntry(path=PurePosixPath(name), content=guests.program(name).encode())
    for call in _MUSL_CALLS:
        text = _CALL.format(program=MUSL / _MUSL_PROGRAM, call=call)
        yield FileEntry(path=PurePosixPath("bin", call), content=text.encode(), mode=0o755)


def ensure_zig(host: Host, store: Store, machine: str = USUAL_MACHINE) -> ZigBundle:
    """Bring zig for a machine into the store; if it is there already, the network is not used.

    Raises:
        EngineError: it is not in the store, and cannot be downloaded.
    """
    (file,) = ensure_pinned(ZIG_LOCK, machine, host, store)
    return ZigBundle(file=file, store=store)


def _is_used(name: str) -> bool:
    return not name.startswith(_LEFT_OUT)
