"""Downloads and checks the newest wheel of a project, for data that other projects publish in theirs."""

import time
from collections.abc import Callable
from pathlib import Path

from packaging.utils import NormalizedName
from packaging.version import Version

from factory.errors import SourceError
from factory.host import Host
from factory.source.index import Fetched, Listed, as_listed, ask_page, index_roots, versions
from factory.source.offered import fetch_offered
from factory.web.session import open_session


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
        return newest, fetch_offered(wheel, into, session, sleep=sleep)
