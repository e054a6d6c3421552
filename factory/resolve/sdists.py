"""Choose the releases that are built from their sdists, because the indexes have no wheel of them that fits.

The resolver chooses, by all of its rules: it is offered an empty wheel in the place of each release that has an sdist
and no wheel. What such a release itself requires is known when it is built.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import sleep

import requests
from packaging.tags import Tag
from packaging.utils import NormalizedName
from packaging.version import Version
from pypi_simple import DistributionPackage

from factory.diagnoses.uv import OTHER_VERSION
from factory.digest import Artifact, Digest
from factory.errors import SourceError
from factory.excerpt import listed
from factory.host import Host
from factory.installable import supported_tags
from factory.resolve.model import MOST_SDISTS, Found, Offered, Question, Release, Unresolved
from factory.resolve.requirements import resolve_requirements
from factory.source.index import ask_page, index_roots, is_sdist, versions
from factory.untrusted import UntrustedTextError, parse_specifiers, parse_wheel_name
from factory.web.session import open_session

_MOST_OFFERED = 500  # releases of a project, the newest
_CHANGED = "an index's answers changed while it was asked"


def choose_sdists(
    question: Question, lacking: Collection[NormalizedName], *, host: Host, folder: Path
) -> tuple[Release, ...] | Unresolved:
    """Choose releases to build, of projects that are `lacking` and of others that turn out to have no wheel, either.

    Downloads nothing. `folder` is a temporary folder of the caller's own.

    Raises:
        FactoryError: uv is not installed, or did not end.
    """
    with open_session(host) as session:
        offer = _Offer(question=question, host=host, session=session)
        while (refusal := offer.add(lacking)) is None:
            answer = resolve_requirements(offer.extended, host=host, folder=folder)
            if isinstance(answer, Found):
                return offer.chosen(answer) or Unresolved(kind="network", sentence=_CHANGED, hint="run again")
            lacking = {*answer.lacking} - offer.projects
            if not lacking:
                return answer
        return refusal


@dataclass(slots=True, kw_only=True)
class _Offer:
    """The releases that the resolver is offered as empty wheels, by the names of these."""

    question: Question
    host: Host
    session: requests.Session
    projects: set[NormalizedName] = field(default_factory=set)
    releases: dict[str, Release] = field(default_factory=dict)
    wheels: list[Offered] = field(default_factory=list)

    @property
    def extended(self) -> Question:
        """The question with all that is offered."""
        return replace(self.question, offered=(*self.question.offered, *self.wheels))

    def add(self, names: Collection[NormalizedName]) -> Unresolved | None:
        """Offer the releases of projects, or say why there are none, or too many projects."""
        self.projects |= {*names}
        if len(self.projects) > MOST_SDISTS:
            return self._without_wheel(self.projects, f"; at most {MOST_SDISTS} are built from source")
        for name in sorted(names):
            try:
                sdists = self._sdists(name)
            except SourceError as error:
                return Unresolved(kind="network", sentence=error.message, hint=error.hint)
            if not sdists:
                return self._without_wheel([name], ", and no sdist")
            for version, sdist in sdists:
                self._offer(Release(name=name, version=version), sdist)
        return None

    def chosen(self, answer: Found) -> tuple[Release, ...]:
        """Return the releases of which the resolver chose the empty wheels."""
        return tuple(self.releases[file.filename] for file in answer.files if file.filename in self.releases)

    def _sdists(self, name: NormalizedName) -> list[tuple[Version, DistributionPackage]]:
        """Return the newest releases with an sdist and without a wheel that fits, of the first index that has any."""
        asked = (ask_page(self.session, root, name, sleep) for root in index_roots(self.host))
        files = list(versions(next(filter(None, asked), [])))
        sdists = {version: file for version, file in files if is_sdist(file) and not file.is_yanked}
        wanted = sdists.keys() - self._fitting(files) - self._built(name)
        return [(version, sdists[version]) for version in sorted(wanted, reverse=True)[:_MOST_OFFERED]]

    def _fitting(self, files: Sequence[tuple[Version, DistributionPackage]]) -> set[Version]:
        """Return the releases that have a wheel for the target."""
        tags = frozenset(supported_tags(self.question.interpreter, self.question.platform))
        return {version for version, file in files if _is_wheel_for(tags, file.filename)}

    def _built(self, name: NormalizedName) -> set[Version]:
        """Return the releases of a project whose wheels were built here."""
        names = (parse_wheel_name(wheel.file.filename) for wheel in self.question.offered)
        return {version for project, version, _, _ in names if project == name}

    def _offer(self, release: Release, sdist: DistributionPackage) -> None:
        metadata = _metadata(release, sdist.requires_python)
        filename = f"{release.name.replace('-', '_')}-{release.version}-py3-none-any.whl"
        file = Artifact(filename=filename, digest=Digest.of(metadata), size_bytes=len(metadata))
        self.releases[filename] = release
        self.wheels.append(Offered(file=file, metadata=metadata))

    def _without_wheel(self, names: Collection[NormalizedName], more: str) -> Unresolved:
        verb = "has" if len(names) == 1 else "have"
        sentence = f"{listed(sorted(names))} {verb} no wheel for {self.question.target}{more}"
        return Unresolved(kind="no-wheel", sentence=sentence, hint=OTHER_VERSION)


def _is_wheel_for(tags: frozenset[Tag], filename: str) -> bool:
    try:
        return not tags.isdisjoint(parse_wheel_name(filename)[3])
    except UntrustedTextError:
        return False


def _metadata(release: Release, requires_python: str | None) -> bytes:
    """Write what the resolver reads of a wheel; an index's malformed Requires-Python is left out, as uv does."""
    lines = ["Metadata-Version: 2.1", f"Name: {release.name}", f"Version: {release.version}"]
    with suppress(UntrustedTextError):
        lines += [f"Requires-Python: {parse_specifiers(requires_python)}"] if requires_python else []
    return "\n".join([*lines, ""]).encode()
