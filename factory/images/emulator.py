"""The emulator of old processors, where this machine has one: a wheel that uses newer instructions ends by SIGILL."""

import shutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from factory.catalogue import CONTAINER_MACHINE
from factory.digest import Digest
from factory.elf.read import parse
from factory.elf.shared_object import ElfError

_PROGRAMS = ("qemu-x86_64-static", "qemu-x86_64")
_MEND = "apt-get install qemu-user-static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A program of qemu's user mode that runs in any container of its architecture."""

    digest: Digest
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoEmulator:
    """Why there is no emulator, and the command that installs it."""

    reason: str


@cache
def emulator_of(search_path: str) -> Emulator | NoEmulator:
    """Find qemu-user for x86_64 on a PATH; the first answer is kept."""
    program = next((path for name in _PROGRAMS if (path := shutil.which(name, path=search_path))), None)
    return NoEmulator(reason=f"no qemu-user is on PATH: {_MEND}") if program is None else _read(Path(program))


def _read(path: Path) -> Emulator | NoEmulator:
    """Read the program, which must be linked statically: any other runs in its own root filesystem only."""
    try:
        content = path.read_bytes()
        program = parse(content)
    except (OSError, ElfError) as error:
        return NoEmulator(reason=f"{path} cannot be read: {error}")
    if program.interpreter is not None or program.architecture != CONTAINER_MACHINE:
        return NoEmulator(reason=f"{path} is not a static program for {CONTAINER_MACHINE}: {_MEND}")
    return Emulator(digest=Digest.of(content), content=content)
