"""The package index: finds the sdist of a release (PEP 503, 592, 691), downloads and checks it."""

import time
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pypi_simple
import requests
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.digest import Digest
from factory.errors import SourceError
from factory.host import Host
from factory.recipe.model import SdistSource
from factory.redaction import bare
from factory.source.archive import LIMIT_BYTES
from factory.source.page import PAGE_BYTES, read_page
from factory.untrusted import UntrustedTextError, parse_version
from factory.web.bodies import OnBytes, pieces
from factory.web.download import download
from factory.web.session import TIMEOUT_S, attempt, open_session

_NEIGHBOURS = 3  # versions that are named on each side of a missing one
_SUFFIXES = (".tar.gz", ".tgz", ".zip")
_PAGE_DEADLINE_S = 300
_REASON_CHARACTERS = 200  # the index chooses the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A release's sdist as an index lists it; `sha256` is None where the index names none."""

    filename: str
    url: str
    sha256: Digest | None
    size_bytes: int | None
    yanked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An sdist on this machine, its digest compared with index and recipe; `notes` are sentences for people."""

    filename: str
    path: Path
    digest: Digest
    size_bytes: int
    notes: tuple[str, ...] = ()


def fetch_sdist(
    ref: SdistSource,
    host: Host,
    into: Path,
    *,
    progress: OnBytes = lambda _done, _total: None,
    session: requests.Session | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Download a release's sdist into a folder. No metadata is asked for: that would run the project's backend.

    Raises:
        SourceError: no index lists it, the bytes are not what the index or the recipe says, or the network fails.
    """
    with session or open_session(host) as open_:
        listed = find_sdist(ref, host, open_, sleep=sleep)
        path = into / listed.filename
        fetch = partial(
            download,
            open_,
            listed.url,
            path,
            most_bytes=LIMIT_BYTES,
            size_bytes=listed.size_bytes,
            progress=progress,
        )
        digest = attempt(listed.filename, fetch, sleep=sleep)
    try:
        _check(digest, listed, ref)
    except SourceError:
        path.unlink()
        raise
    return Fetched(
        filename=listed.filename,
        path=path,
        digest=digest,
        size_bytes=path.stat().st_size,
        notes=tuple(_notes(listed)),
    )


def find_sdist(
    ref: SdistSource, host: Host, session: requests.Session, *, sleep: Callable[[float], None] = time.sleep
) -> Listed:
    """Ask the extra indexes, then the index; the first that lists the release's sdist counts.

    Raises:
        SourceError: none lists it; the message names near versions.
    """
    seen: dict[Version, bool] = {}
    for root in index_roots(host):
        page = ask_page(session, root, ref.name, sleep)
        dated = list(versions(page))
        sdists = [package for version, package in dated if version == ref.version and is_sdist(package)]
        if sdists:
            return as_listed(min(sdists, key=lambda package: _SUFFIXES.index(_suffix(package.filename))), root)
        seen |= {version: seen.get(version, False) or is_sdist(package) for version, package in dated}
    raise _missing(ref, seen)


def newest_sdist(
    name: NormalizedName, host: Host, session: requests.Session, *, sleep: Callable[[float], None] = time.sleep
) -> Version:
    """Return the newest version with an sdist that is not yanked; a pre-release only if there is nothing else.

    The first index that has one counts, as for a release that is named.

    Raises:
        SourceError: no index has one.
    """
    known = False
    for root in index_roots(host):
        page = ask_page(session, root, name, sleep)
        known = known or bool(page)
        candidates = [version for version, package in versions(page) if is_sdist(package) and not package.is_yanked]
        if candidates:
            return max(candidates, key=lambda version: (not version.is_prerelease, version))
    if known:
        raise SourceError(f"no configured index has an sdist of {name}", hint="name a folder that holds its source")
    raise SourceError(f"no configured index has {name}", hint="is the name right, and the index URL?")


def index_roots(host: Host) -> tuple[str, ...]:
    """Return the configured indexes in the order in which they are asked: the extra ones first, as uv does."""
    return (*host.extra_index_urls, host.index_url or pypi_simple.PYPI_SIMPLE_ENDPOINT)


