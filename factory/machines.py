"""The machines that wheels are made for, and what each tool calls them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine on Linux with one libc: Rust's target triple, zig's without a version, and CPython's name.

    `multiarch` is in the file names of extension modules (PEP 3149 and sysconfig's MULTIARCH).
    """

    rust: str
    zig: str
    multiarch: str


MACHINES: Mapping[str, Machine] = MappingProxyType(
    {
        "x86_64": Machine(rust="x86_64-unknown-linux-gnu", zig="x86_64-linux-gnu", multiarch="x86_64-linux-gnu"),
        "aarch64": Machine(rust="aarch64-unknown-linux-gnu", zig="aarch64-linux-gnu", multiarch="aarch64-linux-gnu"),
        "armv7l": Machine(
            rust="armv7-unknown-linux-gnueabihf", zig="arm-linux-gnueabihf", multiarch="arm-linux-gnueabihf"
        ),
        "ppc64le": Machine(
            rust="powerpc64le-unknown-linux-gnu", zig="powerpc64le-linux-gnu", multiarch="powerpc64le-linux-gnu"
        ),
        "riscv64": Machine(rust="riscv64gc-unknown-linux-gnu", zig="riscv64-linux-gnu", multiarch="riscv64-linux-gnu"),
        "s390x": Machine(rust="s390x-unknown-linux-gnu", zig="s390x-linux-gnu", multiarch="s390x-linux-gnu"),
    }
)
"""Those with glibc, by the name that platform tags have for them (PEP 600): there are a C compiler and Rust's std."""

MUSL_MACHINES: Mapping[str, Machine] = MappingProxyType(
    {
        "x86_64": Machine(rust="x86_64-unknown-linux-musl", zig="x86_64-linux-musl", multiarch="x86_64-linux-musl"),
        "aarch64": Machine(rust="aarch64-unknown-linux-musl", zig="aarch64-linux-musl", multiarch="aarch64-linux-musl"),
    }
)
"""Those with musl (PEP 656)."""

MACHINES_OF: Mapping[str, Mapping[str, Machine]] = MappingProxyType({"glibc": MACHINES, "musl": MUSL_MACHINES})
"""The machines by their libc."""

WINDOWS_RUST: Mapping[str, str] = MappingProxyType({"amd64": "x86_64-pc-windows-gnu"})
"""Rust's target triple by the name that Windows' platform tags have for a machine."""

USUAL_MACHINE = "x86_64"
"""The machine of containers that documents and keys leave out, as did those from before there were others."""

CONTAINER_MACHINES = (USUAL_MACHINE, "aarch64")
"""The machines of containers: there are images for them, and the factory's own tools."""

_SPELLED: Mapping[str, str] = MappingProxyType({"amd64": "x86_64", "arm64": "aarch64"})
"""The names of platform tags by those that container engines and macOS have."""

_FIRST_MUSL_NAME = 11  # CPython 3.11 began to tell musl from glibc in names (bpo-43112)


def multiarch_of(machine: Machine, minor: int) -> str:
    """Return what CPython of a version calls a machine: `x86_64-linux-musl`."""
    return machine.multiarch if minor >= _FIRST_MUSL_NAME else machine.multiarch.replace("-musl", "-gnu")


def extension_suffix(machine: Machine, minor: int, *, free_threaded: bool) -> str:
    """Return the suffix of extension modules for one CPython: `.cpython-313-x86_64-linux-musl.so`."""
    return f".cpython-3{minor}{'t' if free_threaded else ''}-{multiarch_of(machine, minor)}.so"


def rust_target(machine: str) -> str:
    """Return Rust's triple of what a wheel is compiled for: a machine's name, Windows' name of one, or a triple."""
    return MACHINES[machine].rust if machine in MACHINES else WINDOWS_RUST.get(machine, machine)


def machine_named(text: str) -> str:
    """Return what platform tags call a machine that an engine or a system names: `arm64` is `aarch64`."""
    lower = text.lower()
    return _SPELLED.get(lower, lower)
