"""The machines that wheels are made for, and what each tool calls them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine on Linux with glibc: Rust's target triple, zig's without the libc's version, and CPython's name.

    `multiarch` is in the file names of extension modules (PEP 3149 and sysconfig's MULTIARCH).
    """

    rust: str
    zig: str
    multiarch: str
    bits: int = 64


MACHINES: Mapping[str, Machine] = MappingProxyType(
    {
        "x86_64": Machine(rust="x86_64-unknown-linux-gnu", zig="x86_64-linux-gnu", multiarch="x86_64-linux-gnu"),
        "aarch64": Machine(rust="aarch64-unknown-linux-gnu", zig="aarch64-linux-gnu", multiarch="aarch64-linux-gnu"),
        "armv7l": Machine(
            rust="armv7-unknown-linux-gnueabihf", zig="arm-linux-gnueabihf", multiarch="arm-linux-gnueabihf", bits=32
        ),
        "riscv64": Machine(rust="riscv64gc-unknown-linux-gnu", zig="riscv64-linux-gnu", multiarch="riscv64-linux-gnu"),
    }
)
"""By the name that platform tags have for them (PEP 600): those for which a C compiler and Rust's std are to be had."""

WINDOWS_RUST: Mapping[str, str] = MappingProxyType({"amd64": "x86_64-pc-windows-gnu"})
"""Rust's target triple by the name that Windows' platform tags have for a machine."""
