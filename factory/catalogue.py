"""Names that several packages share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

BAZEL = "bazel"
BACKENDS = ("maturin", "setuptools", "pep517", BAZEL)
BOOTSTRAPPED = "lookalike"
"""The family of build images that are made here, without a registry."""
OFFICIAL = "pypa"
"""The family of build images that a registry serves."""
PINNED_FAMILY = "pinned"
"""The family of plain images that users pinned for trials."""
RECIPE_FAMILY = "recipe"
"""The family of images that only recipes name; no list of images has it."""
FAMILIES = (BOOTSTRAPPED, OFFICIAL)
AUTO = "auto"
"""For each platform an official image that can be had, else one that is made here: docs/decisions/image-families.md."""
OLDEST_TOOL_PYTHON = 10
"""auditwheel 6.8 runs on CPython 3.10 and newer (its Requires-Python)."""

STABLE = "stable"
"""What a recipe or a project calls the newest release of Rust."""
_RUST_RELEASE = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}(\.[0-9]{1,4})?")

ZIG = "zig"
"""What a recipe calls the compiler that brings its own glibc."""

PackageManager = Literal["apt", "dnf", "yum", "apk"]
"""The distributions' own: Debian's, AlmaLinux's, CentOS 7's, Alpine's."""
LISTED_UNDER: Mapping[PackageManager, PackageManager] = MappingProxyType(
    {"apt": "apt", "dnf": "dnf", "yum": "dnf", "apk": "apk"}
)
"""The key of `build.system` that lists the packages of a manager: those of dnf and yum have the same names."""

Processor = Literal["x86-64", "x86-64-v2", "any"]
"""The oldest processor that a wheel is for: a level of the x86-64 psABI, of which the tag alone promises the first."""


class Severity(StrEnum):
    """Error: breaks or endangers users. Warning: costs them. Note: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the gate: a short kebab-case fact, why it hurts, how to mend it, and where the rule comes from.

    Reports print the recipe's line that accepts its errors, unless the recipe has a field of its own for what it asks.
    """

    id: str
    severity: Severity
    summary: str
    why: str
    mend: str
    source: str
    has_own_field: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A finding the recipe accepts: `subject` is a glob over what findings name; a reason is owed."""

    rule: str
    reason: str
    subject: str = "*"
    until: date | None = None


def is_rust_release(text: str) -> bool:
    """Whether a text names releases of Rust by their number: `1.89`, of which the newest is meant, or `1.89.0`."""
    return _RUST_RELEASE.fullmatch(text) is not None
