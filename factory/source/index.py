"""The package index: which sdist a release has (PEP 503, 592, 691), and its bytes, checked."""

import time
import warnings
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pypi_simple
import requests
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from factory.digest import Digest
from factory.errors import SourceError
from factory.host import Host
from factory.recipe.model import SdistSource
from factory.source.session import TIMEOUT_S, attempt, bare, open_session

MAX_SDIST_BYTES = 1 << 30
_NEIGHBOURS = 3
_SUFFIXES = (".tar.gz", ".tgz", ".zip")
_PAGE_BYTES = 64 << 20

OnBytes = Callable[[int, int | None], None]


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
    """A sdist on this machine, its digest checked against index and recipe; `notes` are sentences for people."""

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
        digest = attempt(listed.filename, lambda: _download(open_, listed, path, progress), sleep=sleep)
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
    """Ask the extra indexes, then the index; the first that lists the release's sdist is believed.

    Raises:
        SourceError: none lists it; near versions are named.
    """
    seen: dict[Version, bool] = {}
    for root in (*host.extra_index_urls, host.index_url or pypi_simple.PYPI_SIMPLE_ENDPOINT):
        page = attempt(f"the index page of {ref.name}", partial(_page, session, root, ref.name), sleep=sleep)
        versions = list(_versions(page))
        found = [package for version, package in versions if version == ref.version and _is_sdist(package)]
        if found:
            return _listed(min(found, key=lambda package: _SUFFIXES.index(_suffix(package.filename))), root)
        seen |= {version: seen.get(version, False) or _is_sdist(package) for version, package in versions}
    raise _missing(ref, seen)


def _page(session: requests.Session, root: str, name: NormalizedName) -> list[pypi_simple.DistributionPackage]:
    url = f"{bare(root).rstrip('/')}/{name}/"
    response = session.get(url, headers={"Accept": pypi_simple.ACCEPT_ANY}, timeout=TIMEOUT_S)
    if response.status_code == requests.codes.not_found:
        return []
    response.raise_for_status()
    try:
        with warnings.catch_warnings():
            # A newer minor version of the API is readable by rule (PEP 629).
            warnings.simplefilter("ignore", pypi_simple.UnexpectedRepoVersionWarning)
            return pypi_simple.ProjectPage.from_response(response, name).packages
    except (ValueError, pypi_simple.UnsupportedRepoVersionError) as error:
        raise SourceError(
            f"{urlsplit(url).hostname} answers for {name} with no index page (PEP 503, PEP 691)",
            hint="is the index URL right? it ends with /simple/ on most servers",
        ) from error


def _versions(
    packages: Iterable[pypi_simple.DistributionPackage],
) -> Iterator[tuple[Version, pypi_simple.DistributionPackage]]:
    for package in packages:
        try:
            yield Version(package.version or ""), package
        except InvalidVersion:
            continue


def _is_sdist(package: pypi_simple.DistributionPackage) -> bool:
    return package.package_type == "sdist" and package.filename.endswith(_SUFFIXES)


def _suffix(filename: str) -> str:
    return next(suffix for suffix in _SUFFIXES if filename.endswith(suffix))


def _listed(package: pypi_simple.DistributionPackage, root: str) -> Listed:
    hexadecimal = package.digests.get("sha256", "").lower()
    if "/" in package.filename or not package.filename.isprintable():
        raise SourceError(f"{urlsplit(root).hostname} lists a file named {package.filename!a}")
    return Listed(
        filename=package.filename,
        url=bare(package.url),
        sha256=Digest(hexadecimal) if hexadecimal else None,
        size_bytes=package.size,
        yanked=(package.yanked_reason or "no reason given") if package.is_yanked else None,
    )


def _download(session: requests.Session, listed: Listed, path: Path, progress: OnBytes) -> Digest:
    """Write the file under its name only when it is whole."""
    part = path.with_name(f"{path.name}.part")
    with session.get(listed.url, stream=True, timeout=TIMEOUT_S) as response, part.open("wb") as out:
        response.raise_for_status()
        total = _length(response) or listed.size_bytes
        for chunk in response.iter_content(1 << 18):
            out.write(chunk)
            progress(out.tell(), total)
            if out.tell() > MAX_SDIST_BYTES:
                raise SourceError(f"{listed.filename} is larger than {MAX_SDIST_BYTES} bytes")
        if total is not None and out.tell() < total:
            raise requests.ConnectionError(f"the connection ended after {out.tell()} of {total} bytes")
    part.replace(path)
    return Digest.of_file(path)


def _length(response: requests.Response) -> int | None:
    """Return the announced size, unless the body is compressed on its way."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and "Content-Encoding" not in response.headers else None


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
        return SourceError(f"no index here knows {ref.name}", hint="is the name right, and the index URL?")
    if ref.version in seen:
        return SourceError(f"{ref.name} {ref.version} has wheels, but no sdist", hint="build it from a path")
    ordered = sorted(version for version, has_sdist in seen.items() if has_sdist)
    place = bisect(ordered, ref.version)
    near = ", ".join(str(version) for version in ordered[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS])
    return SourceError(f"no index here has {ref.name} {ref.version}", hint=f"near versions: {near}" if near else "")
