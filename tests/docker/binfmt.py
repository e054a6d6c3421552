"""Programs of aarch64, run by this kernel through QEMU: registered while a test needs them, and taken back."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.packages import unpacked

BINFMT = Path("/proc/sys/fs/binfmt_misc")
NAME = "qemu-aarch64"


def is_registered() -> bool:
    return (BINFMT / NAME).exists()


@contextmanager
def registered() -> Iterator[None]:
    """Have programs of aarch64 run; the test is skipped where this user may not register what runs them."""
    if is_registered():
        yield
        return
    mounted = _mounted()
    try:
        _write("register", _line(unpacked("qemu-user-static")))
        try:
            yield
        finally:
            _write(NAME, "-1")
    finally:
        if mounted:
            subprocess.run(["umount", BINFMT], check=True)


def _mounted() -> bool:
    """Mount the file system of registrations unless it is mounted; return whether that was done."""
    if (BINFMT / "register").exists():
        return False
    done = subprocess.run(["mount", "-t", "binfmt_misc", "none", BINFMT], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"binfmt_misc cannot be mounted: {done.stderr.strip()}")
    return True


def _line(package: Path) -> str:
    """Return what registers the package's own emulator, at the place where it was unpacked (binfmt.d(5))."""
    name, kind, offset, magic, mask, program, flags = (
        (package / f"usr/lib/binfmt.d/{NAME}.conf").read_text(encoding="ascii").strip().split(":")[1:]
    )
    return ":".join(("", name, kind, offset, magic, mask, f"{package}{program}", flags))


def _write(name: str, text: str) -> None:
    try:
        (BINFMT / name).write_text(text, encoding="ascii")
    except PermissionError as error:
        pytest.skip(f"an emulator cannot be registered: {error}")
