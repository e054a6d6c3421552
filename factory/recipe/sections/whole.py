"""The whole recipe: what it becomes, and its top-level fields in the order of the reference."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from packaging.utils import NormalizedName

from factory.form.fields import Field, field_of, fields_of, optional, required, section
from factory.form.kinds import ListOf, MapOf, Text, Version
from factory.form.records import record
from factory.pins import PINNED, Pin
from factory.recipe import targets, texts
from factory.recipe.sections.gate import SkipRule
from factory.recipe.sections.overrides import OVERRIDE, Override, Sections
from factory.recipe.sections.programs import ProgramsSpec
from factory.recipe.sections.source import SOURCE, SourceRef
from factory.recipe.targets import Tagging, Wanted
from factory.tags import Abi3Floor, Platform, PlatformTag

FORMAT = 1

_LINUX_PATTERN = "(manylinux(1|2010|2014|_[0-9]+_[0-9]+)|musllinux_[0-9]+_[0-9]+)_[a-z0-9_]+"
_PLATFORM = Text(name="a platform tag", parse=targets.platform, pattern=f"{_LINUX_PATTERN}|win_amd64")
_LINUX = Text(name="a platform tag of Linux", parse=targets.linux_platform, pattern=_LINUX_PATTERN)


@section
class Recipe(Sections):
    """A whole recipe, version 1. `file` is the path it was read from, `name` its address in selectors.

    `images` are those to build in that the recipe names itself, by platform.
    """

    name: NormalizedName = required(
        kind=Text(name="a project name", parse=texts.project_name, pattern="[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"),
        doc="The recipe's name, the first part of its cells' addresses.",
        example="name: nh3",
        hint="write the project's name: name: nh3",
        level="recipe",
    )
    file: Path
    source: SourceRef = required(
        kind=SOURCE,
        doc="What is built: exactly one of `sdist`, `path`, `git`, `url`.",
        example="source: {sdist: nh3==0.3.7}",
        hint="write source: {sdist: name==version}, {path: folder}, {git: URL, rev: tag} or {url: URL, sha256: digest}",
        level="recipe",
    )
    interpreters: tuple[Wanted, ...]
    abi3: tuple[Abi3Floor, ...] | None = optional(
        kind=ListOf(
            item=Text(name="a floor", parse=targets.floor, pattern="cp3[0-9]{1,2}t?"),
            name="a floor, or a list of them",
            bare=True,
            unique=True,
            least=1,
            if_empty="name a floor such as cp39; without the line, the source decides",
        ),
        doc="The abi3 floors: one wheel from each floor on, instead of one per version. A `t` floor means abi3t.",
        example="abi3: cp39",
        default=None,
        shown_default="read from the source; else a wheel per version",
        level="recipe",
        enters=("build", "audit"),
    )
    wheel: Tagging | None = optional(
        kind=Text(
            name="`py3-none` (or `py2.py3-none`, `py310-none`), or `per-version`",
            parse=targets.tagging,
            pattern="(py2[.])?py3-none|py3[1-9][0-9]?-none|per-version",
        ),
        doc="How the project tags its wheels, where the source does not show it or is misread. `py3-none`: one wheel "
        "for every Python, as for programs or a library for ctypes. `per-version`: one wheel per interpreter.",
        example="wheel: py3-none",
        default=None,
        shown_default="read from the source; else as `abi3` says",
        level="recipe",
        enters=("build", "audit"),
    )
    platforms: tuple[Platform, ...] = required(
        kind=ListOf(
            item=_PLATFORM,
            name="a platform tag, or a list of them",
            bare=True,
            unique=True,
            least=1,
            if_empty="name at least one, such as manylinux_2_28_x86_64",
        ),
        doc="Ceilings: the newest libc that the wheel may need; or `win_amd64`, for crates that maturin builds.",
        example="platforms: [manylinux_2_28_x86_64]",
        hint="name the newest libc the wheel may need: platforms: [manylinux_2_28_x86_64]",
        level="recipe",
        enters=("build", "repair", "audit"),
    )
    skip: tuple[SkipRule, ...] = optional(
        kind=ListOf(item=record(SkipRule), name="a list of mappings"),
        doc="Cells that are left out, each with its reason.",
        example="skip: [{select: '*-cp314t-*', reason: PyO3 0.26}]",
        default=(),
        level="recipe",
    )
    images: Mapping[PlatformTag, Pin] = optional(
        kind=MapOf(
            key=_LINUX,
            value=Text(name="an image by digest", parse=targets.pinned_image, pattern=PINNED.pattern),
            name="a mapping of platforms to images by digest",
        ),
        doc="Images to build in instead of the factory's own, each for a platform of the recipe. "
        "Each is inspected once.",
        example=f"images: {{manylinux_2_28_x86_64: registry.example.org/image@sha256:{'0123456789abcdef' * 4}}}",
        default=MappingProxyType({}),
        shown_default="none",
        level="recipe",
        enters=("prepare", "build", "repair"),
    )
    programs: ProgramsSpec | None = optional(
        kind=record(ProgramsSpec),
        doc="Programs of the source that link libpython, which no wheel may: `cargo test` of an extension crate, "
        "a program that embeds Python.",
        example="programs: {run: cargo test --no-default-features}",
        default=None,
        shown_default="none",
        level="recipe",
    )
    overrides: tuple[Override, ...] = optional(
        kind=ListOf(item=OVERRIDE, name="a list of mappings"),
        doc="Changes for the cells that a glob selects, in order: the last that matches wins, key by key. "
        "A glob with an `@` selects trials, for which only `test` can differ.",
        example="overrides: [{select: '*-musllinux_*', build: {locked: false}}]",
        default=(),
        level="recipe",
    )


_FACTORY = Field(
    name="factory",
    example="factory: 1",
    kind=Version(number=FORMAT),
    doc="The version of this format.",
    required=True,
    level="recipe",
    hint=f"begin the recipe with factory: {FORMAT}",
)
_INTERPRETERS = Field(
    name="interpreters",
    example="interpreters: [cp39, cp313]",
    kind=ListOf(
        item=Text(
            name="an interpreter",
            parse=targets.asked,
            pattern=f"supported|{targets.INTERPRETER_PATTERN}([.][.]{targets.INTERPRETER_PATTERN})?",
        ),
        name="an interpreter, a range or `supported`, or a list of them",
        bare=True,
        unique=True,
        least=1,
        if_empty="name where the wheels must work: [cp39, cp313], cp39..cp314 or supported",
    ),
    doc="Where the wheels must work; each is tried. An interpreter that is named must be possible; "
    "one that a range or `supported` brings may be skipped.",
    required=True,
    level="recipe",
    enters=("build", "trial"),
    hint="name where the wheels must work: interpreters: [cp39, cp313], cp39..cp314 or supported",
)
TOP = (
    _FACTORY,  # read for its check alone; a recipe does not keep it
    *(field_of(Recipe, attribute) for attribute in ("name", "source")),
    _INTERPRETERS,  # what it becomes depends on the day, so the parser fills in the attribute
    *(field_of(Recipe, attribute) for attribute in ("abi3", "wheel", "platforms", "skip", "images")),
    *fields_of(Sections),
    field_of(Recipe, "programs"),
    field_of(Recipe, "overrides"),
)
