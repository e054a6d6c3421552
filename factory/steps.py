"""A build command as data, and where things lie in a cell's container."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from factory.tags import Interpreter

WORK = PurePosixPath("/work")
SOURCE = WORK / "source"
ENVIRONMENT = WORK / "env"
WHEELHOUSE = WORK / "wheelhouse"
BUILT = WORK / "built"
RAW = WORK / "raw"
REPAIRED = WORK / "repaired"
HOME = WORK / "home"
TARGET = WORK / "target"
EMULATOR = WORK / "emulator"
TOOLS = PurePosixPath("/tools")
CARGO_HOME = PurePosixPath("/cargo")

UV_OFFLINE = ("--no-config", "--offline", "--no-cache", "--quiet")
"""Options of every uv command in a container, whose result may depend on nothing but the files there."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command in a container: `name` is what people read; no shell reads `argv` unless it starts one.

    `passed` are variables whose values may be secret: keys hold digests of them, and logs do not show them.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    phase: Literal["prepare", "build", "repair", "trial"]
    timeout_s: int
    cwd: PurePosixPath = WORK
    passed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


def image_python(interpreter: Interpreter) -> PurePosixPath:
    """Return an interpreter's path in a build image, as the pypa images have it."""
    return PurePosixPath(f"/opt/python/{interpreter.python_tag}-{interpreter.abi_tag}/bin/python")


def search_path(*first: PurePosixPath | str, system: str = SYSTEM_PATH) -> str:
    """Return a PATH of these folders, followed by the system's, or by that of a build image."""
    return ":".join([*(str(folder) for folder in first), system])


def trial_python(interpreter: Interpreter) -> str:
    """Return an interpreter's path in a trial image: where its distribution has it."""
    return f"/usr/bin/python{interpreter.version}{'t' if interpreter.free_threaded else ''}"
