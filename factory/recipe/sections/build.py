"""`build`: how a wheel is made."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from packaging.requirements import Requirement

from factory.catalogue import BACKENDS, BAZEL, PackageManager
from factory.errors import Span
from factory.form.document import Scalar, Sequence
from factory.form.fields import Field, optional, section
from factory.form.kinds import Choice, Flag, ListOf, MapOf, Place, Text
from factory.form.records import Record, Values, record
from factory.recipe import texts
from factory.recipe.floorway import FloorKind, FloorWay
from factory.recipe.sections.bazel import BazelSpec, check_bazel
from factory.recipe.sections.shared import DURATION, LINE, REQUIREMENTS, SCRIPT_LIMIT, SIZE, WORD, distinct

_ENV_NAME = Text(name="a name", parse=texts.env_name, pattern="[A-Za-z_][A-Za-z0-9_]*")
_PACKAGES = distinct(Text(name="a package's name", parse=texts.package), "a list of package names")
_SCRIPT = ListOf(
    item=Text(name="a shell line", parse=texts.line, limit=SCRIPT_LIMIT),
    name="a shell line, or a list of them",
    bare=True,
)


def _packages(manager: PackageManager, example: str, doc: str) -> Field:
    return Field(name=manager, example=example, kind=_PACKAGES, doc=doc, enters=("prepare", "build", "repair"))


_SYSTEM = (
    _packages("apt", "apt: [libpq-dev]", "Debian and Ubuntu packages."),
    _packages("dnf", "dnf: [libpq-devel]", "AlmaLinux packages."),
    _packages("apk", "apk: [libpq-dev]", "Alpine packages."),
)


def _system(values: Values) -> Mapping[PackageManager, tuple[str, ...]]:
    """Keep an empty list, which says that an image of this package manager needs none."""
    managers: tuple[PackageManager, ...] = ("apt", "dnf", "apk")
    return MappingProxyType({manager: values[manager] for manager in managers if manager in values})


@section
class Toolchain:
    """Which compilers build, as version specifiers that the image's must meet or as what is brought; None for any."""

    rust: str | None = optional(
        kind=Text(name="a release of Rust, stable, or a version specifier", parse=texts.rust),
        doc="The Rust that compiles: a release (`1.89`, `1.89.0`) or `stable`, which are fetched from "
        "the Rust project's server; or a version specifier: the image's Rust if it fits, else a Rust that does.",
        example="rust: '>=1.83'",
        default=None,
        shown_default="any",
    )
    c: str | None = optional(
        kind=Text(name="a version specifier, or zig", parse=texts.c_compiler),
        doc="The GCC that the image must have; or `zig`, which is brought to the image and compiles for the platform's "
        "own glibc, however old.",
        example="c: zig",
        default=None,
        shown_default="any",
    )


