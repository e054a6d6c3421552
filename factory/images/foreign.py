"""Whether an engine runs images for another machine than its own: a program of that machine is run, in an image of it.

The program is written here byte for byte, so that nothing has to be downloaded to find out.
"""

import struct
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

from factory import process, system
from factory.engine.api import ContainerSpec, Engine
from factory.errors import FactoryError, ImageError
from factory.image_facts import ImageFacts
from factory.machines import CONTAINER_MACHINES, USUAL_MACHINE, machine_named

_EXECUTABLE: Final = 2  # ET_EXEC (elf(5))
_LOADED: Final = 1  # PT_LOAD
_READ_AND_RUN: Final = 5  # PF_R and PF_X
_HEADERS_BYTES: Final = 64 + 56
_BASE: Final = 0x400000
_PAGE_BYTES: Final = 0x10000
_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Programs:
    """Machine code of two programs: `waits` for a signal for ever, `ends` at once with 0. `elf` names their machine."""

    elf: int
    waits: bytes
    ends: bytes


PROGRAMS: Mapping[str, _Programs] = MappingProxyType(
    {
        # mov eax, ppoll; xor edi, edi; xor esi, esi; xor edx, edx; xor r10d, r10d; syscall; jmp to the first
        # mov eax, exit; xor edi, edi; syscall
        "x86_64": _Programs(
            elf=62,
            waits=bytes.fromhex("b80f010000 31ff 31f6 31d2 4531d2 0f05 ebee"),
            ends=bytes.fromhex("b83c000000 31ff 0f05"),
        ),
        # mov x0, 0; mov x1, 0; mov x2, 0; mov x3, 0; mov x8, ppoll; svc 0; b to the first
        # mov x0, 0; mov x8, exit; svc 0
        "aarch64": _Programs(
            elf=183,
            waits=bytes.fromhex("000080d2 010080d2 020080d2 030080d2 280980d2 010000d4 faffff17"),
            ends=bytes.fromhex("000080d2 a80b80d2 010000d4"),
        ),
    }
)
_EMULATE: Final = "apt-get install qemu-user-static binfmt-support"
_OCI: Final = MappingProxyType({"x86_64": "amd64", "aarch64": "arm64"})  # as engines call the machines


def machine_here() -> str:
    """Return the machine of an engine that was not asked: this one's, as most engines are where the factory is."""
    machine = machine_named(system.machine())
    return machine if machine in CONTAINER_MACHINES else USUAL_MACHINE


def require_running(engine: Engine, facts: ImageFacts) -> None:
    """Refuse an image for a machine whose programs the engine does not run: neither natively nor by an emulator.

    Raises:
        ImageError: it does not.
    """
    machine, own = facts.platform.arch, machine_named(engine.info().architecture)
    if machine != own and not runs(engine, machine):
        raise ImageError(
            f"{facts.name} is for {machine}, and the container engine, which is on {own}, does not run its programs",
            hint=way_to_emulate(machine),
        )


def way_to_emulate(machine: str) -> str:
    """Say how an engine comes to run containers for a machine."""
    emulated = f"docker run --privileged --rm tonistiigi/binfmt --install {_OCI[machine]}"
    return f"`{_EMULATE}` where the engine is, or `{emulated}`; `factory doctor` says whether it does then"


def runs(engine: Engine, machine: str) -> bool:
    """Whether an engine runs a program of a machine in an image for it, which is made of two such programs.

    Raises:
        EngineError: the engine does not answer.
    """
    reference = f"wheel-factory/runs:{machine}"
    image = engine.held_image(reference)
    held = engine.import_rootfs(_rootfs(machine), reference=reference, labels={}, env={}) if image is None else image.id
    with engine.container(ContainerSpec(image=held, label="runs", env={}, workspace_bytes=0)) as container:
        ended = container.run(["/bin/true"], timeout_s=_TIMEOUT_S)
    return ended.ended == "exited" and ended.code == 0


def require_running_here(name: str, machine: str) -> None:
    """Refuse to make an image whose packages' scripts run on this machine, where it does not run such programs.

    Raises:
        ImageError: it does not.
    """
    own = machine_named(system.machine())
    if machine == own:
        return
    with TemporaryDirectory() as folder:
        program = Path(folder, "true")
        program.write_bytes(program_of(machine, PROGRAMS[machine].ends))
        program.chmod(0o755)
        try:
            is_run = process.run([program], env={}, cwd=Path(folder), timeout_s=_TIMEOUT_S).returncode == 0
        except FactoryError:  # The kernel knows no way to run it.
            is_run = False
    if not is_run:
        raise ImageError(
            f"{name} is made by programs for {machine}, which this machine does not run: it is {own}",
            hint=_EMULATE,
        )


def program_of(machine: str, code: bytes) -> bytes:
    """Return an ELF program of nothing but code, linked statically (elf(5))."""
    size_bytes = _HEADERS_BYTES + len(code)
    entry = _BASE + _HEADERS_BYTES
    magic = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", _EXECUTABLE, PROGRAMS[machine].elf, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", _LOADED, _READ_AND_RUN, 0, _BASE, _BASE, size_bytes, size_bytes, _PAGE_BYTES)
    return magic + header + segment + code


def _rootfs(machine: str) -> Iterator[bytes]:
    programs, content = PROGRAMS[machine], BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, code in (("sleep", programs.waits), ("true", programs.ends)):
            program = program_of(machine, code)
            member = tarfile.TarInfo(f"bin/{name}")
            member.size, member.mode = len(program), 0o755
            tar.addfile(member, BytesIO(program))
    yield content.getvalue()
