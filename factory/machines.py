"""The machines that wheels are made for, and what each tool calls them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine on Linux with glibc: Rust's target triple, and zig's without the libc's version."""

    rust: str
    zig: str


MACHINES: Mapping[str, Machine] = MappingProxyType(
    {"x86_64": Machine(rust="x86_64-unknown-linux-gnu", zig="x86_64-linux-gnu")}
)
"""By the name that platform tags have for them (PEP 600)."""
