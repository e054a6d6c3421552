"""What was asked: the recipe as frozen values, defaults filled in, nothing left to parse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.catalogue import PackageManager, Processor, Waiver
from factory.digest import Digest
from factory.pins import Pin
from factory.tags import Abi3Floor, Interpreter, PlatformTag

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What every source has: the `subdir` in which the project lies, and `patches`, which are applied in order.

    The parser has joined the patches' paths to the recipe's folder.
    """

    subdir: str = ""
    patches: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SdistSource(_Source):
    """A release on the package index: `name==version`, and optionally the digest its sdist must have."""

    name: NormalizedName
    version: Version
    sha256: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSource(_Source):
    """A source tree on this machine; the parser has joined a relative path to the recipe's folder."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSource(_Source):
    """A commit of a repository elsewhere; `rev` is the whole commit, or a tag or a branch that names one.

    Repositories of this machine, submodules among them, must lie below `root`, if there is one.
    """

    url: str
    rev: str
    root: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlSource(_Source):
    """An archive elsewhere, of one top folder as sdists have it, and the digest that it must have."""

    url: str
    sha256: Digest


SourceRef = SdistSource | PathSource | GitSource | UrlSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An interpreter on which the wheels must work, and whether the recipe names it or a range brought it.

    What is named must be possible; what a range or `supported` brought may be skipped with a reason.
    """

    interpreter: Interpreter
    origin: Literal["name", "range", "supported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRule:
    """Cells the recipe leaves out: a glob over ids, or over addresses when it holds a slash."""

    select: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorWay:
    """How the abi3 floor reaches the build; `value` is the feature's or option's text, `{floor}` still in it."""

    kind: Literal["default", "feature", "option", "interpreter", "project"] = "default"
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """Which compilers the image must have, as version specifiers; None for any. Nothing is installed by it."""

    rust: str | None = None
    c: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """How a wheel is built. Everything here can change its bytes but `timeout_s`, `memory_bytes` and `disk_bytes`."""

    backend: str | None = None
    features: tuple[str, ...] = ()
    default_features: bool = True
    profile: str = "release"
    manifest: str | None = None
    locked: bool = True
    args: tuple[str, ...] = ()
    toolchain: Toolchain = Toolchain()
    floor: FloorWay = FloorWay()
    system: Mapping[PackageManager, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    before_all: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    config_settings: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    env: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    pass_env: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    timeout_s: int = 3600
    memory_bytes: int = 8 << 30
    disk_bytes: int = 16 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairSpec:
    """What auditwheel is told."""

    exclude: tuple[str, ...] = ()
    strip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSpec:
    """What the gate expects of the wheel; `modules` are dotted names of extension modules."""

    modules: tuple[str, ...] = ()
    max_size_bytes: int | None = None
    waive: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSpec:
    """How the installed wheel is tried; `run` may hold `{source}` and `{wheel}`.

    `unimported` are globs over dotted names; `processor` is the oldest that the wheel is for, as a level of the x86-64
    psABI, or `any` where nobody asks.
    """

    requires: tuple[Requirement, ...] = ()
    extras: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    unimported: tuple[str, ...] = ()
    processor: Processor = "x86-64"
    timeout_s: int = 300
    untried: Literal["fail", "allow"] = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What differs for the cells that a glob selects, or with an `@` in it for their trials.

    Each of `paths` names a value that counts, by attributes from the section down and in a mapping by its key; all else
    in the sections is a default that means nothing.
    """

    select: str
    paths: tuple[tuple[str, ...], ...]
    build: BuildSpec = BuildSpec()
    repair: RepairSpec = RepairSpec()
    audit: AuditSpec = AuditSpec()
    test: TestSpec = TestSpec()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole recipe, version 1. `file` is the path it was read from, `name` its address in selectors.

    `images` are those to build in that the recipe names itself, by platform.
    """

    name: NormalizedName
    file: Path
    source: SourceRef
    interpreters: tuple[Wanted, ...]
    platforms: tuple[PlatformTag, ...]
    abi3: tuple[Abi3Floor, ...] | None = None
    skip: tuple[SkipRule, ...] = ()
    images: Mapping[PlatformTag, Pin] = field(default_factory=lambda: MappingProxyType({}))
    build: BuildSpec = BuildSpec()
    repair: RepairSpec = RepairSpec()
    audit: AuditSpec = AuditSpec()
    test: TestSpec = TestSpec()
    overrides: tuple[Override, ...] = ()
