"""Small disks of their own, for tests of what happens when one is full or read-only."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

import pytest


class mounted:  # noqa: N801 -- used as a context manager
    """A small disk of its own; skips where this machine does not let us mount one."""

    def __init__(self, path: Path, options: str) -> None:
        self.path, self.options = path, options

    def __enter__(self) -> Self:
        if os.getuid() != 0 or shutil.which("mount") is None:
            pytest.skip("mounting a small disk needs root")
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"mode=0700,{self.options}", "tmpfs", self.path],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", self.path], check=True)

    def resize(self, size: str) -> None:
        """Give the disk another size; what lies on it stays."""
        subprocess.run(["mount", "-o", f"remount,size={size}", self.path], check=True)

    @property
    def used_bytes(self) -> int:
        """How much of the disk is taken."""
        return shutil.disk_usage(self.path).used
