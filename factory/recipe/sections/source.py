"""`source`: what is built."""

from dataclasses import replace
from pathlib import Path

from factory.digest import Digest
from factory.errors import Span
from factory.form.document import Entry
from factory.form.kinds import ListOf, Place, Text
from factory.form.records import Field, Record, Values
from factory.recipe import addresses, texts
from factory.recipe.model import GitSource, PathSource, SdistSource, SourceRef, UrlSource
from factory.recipe.sections.shared import IN_SOURCE

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
    doc="A source tree on this machine, relative to the recipe's folder: what git tracks, and unignored files. "
    "Must be inside the recipe's repository or `--root`.",
    level="recipe",
    enters=("source",),
)
GIT: Field[str | None] = Field(
    name="git",
    example="git: https://example.org/nh3",
    kind=Text(name="a repository's URL", parse=addresses.repository),
    doc="A repository to fetch, by https, ssh or file; submodules are fetched with it. "
    "One of this machine must be inside the recipe's repository or `--root`.",
    level="recipe",
    enters=("source",),
)
REV: Field[str | None] = Field(
    name="rev",
    example="rev: v0.3.7",
    kind=Text(name="a commit, a tag or a branch", parse=addresses.revision),
    doc="The commit of `git`, or the tag or branch that names it; what a name means is remembered until `--update`.",
    level="recipe",
    enters=("source",),
)
URL: Field[str | None] = Field(
    name="url",
    example="url: https://example.org/nh3-0.3.7.tar.gz",
    kind=Text(name="an archive's URL", parse=addresses.archive),
    doc="An archive to download: `.tar.gz` or `.zip`, with one top folder. "
    "Its `sha256` is required; it is downloaded again when either changes.",
    level="recipe",
    enters=("source",),
)
SHA256: Field[Digest | None] = Field(
    name="sha256",
    example="sha256: 71860d01c16f4d8c72e334e0674beb2b0899dbd0bf760de18932ef4390303848",
    kind=Text(name="a sha256 digest", parse=texts.sha256, pattern="(sha256:)?[0-9a-f]{64}"),
    doc="The digest that the sdist must have, or the archive of `url`, which needs one.",
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
PATCHES: Field[tuple[Path, ...]] = Field(
    name="patches",
    example="patches: [fix.patch]",
    kind=ListOf(item=Text(name="a path", parse=texts.local_path), name="a list of paths", unique=True),
    doc="Patches for the source, relative to the recipe's folder, applied in order as `git apply` does. "
    "Must be inside the recipe's repository or `--root`.",
    default=(),
    level="recipe",
    enters=("source",),
)
_ORIGINS: tuple[Field[object], ...] = (SDIST, PATH, GIT, URL)


def _check(values: Values, place: Place, span: Span) -> None:
    """One source, pinned, and a digest only for what has one."""
    given = [entry for origin in _ORIGINS if (entry := values.entry(origin))]
    if not given:
        place.refuse(span, "names no source", "write {sdist: name==version}, or {path: folder}")
    for entry in given[1:]:
        message = f"a recipe has one source, and this one names {given[0].key} already"
        place.at(entry.key).refuse(entry.key_span, message, "keep one of the two")
    if len(given) == 1:
        _check_pins(values, place, given[0])


def _check_pins(values: Values, place: Place, origin: Entry) -> None:
    rev, sha256 = values.entry(REV), values.entry(SHA256)
    if origin.key == GIT.name and rev is None:
        place.refuse(origin.key_span, "git wants a rev", "name the commit, or the tag that names it: rev: v0.3.7")
    if origin.key == URL.name and sha256 is None:
        place.refuse(origin.key_span, "url wants a sha256", "write the digest that sha256sum prints for the file")
    if rev is not None and origin.key != GIT.name:
        place.at(rev.key).refuse(rev.key_span, f"belongs to git, and the source is {origin.key}", "take it out")
    if sha256 is not None and origin.key in (PATH.name, GIT.name):
        hint = "take it out; " + ("the rev says which" if origin.key == GIT.name else "it belongs to sdist and url")
        place.at(sha256.key).refuse(sha256.key_span, "a tree has no digest of its own", hint)


def _build(values: Values) -> SourceRef:
    subdir, patches, sha256 = values[SUBDIR], values[PATCHES], values[SHA256]
    if sdist := values[SDIST]:
        return replace(sdist, sha256=sha256, subdir=subdir, patches=patches)
    if (git := values[GIT]) and (rev := values[REV]):
        return GitSource(url=git, rev=rev, subdir=subdir, patches=patches)
    if (url := values[URL]) and sha256:
        return UrlSource(url=url, sha256=sha256, subdir=subdir, patches=patches)
    return PathSource(path=values[PATH] or Path(), subdir=subdir, patches=patches)


SOURCE = Field(
    name="source",
    example="source: {sdist: nh3==0.3.7}",
    kind=Record(fields=(SDIST, PATH, GIT, REV, URL, SHA256, SUBDIR, PATCHES), build=_build, check=_check),
    doc="What is built: exactly one of `sdist`, `path`, `git`, `url`.",
    required=True,
    level="recipe",
    hint="write source: {sdist: name==version}, or source: {path: folder}",
)
