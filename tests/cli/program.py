"""The program as a process of its own, in surroundings that a test says word for word."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

PROGRAM = Path(sys.executable).with_name("factory")
_PATH = os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"])


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one call ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Program:
    """`factory` in a folder, with a store of its own and no engine; `env` lies over the rest."""

    folder: Path
    program: Path = PROGRAM
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def surroundings(self) -> dict[str, str]:
        return {
            "PATH": _PATH,
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "FACTORY_STORE": str(self.folder / "store"),
            "DOCKER_HOST": "unix:///nonexistent.sock",
            **self.env,
        }

    def __call__(self, *arguments: str | Path, **env: str) -> Ended:
        """Run the program to its end."""
        return self.shell(*[str(self.program), *map(str, arguments)], **env)

    def shell(self, *argv: str, **env: str) -> Ended:
        """Run something else in the same surroundings."""
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env={**self.surroundings, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def terminal(self, *arguments: str, **env: str) -> Ended:
        """Run the program with a terminal on stdout and stderr; both come back as `stdout`."""
        reading, writing = os.openpty()
        with os.fdopen(reading, "rb", buffering=0) as shown:
            child = subprocess.Popen(
                [self.program, *arguments],
                cwd=self.folder,
                env={**self.surroundings, "TERM": "xterm-256color", **env},
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
            )
            os.close(writing)
            text = b"".join(iter(lambda: _piece(shown), b"")).decode()
        return Ended(code=child.wait(timeout=60), stdout=text.replace("\r\n", "\n"), stderr="")


def _piece(shown: io.RawIOBase | BinaryIO) -> bytes:
    """Read what came; a terminal that nobody writes to any more answers EIO instead of an end (pty(7))."""
    try:
        return shown.read(65536) or b""
    except OSError:
        return b""


RECIPE = """\
factory: 1
name: demo
source: {path: .}
interpreters: [cp311, cp313]
platforms: [manylinux_2_31_x86_64]
"""
PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "demo"
version = "1"
"""


def write_project(folder: Path, recipe: str = RECIPE) -> Path:
    """Write a project that can be planned, and its recipe.yaml beside it."""
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "recipe.yaml").write_text(recipe)
    return folder / "recipe.yaml"
