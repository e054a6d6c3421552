"""`source`: what is built."""

from pathlib import Path

from factory.digest import Digest
from factory.errors import Span
from factory.recipe import texts
from factory.recipe.kinds import Place, Text
from factory.recipe.model import PathSource, SdistSource, SourceRef
from factory.recipe.records import Field, Record, Values
from factory.recipe.sections.shared import IN_SOURCE, LINE, distinct

SDIST: Field[SdistSource | None] = Field(
    name="sdist",
    example="sdist: nh3==0.3.7",
    kind=Text(name="name==version", parse=texts.pinned_sdist),
    doc="A release on the package index.",
    level="recipe",
    enters=("source",),
)
PATH: Field[Path | None] = Field(
    name="path",
    example="path: ../nh3",
    kind=Text(name="a path", parse=texts.local_path),
    doc="A source tree on this machine, relative to the recipe's folder: what git tracks, and unignored files.",
    level="recipe",
    enters=("source",),
)
GIT = Field(
    name="git",
    example="git: https://example.org/nh3",
    kind=LINE,
    doc="A repository to clone.",
    level="recipe",
    not_yet=True,
    hint="clone it yourself, and name the clone as path",
)
REV = Field(
    name="rev",
    example="rev: v0.3.7",
    kind=LINE,
    doc="The commit of `git`.",
    level="recipe",
    not_yet=True,
    hint="check the commit out yourself, and name the clone as path",
)
URL = Field(
    name="url",
    example="url: https://example.org/nh3-0.3.7.tar.gz",
    kind=LINE,
    doc="An archive to download.",
    level="recipe",
    not_yet=True,
    hint="download and unpack it yourself, and name the folder as path",
)
SHA256: Field[Digest | None] = Field(
    name="sha256",
    example="sha256: 71860d01c16f4d8c72e334e0674beb2b0899dbd0bf760de18932ef4390303848",
    kind=Text(name="a sha256 digest", parse=texts.sha256, pattern="(sha256:)?[0-9a-f]{64}"),
    doc="The digest that the sdist must have.",
    level="recipe",
    enters=("source",),
)
SUBDIR = Field(
    name="subdir",
    example="subdir: python",
    kind=IN_SOURCE,
    doc="The folder of the source in which the project lies.",
    default="",
    shown_default="the source's root",
    level="recipe",
    enters=("source",),
)
PATCHES = Field(
    name="patches",
    example="patches: [fix.patch]",
    kind=distinct(LINE, "a list of paths"),
    doc="Patches to apply to the source.",
    level="recipe",
    not_yet=True,
    hint="apply them to a tree of your own, and name it as path",
)
_ORIGINS: tuple[Field[object], ...] = (SDIST, PATH, GIT, URL)


def _check(values: Values, place: Place, span: Span) -> None:
    """One source, and a digest only for what has one."""
    given = [entry for origin in _ORIGINS if (entry := values.entry(origin))]
    if not given:
        place.refuse(span, "names no source", "write {sdist: name==version}, or {path: folder}")
    for entry in given[1:]:
        message = f"a recipe has one source, and this one names {given[0].key} already"
        place.at(entry.key).refuse(entry.key_span, message, "keep one of the two")
    if (entry := values.entry(SHA256)) and values.entry(PATH) and not values.entry(SDIST):
        place.at(entry.key).refuse(
            entry.key_span, "a tree has no digest of its own", "take it out; it belongs to sdist"
        )


def _build(values: Values) -> SourceRef:
    if sdist := values[SDIST]:
        return SdistSource(name=sdist.name, version=sdist.version, sha256=values[SHA256], subdir=values[SUBDIR])
    return PathSource(path=values[PATH] or Path(), subdir=values[SUBDIR])


SOURCE = Field(
    name="source",
    example="source: {sdist: nh3==0.3.7}",
    kind=Record(fields=(SDIST, PATH, GIT, REV, URL, SHA256, SUBDIR, PATCHES), build=_build, check=_check),
    doc="What is built: exactly one of `sdist`, `path`, `git`, `url`.",
    required=True,
    level="recipe",
    hint="write source: {sdist: name==version}, or source: {path: folder}",
)
