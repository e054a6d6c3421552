"""Emulators, where this machine has them: of other machines, and of old processors, which end new code by SIGILL."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from factory.digest import Digest
from factory.elf.read import parse
from factory.machines import USUAL_MACHINE
from factory.objects import ObjectError

_NAMES: Mapping[str, str] = MappingProxyType({"armv7l": "arm"})  # where QEMU does not use the name of platform tags
MEND = "apt-get install qemu-user-static"


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
def emulator_of(
    search_path: str, machine: str = USUAL_MACHINE, container: str = USUAL_MACHINE
) -> Emulator | NoEmulator:
    """Find qemu-user for a machine on a PATH, to run in containers of another; the first answer is kept."""
    name = f"qemu-{_NAMES.get(machine, machine)}"
    program = shutil.which(f"{name}-static", path=search_path) or shutil.which(name, path=search_path)
    if program is not None:
        return _read(Path(program), container)
    which = "qemu-user" if machine == USUAL_MACHINE else f"qemu-user for {machine}"
    return NoEmulator(reason=f"no {which} is on PATH: {MEND}")


def _read(path: Path, container: str) -> Emulator | NoEmulator:
    """Read the program, which must be linked statically: any other runs in its own root filesystem only."""
    try:
        content = path.read_bytes()
        program = parse(content)
    except (OSError, ObjectError) as error:
        return NoEmulator(reason=f"{path} cannot be read: {error}")
    if program.interpreter is not None or program.architecture != container:
        return NoEmulator(reason=f"{path} is not a static program for {container}: {MEND}")
    return Emulator(digest=Digest.of(content), content=content)
