"""`build`: how a wheel is made."""

from collections.abc import Mapping as MappingType
from types import MappingProxyType

from packaging.requirements import Requirement

from factory.catalogue import BACKENDS
from factory.recipe import texts
from factory.recipe.floorway import FloorKind
from factory.recipe.kinds import Choice, Flag, ListOf, MapOf, Text
from factory.recipe.model import BuildSpec, FloorWay
from factory.recipe.records import Field, Record, Values
from factory.recipe.sections.shared import DURATION, LINE, REQUIREMENTS, SCRIPT_LIMIT, SIZE, WORD, distinct

_NONE: MappingType[str, str] = MappingProxyType({})
_NO_SETTINGS: MappingType[str, tuple[str, ...]] = MappingProxyType({})
_ENV_NAME = Text(name="a name", parse=texts.env_name, pattern="[A-Za-z_][A-Za-z0-9_]*")
_PACKAGES = distinct(WORD, "a list of package names")

BACKEND: Field[str | None] = Field(
    name="backend",
    example="backend: maturin",
    kind=Choice(words=BACKENDS),
    doc="The tool that makes the wheel.",
    shown_default="what the source's pyproject.toml says",
    enters=("prepare", "build"),
)
FEATURES: Field[tuple[str, ...]] = Field(
    name="features",
    example="features: [simd]",
    kind=distinct(Text(name="a feature", parse=texts.feature), "a list of cargo features"),
    doc="Cargo features to switch on.",
    default=(),
    enters=("build",),
)
DEFAULT_FEATURES = Field(
    name="default-features",
    example="default-features: false",
    kind=Flag(),
    doc="Whether the crate's default features are on.",
    default=True,
    enters=("build",),
)
PROFILE = Field(
    name="profile", example="profile: dist", kind=WORD, doc="The cargo profile.", default="release", enters=("build",)
)
MANIFEST: Field[str | None] = Field(
    name="manifest",
    example="manifest: crates/nh3/Cargo.toml",
    kind=Text(name="the path of a Cargo.toml", parse=texts.cargo_manifest),
    doc="The Cargo.toml to build.",
    shown_default="the one the source names",
    enters=("prepare", "build"),
)
LOCKED = Field(
    name="locked",
    example="locked: false",
    kind=Flag(),
    doc="Whether the source's Cargo.lock is used as it is; `false` resolves anew and records the lock that was used.",
    default=True,
    enters=("prepare", "build"),
)
ARGS: Field[tuple[str, ...]] = Field(
    name="args",
    example="args: [--verbose]",
    kind=ListOf(item=LINE, name="a list of arguments"),
    doc="More arguments for cargo.",
    default=(),
    enters=("build",),
)
RUST: Field[str | None] = Field(
    name="rust",
    example="rust: '>=1.83'",
    kind=Text(name="a version specifier", parse=texts.specifier),
    doc="The Rust that the image must have; nothing is installed by it.",
    shown_default="any",
)
C = Field(
    name="c",
    example="c: gcc-12",
    kind=LINE,
    doc="The C compiler that the image must have.",
    not_yet=True,
    hint="take the line out; the image's compiler is used",
)
TOOLCHAIN: Field[str | None] = Field(
    name="toolchain",
    example="toolchain: {rust: '>=1.83'}",
    kind=Record(fields=(RUST, C), build=lambda values: values[RUST]),
    doc="Compilers that the image must have.",
)
FLOOR = Field(
    name="floor",
    example="floor: {feature: 'abi3-{floor}'}",
    kind=FloorKind(),
    doc="How the abi3 floor reaches the build; `{floor}` in a feature becomes `py39`, in an option `cp39`.",
    default=FloorWay(),
    shown_default="`default`",
    enters=("build",),
)
SYSTEM = Field(
    name="system",
    example="system: {apt: [libpq-dev]}",
    kind=Record(
        fields=(
            Field(name="apt", example="apt: [libpq-dev]", kind=_PACKAGES, doc="Debian and Ubuntu packages."),
            Field(name="dnf", example="dnf: [libpq-devel]", kind=_PACKAGES, doc="AlmaLinux packages."),
            Field(name="apk", example="apk: [libpq-dev]", kind=_PACKAGES, doc="Alpine packages."),
        ),
        build=lambda _values: None,
    ),
    doc="System packages for the build's image.",
    not_yet=True,
    hint="take it out; only sources that need no system packages build so far",
)
BEFORE_ALL = Field(
    name="before-all",
    example="before-all: dnf -y module enable postgresql:16",
    kind=LINE,
    doc="A command as root, with network, in the prepared image; it never sees the source.",
    not_yet=True,
    hint="take it out; what works offline and without root can go into build.before",
)
BEFORE: Field[tuple[str, ...]] = Field(
    name="before",
    example="before: make headers",
    kind=ListOf(
        item=Text(name="a shell line", parse=texts.line, limit=SCRIPT_LIMIT),
        name="a shell line, or a list of them",
        bare=True,
    ),
    doc="Run by `sh -e` before each cell's build: unprivileged, offline, in the cell's copy of the source.",
    default=(),
    enters=("build",),
)
CONFIG_SETTINGS: Field[MappingType[str, tuple[str, ...]]] = Field(
    name="config-settings",
    example="config-settings: {build-args: --quiet}",
    kind=MapOf(
        key=LINE,
        value=ListOf(item=LINE, name="text, or a list of texts", bare=True),
        name="a mapping of texts or lists",
    ),
    doc="Config settings for the build backend (PEP 517).",
    default=_NO_SETTINGS,
    shown_default="none",
    enters=("prepare", "build"),
)
ENV: Field[MappingType[str, str]] = Field(
    name="env",
    example="env: {LEVEL: '3'}",
    kind=MapOf(
        key=_ENV_NAME, value=Text(name="text", parse=texts.line, empty=True), name="a mapping of names to texts"
    ),
    doc="Environment variables of the build.",
    default=_NONE,
    shown_default="none",
    enters=("build",),
)
PASS_ENV = Field(
    name="pass-env",
    example="pass-env: [TOKEN]",
    kind=distinct(_ENV_NAME, "a list of names"),
    doc="Environment variables taken over from whoever runs the factory.",
    not_yet=True,
    hint="write the values under build.env",
)
EXTRA_PATH: Field[tuple[str, ...]] = Field(
    name="path",
    example="path: [/opt/tool/bin]",
    kind=distinct(Text(name="an absolute folder", parse=texts.absolute_folder), "a list of absolute folders"),
    doc="Folders of the image to put before PATH.",
    default=(),
    enters=("build",),
)
REQUIRES: Field[tuple[Requirement, ...]] = Field(
    name="requires",
    example="requires: ['cython>=3']",
    kind=REQUIREMENTS,
    doc="Build requirements beside those the source declares.",
    default=(),
    enters=("prepare",),
)
CONSTRAINTS: Field[tuple[Requirement, ...]] = Field(
    name="constraints",
    example="constraints: ['setuptools<80']",
    kind=REQUIREMENTS,
    doc="Versions that build requirements must keep to.",
    default=(),
    enters=("prepare",),
)
TIMEOUT = Field(
    name="timeout",
    example="timeout: 90m",
    kind=DURATION,
    doc="The longest that one cell's build may take.",
    default=3600,
    shown_default="1h",
)
MEMORY = Field(
    name="memory",
    example="memory: 4GB",
    kind=SIZE,
    doc="The memory that a build may use.",
    default=8 << 30,
    shown_default="8GiB",
)

