"""The files that the configured indexes offer of a project, by release."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pypi_simple
import requests
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.errors import SourceError
from factory.host import Host
from factory.source.archive import LIMIT_BYTES
from factory.source.index import Fetched, Listed, as_listed, ask_page, index_roots, versions
from factory.web.download import download
from factory.web.session import attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A file as an index offers it: a wheel or an sdist, with the Requires-Python that it gives, or none."""

    listed: Listed
    requires_python: str


def offered_releases(
    name: NormalizedName, host: Host, session: requests.Session, *, sleep: Callable[[float], None] = time.sleep
) -> Mapping[Version, tuple[Offered, ...]]:
    """Return the wheels and sdists of each release, as the first index lists them that has the project; else nothing.

    Raises:
        SourceError: an index does not answer, or lists what is no file.
    """
    for root in index_roots(host):
        page = ask_page(session, root, name, sleep)
        if page:
            return _by_release(page, root)
    return {}


def _by_release(page: list[pypi_simple.DistributionPackage], root: str) -> Mapping[Version, tuple[Offered, ...]]:
    releases: dict[Version, list[Offered]] = {}
    for version, package in versions(page):
        if package.package_type in ("wheel", "sdist"):
            offered = Offered(listed=as_listed(package, root), requires_python=package.requires_python or "")
            releases.setdefault(version, []).append(offered)
    return {version: tuple(files) for version, files in releases.items()}


def newest_of(releases: Mapping[Version, tuple[Offered, ...]]) -> Version | None:
    """Return the newest release that is not yanked as a whole; a pre-release only if there is nothing else."""
    candidates = [version for version, files in releases.items() if any(file.listed.yanked is None for file in files)]
    return max(candidates, key=lambda version: (not version.is_prerelease, version), default=None)


def newest_before(version: Version, releases: Mapping[Version, tuple[Offered, ...]]) -> Version | None:
    """Return the newest older release that has wheels and is not yanked; a pre-release only before another one."""
    older = [
        other
        for other, files in releases.items()
        if other < version
        and (version.is_prerelease or not other.is_prerelease)
        and any(file.listed.filename.endswith(".whl") and file.listed.yanked is None for file in files)
    ]
    return max(older, default=None)


def fetch_offered(
    listed: Listed, into: Path, session: requests.Session, *, sleep: Callable[[float], None] = time.sleep
) -> Fetched:
    """Download a file that an index lists; its bytes must be what the index says.

    Raises:
        SourceError: the index gives no hash, the bytes differ, or the network fails.
    """
    if listed.sha256 is None:
        raise SourceError(f"the index gives no sha256 for {listed.filename}", hint="name an index that does")
    path = into / listed.filename
    fetch = partial(download, session, listed.url, path, most_bytes=LIMIT_BYTES, size_bytes=listed.size_bytes)
    digest = attempt(listed.filename, fetch, sleep=sleep)
    if digest != listed.sha256:
        path.unlink()
        raise SourceError(
            f"{listed.filename} has {digest}; the index says {listed.sha256}",
            hint="do not use it before you know which of the two is wrong",
        )
    return Fetched(filename=listed.filename, path=path, digest=digest, size_bytes=path.stat().st_size)