@section
class BuildSpec:
    """How a wheel is built. Everything here can change its bytes but `timeout_s`, `memory_bytes` and `disk_bytes`."""

    backend: str | None = optional(
        kind=Choice(words=BACKENDS),
        doc="The tool that makes the wheel.",
        example="backend: maturin",
        default=None,
        shown_default="what the source's pyproject.toml says",
        level="recipe",
        enters=("prepare", "build"),
    )
    bazel: BazelSpec | None = optional(
        kind=record(BazelSpec, check=check_bazel),
        doc="What Bazel builds, for `backend: bazel`.",
        example="bazel: {target: //:demo, module: demo, version: '1.0'}",
        default=None,
        shown_default="none",
        level="recipe",
        enters=("build",),
    )
    features: tuple[str, ...] = optional(
        kind=distinct(Text(name="a feature", parse=texts.feature), "a list of cargo features"),
        doc="Cargo features to switch on.",
        example="features: [simd]",
        default=(),
        enters=("build",),
    )
    default_features: bool = optional(
        kind=Flag(),
        doc="Whether the crate's default features are on.",
        example="default-features: false",
        default=True,
        enters=("build",),
    )
    profile: str = optional(
        kind=WORD,
        doc="The cargo profile.",
        example="profile: dist",
        default="release",
        enters=("build",),
    )
    manifest: str | None = optional(
        kind=Text(name="the path of a Cargo.toml", parse=texts.cargo_manifest),
        doc="The Cargo.toml to build.",
        example="manifest: crates/nh3/Cargo.toml",
        default=None,
        shown_default="the one the source names",
        level="recipe",
        enters=("prepare", "build"),
    )
    locked: bool = optional(
        kind=Flag(),
        doc="Whether the source's Cargo.lock is used as it is; "
        "`false` lets cargo change what it has to, or make one, and keeps the lock that was used in the run's folder.",
        example="locked: false",
        default=True,
        enters=("prepare", "build"),
    )
    args: tuple[str, ...] = optional(
        kind=ListOf(item=LINE, name="a list of arguments"),
        doc="Extra arguments for cargo, or for `bazel build`.",
        example="args: [--verbose]",
        default=(),
        enters=("build",),
    )
    toolchain: Toolchain = optional(
        kind=record(Toolchain),
        doc="The compilers.",
        example="toolchain: {rust: '>=1.83'}",
        default=Toolchain(),
    )
    floor: FloorWay = optional(
        kind=FloorKind(),
        doc="How the abi3 floor reaches the build; `{floor}` in a feature becomes `py39`, in an option `cp39`; "
        "`{abi}` becomes `abi3`, or `abi3t` for a floor such as `cp315t`.",
        example="floor: {feature: 'abi3-{floor}'}",
        default=FloorWay(),
        shown_default="`default`",
        level="recipe",
        enters=("build",),
    )
    interpreter: Literal["image", "none"] = optional(
        kind=Choice(words=("image", "none")),
        doc="Who builds: an interpreter of the image, or `none`: "
        "maturin compiles an abi3 wheel without any, and those of the image are out of its sight.",
        example="interpreter: none",
        default="image",
        shown_default="`image`",
        enters=("prepare", "build"),
    )
    system: Mapping[PackageManager, tuple[str, ...]] = optional(
        kind=Record(fields=_SYSTEM, build=_system),
        doc="System packages for the build's image, by its distribution's package manager; `[]` where it needs none.",
        example="system: {apt: [libpq-dev]}",
        default=MappingProxyType({}),
        shown_default="none",
        enters=("prepare", "build", "repair"),
    )
    before_all: tuple[str, ...] = optional(
        kind=_SCRIPT,
        doc="Run by `sh -e` as root, with network, before `system` is installed; the source is not there.",
        example="before-all: dnf -y module enable postgresql:16",
        default=(),
        enters=("prepare", "build", "repair"),
    )
    before: tuple[str, ...] = optional(
        kind=_SCRIPT,
        doc="Run by `sh -e` before each cell's build: unprivileged, offline, in the cell's copy of the source.",
        example="before: make headers",
        default=(),
        enters=("build",),
    )
    config_settings: Mapping[str, tuple[str, ...]] = optional(
        kind=MapOf(
            key=LINE,
            value=ListOf(item=LINE, name="text, or a list of texts", bare=True),
            name="a mapping of texts or lists",
        ),
        doc="Config settings for the build backend (PEP 517).",
        example="config-settings: {build-args: --quiet}",
        default=MappingProxyType({}),
        shown_default="none",
        enters=("prepare", "build"),
    )
    env: Mapping[str, str] = optional(
        kind=MapOf(
            key=_ENV_NAME, value=Text(name="text", parse=texts.line, empty=True), name="a mapping of names to texts"
        ),
        doc="Environment variables of the build.",
        example="env: {LEVEL: '3'}",
        default=MappingProxyType({}),
        shown_default="none",
        enters=("build",),
    )
    pass_env: tuple[str, ...] = optional(
        kind=distinct(_ENV_NAME, "a list of names"),
        doc="Variables taken from the environment in which the factory runs; "
        "whoever runs it has to allow them (`--allow-env`). Logs show `***`, keys hold digests.",
        example="pass-env: [TOKEN]",
        default=(),
        enters=("prepare", "build"),
    )
    path: tuple[str, ...] = optional(
        kind=distinct(Text(name="an absolute folder", parse=texts.absolute_folder), "a list of absolute folders"),
        doc="Folders of the image to put before PATH.",
        example="path: [/opt/tool/bin]",
        default=(),
        enters=("build",),
    )
    requires: tuple[Requirement, ...] = optional(
        kind=REQUIREMENTS,
        doc="Build requirements in addition to those that the source declares.",
        example="requires: ['cython>=3']",
        default=(),
        enters=("prepare",),
    )
    constraints: tuple[Requirement, ...] = optional(
        kind=REQUIREMENTS,
        doc="Versions that build requirements must keep to, and what they in turn need to be built from an sdist.",
        example="constraints: ['setuptools<80']",
        default=(),
        enters=("prepare",),
    )
    timeout_s: int = optional(
        name="timeout",
        kind=DURATION,
        doc="The longest time that the build of a cell may take.",
        example="timeout: 90m",
        default=3600,
        shown_default="1h",
    )
    memory_bytes: int = optional(
        name="memory",
        kind=SIZE,
        doc="The memory that a build may use.",
        example="memory: 4GB",
        default=8 << 30,
        shown_default="8GiB",
    )
    disk_bytes: int = optional(
        name="disk",
        kind=SIZE,
        doc="What a build's workspace may hold.",
        example="disk: 40GB",
        default=16 << 30,
        shown_default="16GiB",
    )


def check_build(values: Values, place: Place, _span: Span) -> None:
    """Refuse fields that contradict each other."""
    _backend_fits(values, place)
    _variables_have_one_value(values, place)


def _backend_fits(values: Values, place: Place) -> None:
    """Refuse Bazel without a target, and a target without Bazel."""
    backend, bazel = values.entry("backend"), values.entry("bazel")
    is_bazel = backend is not None and values["backend"] == BAZEL
    if backend is not None and is_bazel and bazel is None:
        hint = "add what it is to build: bazel: {target: //:demo}"
        place.at("backend").refuse(backend.value.span, "bazel builds a target, and the recipe names none", hint)
    if bazel is not None and "bazel" in values and not is_bazel:
        message = "says what Bazel builds, but backend is not bazel"
        place.at("bazel").refuse(bazel.key_span, message, "add backend: bazel, or remove bazel")


def _variables_have_one_value(values: Values, place: Place) -> None:
    """Refuse a variable with two values: the recipe's, and that of whoever runs the factory."""
    entry, own = values.entry("pass-env"), values["env"]
    if entry is None or not isinstance(entry.value, Sequence):
        return
    for index, item in enumerate(entry.value.items):
        if isinstance(item, Scalar) and item.text in own:
            where = place.at("pass-env").item(index)
            where.refuse(item.span, f"build.env sets {item.text} too", "remove it from one of the two")
