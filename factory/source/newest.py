"""Downloads and checks the newest wheel of a project, for data that other projects publish in theirs."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from packaging.utils import NormalizedName
from packaging.version import Version

from factory.errors import SourceError
from factory.host import Host
from factory.source.archive import LIMIT_BYTES
from factory.source.index import Fetched, Listed, as_listed, ask_page, index_roots, versions
from factory.web.download import download
from factory.web.session import attempt, open_session


def fetch_newest_wheel(
    name: NormalizedName, host: Host, into: Path, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[Version, Fetched]:
    """Download the newest wheel that is neither yanked nor a pre-release; its bytes must be what the index says.

    Raises:
        SourceError: no index has one with a hash, its bytes differ, or the network fails.
    """
    with open_session(host) as session:
        wheels: dict[Version, Listed] = {}
        for root in index_roots(host):
            page = ask_page(session, root, name, sleep)
            for version, package in versions(page):
                if package.package_type == "wheel" and not package.is_yanked and not version.is_prerelease:
                    wheels.setdefault(version, as_listed(package, root))
        if not wheels:
            raise SourceError(f"no configured index has a wheel of {name}", hint="is the index URL right?")
        newest = max(wheels)
        wheel = wheels[newest]
        if wheel.sha256 is None:
            raise SourceError(f"the index gives no sha256 for {wheel.filename}", hint="name an index that does")
        path = into / wheel.filename
        fetch = partial(download, session, wheel.url, path, most_bytes=LIMIT_BYTES, size_bytes=wheel.size_bytes)
        digest = attempt(wheel.filename, fetch, sleep=sleep)
    if digest != wheel.sha256:
        path.unlink()
        raise SourceError(
            f"{wheel.filename} has {digest}; the index says {wheel.sha256}",
            hint="do not use it before you know which of the two is wrong",
        )
    fetched = Fetched(filename=wheel.filename, path=path, digest=digest, size_bytes=path.stat().st_size)
    return newest, fetched