def ask_page(
    session: requests.Session, root: str, name: NormalizedName, sleep: Callable[[float], None]
) -> list[pypi_simple.DistributionPackage]:
    """Ask one index for a project's files, repeatedly if a failure may be temporary; nothing if it has no such project.

    Raises:
        SourceError: the index does not answer in time, or its answer is not an index page, or too large.
    """
    ask = partial(_page, session, root, name)
    return attempt(f"the index page of {name}", ask, sleep=sleep, deadline_s=_PAGE_DEADLINE_S)


def _page(session: requests.Session, root: str, name: NormalizedName) -> list[pypi_simple.DistributionPackage]:
    url = f"{bare(root).rstrip('/')}/{name}/"
    headers = {"Accept": pypi_simple.ACCEPT_ANY, "Accept-Encoding": "gzip"}
    with session.get(url, headers=headers, timeout=TIMEOUT_S, stream=True) as response:
        if response.status_code == requests.codes.not_found:
            return []
        response.raise_for_status()
        content = b"".join(pieces(response, f"the index page of {name}", most_bytes=PAGE_BYTES))
        kind, came_from = response.headers.get("Content-Type", "text/html"), response.url
    try:
        return read_page(content, kind, came_from, name)
    except (ValueError, pypi_simple.UnsupportedRepoVersionError) as error:
        raise SourceError(
            f"{urlsplit(url).hostname} answers for {name} with something other than an index page (PEP 503, PEP 691)",
            hint="is the index URL right? it ends with /simple/ on most servers",
        ) from error


def versions(
    packages: Iterable[pypi_simple.DistributionPackage],
) -> Iterator[tuple[Version, pypi_simple.DistributionPackage]]:
    """Yield files with their versions; those without a version by PEP 440 are left out."""
    for package in packages:
        try:
            yield parse_version(package.version or ""), package
        except UntrustedTextError:
            continue


def is_sdist(package: pypi_simple.DistributionPackage) -> bool:
    """Whether a file of an index is an sdist that can be read here."""
    return package.package_type == "sdist" and package.filename.endswith(_SUFFIXES)


def _suffix(filename: str) -> str:
    return next(suffix for suffix in _SUFFIXES if filename.endswith(suffix))


def as_listed(package: pypi_simple.DistributionPackage, root: str) -> Listed:
    """Return what an index says about one file.

    Raises:
        SourceError: its name is not a file name.
    """
    hexadecimal = package.digests.get("sha256", "").lower()
    if "/" in package.filename or not package.filename.isprintable():
        raise SourceError(f"{urlsplit(root).hostname} lists a file named {package.filename!a}")
    return Listed(
        filename=package.filename,
        url=bare(package.url),
        sha256=_listed_digest(package.filename, hexadecimal) if hexadecimal else None,
        size_bytes=package.size,
        yanked=(package.yanked_reason or "no reason given")[:_REASON_CHARACTERS] if package.is_yanked else None,
    )


def _listed_digest(filename: str, hexadecimal: str) -> Digest:
    try:
        return Digest(hexadecimal)
    except ValueError as error:
        raise SourceError(f"the index lists {filename} with a malformed sha256", hint="name another index") from error


def _check(digest: Digest, listed: Listed, ref: SdistSource) -> None:
    for owner, expected in (("the recipe", ref.sha256), ("the index", listed.sha256)):
        if expected is not None and digest != expected:
            raise SourceError(
                f"{listed.filename} has {digest}; {owner} says {expected}",
                hint="do not build it before you know which of the two is wrong",
            )


def _notes(listed: Listed) -> Iterator[str]:
    if listed.yanked is not None:
        # PEP 592: a yanked file may serve a pin with == that nothing else satisfies.
        yield f"{listed.filename} is yanked: {listed.yanked}"
    if listed.sha256 is None:
        yield f"the index gives no sha256 for {listed.filename}"


def _missing(ref: SdistSource, seen: dict[Version, bool]) -> SourceError:
    if not seen:
        return SourceError(f"no configured index has {ref.name}", hint="is the name right, and the index URL?")
    if ref.version in seen:
        return SourceError(f"{ref.name} {ref.version} has wheels, but no sdist", hint="build it from a path")
    ordered = sorted(version for version, has_sdist in seen.items() if has_sdist)
    place = bisect(ordered, ref.version)
    near = ", ".join(str(version) for version in ordered[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS])
    return SourceError(
        f"no configured index has {ref.name} {ref.version}", hint=f"near versions: {near}" if near else ""
    )
