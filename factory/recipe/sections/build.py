"""`build`: how a wheel is made."""

from collections.abc import Mapping as MappingType
from types import MappingProxyType

from packaging.requirements import Requirement

from factory.catalogue import BACKENDS, PackageManager
from factory.errors import Span
from factory.form.document import Scalar, Sequence
from factory.form.kinds import Choice, Flag, ListOf, MapOf, Place, Text
from factory.form.records import Field, Record, Values
from factory.recipe import texts
from factory.recipe.floorway import FloorKind
from factory.recipe.model import BuildSpec, FloorWay, Toolchain
from factory.recipe.sections.shared import DURATION, LINE, REQUIREMENTS, SCRIPT_LIMIT, SIZE, WORD, distinct

_NONE: MappingType[str, str] = MappingProxyType({})
_NO_SETTINGS: MappingType[str, tuple[str, ...]] = MappingProxyType({})
_ENV_NAME = Text(name="a name", parse=texts.env_name, pattern="[A-Za-z_][A-Za-z0-9_]*")
_NO_PACKAGES: MappingType[PackageManager, tuple[str, ...]] = MappingProxyType({})
_PACKAGES = distinct(Text(name="a package's name", parse=texts.package), "a list of package names")
_SCRIPT = ListOf(
    item=Text(name="a shell line", parse=texts.line, limit=SCRIPT_LIMIT),
    name="a shell line, or a list of them",
    bare=True,
)

BACKEND: Field[str | None] = Field(
    name="backend",
    example="backend: maturin",
    kind=Choice(words=BACKENDS),
    doc="The tool that makes the wheel.",
    shown_default="what the source's pyproject.toml says",
    level="recipe",
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
    level="recipe",
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
C: Field[str | None] = Field(
    name="c",
    example="c: '>=10'",
    kind=Text(name="a version specifier", parse=texts.specifier),
    doc="The GCC that the image must have; nothing is installed by it.",
    shown_default="any",
)
TOOLCHAIN = Field(
    name="toolchain",
    example="toolchain: {rust: '>=1.83'}",
    kind=Record(fields=(RUST, C), build=lambda values: Toolchain(rust=values[RUST], c=values[C])),
    doc="Compilers that the image must have.",
    default=Toolchain(),
)
FLOOR = Field(
    name="floor",
    example="floor: {feature: 'abi3-{floor}'}",
    kind=FloorKind(),
    doc="How the abi3 floor reaches the build; `{floor}` in a feature becomes `py39`, in an option `cp39`.",
    default=FloorWay(),
    shown_default="`default`",
    level="recipe",
    enters=("build",),
)


def _packages(manager: PackageManager, example: str, doc: str) -> Field[tuple[str, ...]]:
    return Field(name=manager, example=example, kind=_PACKAGES, doc=doc, enters=("prepare", "build", "repair"))


APT = _packages("apt", "apt: [libpq-dev]", "Debian and Ubuntu packages.")
DNF = _packages("dnf", "dnf: [libpq-devel]", "AlmaLinux packages.")
APK = _packages("apk", "apk: [libpq-dev]", "Alpine packages.")


def _system(values: Values) -> MappingType[PackageManager, tuple[str, ...]]:
    named: dict[PackageManager, Field[tuple[str, ...]]] = {"apt": APT, "dnf": DNF, "apk": APK}
    return MappingProxyType({manager: values[field] for manager, field in named.items() if field in values})


SYSTEM: Field[MappingType[PackageManager, tuple[str, ...]]] = Field(
    name="system",
    example="system: {apt: [libpq-dev]}",
    kind=Record(fields=(APT, DNF, APK), build=_system),
    doc="System packages for the build's image, by its distribution's package manager; `[]` where it needs none.",
    default=_NO_PACKAGES,
    shown_default="none",
    enters=("prepare", "build", "repair"),
)
BEFORE_ALL: Field[tuple[str, ...]] = Field(
    name="before-all",
    example="before-all: dnf -y module enable postgresql:16",
    kind=_SCRIPT,
    doc="Run by `sh -e` as root, with network, before `system` is installed; it never sees the source.",
    default=(),
    enters=("prepare", "build", "repair"),
)
BEFORE: Field[tuple[str, ...]] = Field(
    name="before",
    example="before: make headers",
    kind=_SCRIPT,
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
PASS_ENV: Field[tuple[str, ...]] = Field(
    name="pass-env",
    example="pass-env: [TOKEN]",
    kind=distinct(_ENV_NAME, "a list of names"),
    doc="Environment variables of whoever runs the factory, who has to allow them; logs show `***`, keys hold digests.",
    default=(),
    enters=("prepare", "build"),
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
    attribute="timeout_s",
    default=3600,
    shown_default="1h",
)
MEMORY = Field(
    name="memory",
    example="memory: 4GB",
    kind=SIZE,
    doc="The memory that a build may use.",
    attribute="memory_bytes",
    default=8 << 30,
    shown_default="8GiB",
)
DISK = Field(
    name="disk",
    example="disk: 40GB",
    kind=SIZE,
    doc="What a build's workspace may hold.",
    attribute="disk_bytes",
    default=16 << 30,
    shown_default="16GiB",
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
    DISK,
)


def _check(values: Values, place: Place, _span: Span) -> None:
    """Refuse a variable with two values: the recipe's, and that of whoever runs the factory."""
    entry, own = values.entry(PASS_ENV), values[ENV]
    if entry is None or not isinstance(entry.value, Sequence):
        return
    for index, item in enumerate(entry.value.items):
        if isinstance(item, Scalar) and item.text in own:
            where = place.at(PASS_ENV.name).item(index)
            where.refuse(item.span, f"build.env sets {item.text}, too", "take it out of one of the two")


def _build(values: Values) -> BuildSpec:
    return BuildSpec(
        backend=values[BACKEND],
        features=values[FEATURES],
        default_features=values[DEFAULT_FEATURES],
        profile=values[PROFILE],
        manifest=values[MANIFEST],
        locked=values[LOCKED],
        args=values[ARGS],
        toolchain=values[TOOLCHAIN],
        floor=values[FLOOR],
        system=values[SYSTEM],
        before_all=values[BEFORE_ALL],
        before=values[BEFORE],
        config_settings=values[CONFIG_SETTINGS],
        env=values[ENV],
        pass_env=values[PASS_ENV],
        path=values[EXTRA_PATH],
        requires=values[REQUIRES],
        constraints=values[CONSTRAINTS],
        timeout_s=values[TIMEOUT],
        memory_bytes=values[MEMORY],
        disk_bytes=values[DISK],
    )


BUILD = Field(
    name="build",
    example="build: {features: [simd]}",
    kind=Record(fields=FIELDS, build=_build, check=_check),
    doc="How a wheel is made.",
    default=BuildSpec(),
)
