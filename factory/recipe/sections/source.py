"""`source`: what is built."""

from dataclasses import replace
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from factory.digest import Digest
from factory.errors import Span
from factory.form.document import Entry
from factory.form.fields import Field, fields_of, optional, section
from factory.form.kinds import ListOf, Place, RefusalError, Text
from factory.form.problems import quote
from factory.form.records import Record, Values
from factory.recipe import addresses, texts
from factory.recipe.sections.shared import IN_SOURCE
from factory.untrusted import UntrustedTextError, parse_version


@section
class _Source:
    """What every source has: the `subdir` in which the project lies, and `patches`, which are applied in order.

    The parser has joined the patches' paths to the recipe's folder. `keep` are paths from the source's root.
    """

    subdir: str = optional(
        kind=IN_SOURCE,
        doc="The folder of the source in which the project lies.",
        example="subdir: python",
        default="",
        shown_default="the source's root",
        level="recipe",
        enters=("source",),
    )
    patches: tuple[Path, ...] = optional(
        kind=ListOf(item=Text(name="a path", parse=texts.local_path), name="a list of paths", unique=True),
        doc="Patches for the source, relative to the recipe's folder, applied in order as `git apply` does. "
        "Must be inside the recipe's repository or `--root`.",
        example="patches: [fix.patch]",
        default=(),
        level="recipe",
        enters=("source",),
    )
    keep: tuple[str, ...] = optional(
        kind=ListOf(item=IN_SOURCE, name="a list of paths in the source", unique=True),
        doc="Files and folders of the source that are built from although they look like what an earlier build left, "
        "which is left out.",
        example="keep: [build/templates]",
        default=(),
        level="recipe",
        enters=("source",),
    )


@section
class SdistSource(_Source):
    """A release on the package index: `name==version`, and optionally the digest its sdist must have."""

    name: NormalizedName
    version: Version
    sha256: Digest | None = None


@section
class PathSource(_Source):
    """A source tree on this machine; the parser has joined a relative path to the recipe's folder."""

    path: Path


@section
class GitSource(_Source):
    """A commit of a repository elsewhere; `rev` is the whole commit, or a tag or a branch that names one.

    Repositories of this machine, including submodules, must be below `root`, if there is one.
    """

    url: str
    rev: str
    root: Path | None = None


@section
class UrlSource(_Source):
    """An archive elsewhere, of one top folder as sdists have it, and the digest that it must have."""

    url: str
    sha256: Digest


SourceRef = SdistSource | PathSource | GitSource | UrlSource


def _pinned_sdist(text: str) -> SdistSource:
    """Read `name==version`."""
    hint = "write name==version, for example nh3==0.3.7"
    wanted = texts.requirement(text, hint=hint)
    pins = list(wanted.specifier)
    if len(pins) != 1 or pins[0].operator != "==" or pins[0].version.endswith(".*"):
        raise RefusalError(f"{quote(text)} does not pin one version", hint)
    if wanted.extras or wanted.marker:
        raise RefusalError(f"{quote(text)} contains more than a name and a version", hint)
    try:
        version = parse_version(pins[0].version)
    except UntrustedTextError:
        raise RefusalError(f"{quote(text)} does not pin one version", hint) from None
    return SdistSource(name=canonicalize_name(wanted.name), version=version)


_SDIST = Field(
    name="sdist",
    example="sdist: nh3==0.3.7",
    kind=Text(name="name==version", parse=_pinned_sdist),
    doc="A release on the package index.",
    level="recipe",
    enters=("source",),
)
_PATH = Field(
    name="path",
    example="path: ../nh3",
    kind=Text(name="a path", parse=texts.local_path),
    doc="A source tree on this machine, relative to the recipe's folder: what git tracks, and unignored files. "
    "Must be inside the recipe's repository or `--root`.",
    level="recipe",
    enters=("source",),
)
_GIT = Field(
    name="git",
    example="git: https://example.org/nh3",
    kind=Text(name="a repository's URL", parse=addresses.repository),
    doc="A repository to fetch, by https, ssh or file; submodules are fetched with it. "
    "One of this machine must be inside the recipe's repository or `--root`.",
    level="recipe",
    enters=("source",),
)
_REV = Field(
    name="rev",
    example="rev: v0.3.7",
    kind=Text(name="a commit, a tag or a branch", parse=addresses.revision),
    doc="The commit of `git`, or the tag or branch that names it; what a name means is remembered until `--update`.",
    level="recipe",
    enters=("source",),
)
_URL = Field(
    name="url",
    example="url: https://example.org/nh3-0.3.7.tar.gz",
    kind=Text(name="an archive's URL", parse=addresses.archive),
    doc="An archive to download: `.tar.gz` or `.zip`, with one top folder. "
    "Its `sha256` is required; it is downloaded again when either changes.",
    level="recipe",
    enters=("source",),
)
_SHA256 = Field(
    name="sha256",
    example="sha256: 71860d01c16f4d8c72e334e0674beb2b0899dbd0bf760de18932ef4390303848",
    kind=Text(name="a sha256 digest", parse=texts.sha256, pattern="(sha256:)?[0-9a-f]{64}"),
    doc="The digest that the sdist must have, or the archive of `url`, which requires it.",
    level="recipe",
    enters=("source",),
)
_COMMON = tuple(fields_of(_Source))
_ORIGINS = ("sdist", "path", "git", "url")


def _check(values: Values, place: Place, span: Span) -> None:
    """Refuse anything but one source that is pinned, and a digest of what has none."""
    given = [entry for origin in _ORIGINS if (entry := values.entry(origin))]
    if not given:
        place.refuse(
            span,
            "names no source",
            "write {sdist: name==version}, {path: folder}, {git: URL, rev: tag} or {url: URL, sha256: digest}",
        )
    for entry in given[1:]:
        message = f"a recipe has one source, and {given[0].key} is already given"
        place.at(entry.key).refuse(entry.key_span, message, "keep one of the two")
    if len(given) == 1:
        _check_pins(values, place, given[0])


def _check_pins(values: Values, place: Place, origin: Entry) -> None:
    rev, sha256 = values.entry("rev"), values.entry("sha256")
    if origin.key == "git" and rev is None:
        place.refuse(origin.key_span, "git needs a rev", "add a commit, a tag or a branch: rev: v0.3.7")
    if origin.key == "url" and sha256 is None:
        place.refuse(
            origin.key_span, "url needs a sha256", "add sha256: and the digest that sha256sum prints for the file"
        )
    if rev is not None and origin.key != "git":
        place.at(rev.key).refuse(rev.key_span, f"only goes with git, and the source is {origin.key}", "remove it")
    if sha256 is not None and origin.key in ("path", "git"):
        hint = "remove it; " + ("the rev pins the source" if origin.key == "git" else "it goes with sdist and url")
        place.at(sha256.key).refuse(sha256.key_span, "a source tree has no digest", hint)


def _build(values: Values) -> SourceRef:
    sha256 = values["sha256"]
    common = {field.name: values[field.name] for field in _COMMON}
    sdist: SdistSource | None = values["sdist"]
    if sdist is not None:
        return replace(sdist, sha256=sha256, **common)
    if (git := values["git"]) and (rev := values["rev"]):
        return GitSource(url=git, rev=rev, **common)
    if (url := values["url"]) and sha256:
        return UrlSource(url=url, sha256=sha256, **common)
    return PathSource(path=values["path"] or Path(), **common)


SOURCE = Record(fields=(_SDIST, _PATH, _GIT, _REV, _URL, _SHA256, *_COMMON), build=_build, check=_check)
