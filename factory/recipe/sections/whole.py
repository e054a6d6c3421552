"""The whole recipe: its top-level fields in the order of the reference."""

from collections.abc import Mapping
from types import MappingProxyType

from packaging.utils import NormalizedName

from factory.form.kinds import ListOf, MapOf, Text, Version
from factory.form.records import Field, Record
from factory.pins import PINNED, Pin
from factory.recipe import targets, texts
from factory.recipe.sections.build import BUILD
from factory.recipe.sections.gate import AUDIT, REPAIR, SKIP
from factory.recipe.sections.overrides import OVERRIDES
from factory.recipe.sections.shared import LINE
from factory.recipe.sections.source import SOURCE
from factory.recipe.sections.trial import TEST
from factory.recipe.targets import Asked
from factory.tags import Abi3Floor, PlatformTag

FORMAT = 1

_PLATFORM_PATTERN = "(manylinux(1|2010|2014|_[0-9]+_[0-9]+)|musllinux_[0-9]+_[0-9]+)_[a-z0-9_]+"
_INTERPRETER_PATTERN = "(cp|pp)3[0-9]{1,2}t?"
_PLATFORM = Text(name="a platform tag", parse=targets.platform, pattern=_PLATFORM_PATTERN)

FACTORY = Field(
    name="factory",
    example="factory: 1",
    kind=Version(number=FORMAT),
    doc="The version of this format.",
    required=True,
    level="recipe",
    hint=f"begin the recipe with factory: {FORMAT}",
)
NAME: Field[NormalizedName] = Field(
    name="name",
    example="name: nh3",
    kind=Text(name="a project name", parse=texts.project_name, pattern="[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"),
    doc="The recipe's name, first part of its cells' addresses.",
    required=True,
    level="recipe",
    hint="write the project's name: name: nh3",
)
INTERPRETERS: Field[tuple[Asked, ...]] = Field(
    name="interpreters",
    example="interpreters: [cp39, cp313]",
    kind=ListOf(
        item=Text(
            name="an interpreter",
            parse=targets.asked,
            pattern=f"supported|{_INTERPRETER_PATTERN}([.][.]{_INTERPRETER_PATTERN})?",
        ),
        name="an interpreter, a range or `supported`, or a list of them",
        bare=True,
        unique=True,
        least=1,
        if_empty="name where the wheels must work: [cp39, cp313], cp39..cp314 or supported",
    ),
    doc="Where the wheels must work; each is tried. What is named must be possible, what a range or `supported` "
    "brings may be skipped.",
    required=True,
    level="recipe",
    enters=("build", "trial"),
    hint="name where the wheels must work: interpreters: [cp39, cp313], cp39..cp314 or supported",
)
ABI3: Field[tuple[Abi3Floor, ...] | None] = Field(
    name="abi3",
    example="abi3: cp39",
    kind=ListOf(
        item=Text(name="a floor", parse=targets.floor, pattern="cp3[0-9]{1,2}t?"),
        name="a floor, or a list of them",
        bare=True,
        unique=True,
        least=1,
        if_empty="name a floor such as cp39; without the line, the source decides",
    ),
    doc="The abi3 floors: one wheel from each floor on, instead of one per version. A `t` floor means abi3t.",
    shown_default="read from the source; else a wheel per version",
    level="recipe",
    enters=("build", "audit"),
)
PLATFORMS: Field[tuple[PlatformTag, ...]] = Field(
    name="platforms",
    example="platforms: [manylinux_2_28_x86_64]",
    kind=ListOf(
        item=_PLATFORM,
        name="a platform tag, or a list of them",
        bare=True,
        unique=True,
        least=1,
        if_empty="name at least one, such as manylinux_2_28_x86_64",
    ),
    doc="Ceilings: the newest libc that the wheel may need.",
    required=True,
    level="recipe",
    enters=("build", "repair", "audit"),
    hint="name the newest libc the wheel may need: platforms: [manylinux_2_28_x86_64]",
)
IMAGES: Field[Mapping[str, Pin]] = Field(
    name="images",
    example=f"images: {{manylinux_2_28_x86_64: registry.example.org/image@sha256:{'0123456789abcdef' * 4}}}",
    kind=MapOf(
        key=Text(name="a platform tag", parse=targets.platform_name, pattern=_PLATFORM_PATTERN),
        value=Text(name="an image by digest", parse=targets.pinned_image, pattern=PINNED.pattern),
        name="a mapping of platforms to images by digest",
    ),
    default=MappingProxyType({}),
    shown_default="none",
    doc="Images to build in, each for a platform of the recipe, where the factory's own are not wanted. "
    "Each is asked once what it holds.",
    level="recipe",
    enters=("prepare", "build", "repair"),
)
PROGRAMS = Field(
    name="programs",
    example="programs: {run: cargo test}",
    kind=Record(
        fields=(Field(name="run", example="run: cargo test", kind=LINE, doc="The command that builds and runs them."),),
        build=lambda _values: None,
    ),
    doc="Programs of the source that must link libpython.",
    not_yet=True,
    hint="take it out; the factory makes wheels alone so far",
)


TOP: tuple[Field[object], ...] = (
    FACTORY,
    NAME,
    SOURCE,
    INTERPRETERS,
    ABI3,
    PLATFORMS,
    SKIP,
    IMAGES,
    BUILD,
    REPAIR,
    AUDIT,
    TEST,
    PROGRAMS,
    OVERRIDES,
)