FIELDS: tuple[Field[object], ...] = (
    BACKEND,
    FEATURES,
    DEFAULT_FEATURES,
    PROFILE,
    MANIFEST,
    LOCKED,
    ARGS,
    TOOLCHAIN,
    FLOOR,
    SYSTEM,
    BEFORE_ALL,
    BEFORE,
    CONFIG_SETTINGS,
    ENV,
    PASS_ENV,
    EXTRA_PATH,
    REQUIRES,
    CONSTRAINTS,
    TIMEOUT,
    MEMORY,
)


def _build(values: Values) -> BuildSpec:
    return BuildSpec(
        backend=values[BACKEND],
        features=values[FEATURES],
        default_features=values[DEFAULT_FEATURES],
        profile=values[PROFILE],
        manifest=values[MANIFEST],
        locked=values[LOCKED],
        args=values[ARGS],
        rust=values[TOOLCHAIN],
        floor=values[FLOOR],
        before=values[BEFORE],
        config_settings=values[CONFIG_SETTINGS],
        env=values[ENV],
        path=values[EXTRA_PATH],
        requires=values[REQUIRES],
        constraints=values[CONSTRAINTS],
        timeout_s=values[TIMEOUT],
        memory_bytes=values[MEMORY],
    )


BUILD = Field(
    name="build",
    example="build: {features: [simd]}",
    kind=Record(fields=FIELDS, build=_build),
    doc="How a wheel is made.",
    default=BuildSpec(),
)
