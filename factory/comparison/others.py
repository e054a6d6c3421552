"""The wheels that others are compared with: on this machine, or of a release on the index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import requests
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.errors import SourceError
from factory.host import Host
from factory.source.index import Listed
from factory.source.offered import fetch_offered, newest_before, offered_releases


class Others(Protocol):
    """Wheels by file name, each of which can be had."""

    @property
    def names(self) -> Sequence[str]:
        """Return the file names."""
        ...

    def path(self, name: str) -> Path:
        """Return where the wheel of a name lies, downloaded if it has to be.

        Raises:
            SourceError: it cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Wheels on this machine."""

    paths: Mapping[str, Path]

    @property
    def names(self) -> Sequence[str]:
        """Return the file names."""
        return tuple(self.paths)

    def path(self, name: str) -> Path:
        """Return where the wheel of a name lies."""
        return self.paths[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The wheels of a release on an index, which are downloaded into a folder."""

    listed: Mapping[str, Listed]
    folder: Path
    session: requests.Session

    @property
    def names(self) -> Sequence[str]:
        """Return the file names."""
        return tuple(self.listed)

    def path(self, name: str) -> Path:
        """Return where the wheel of a name lies, downloaded at the first call.

        Raises:
            SourceError: the index gives no hash for it, its bytes differ, or the network fails.
        """
        path = self.folder / name
        return path if path.exists() else fetch_offered(self.listed[name], self.folder, self.session).path


def published(
    name: NormalizedName,
    version: Version,
    wanted: Version | Literal["older", "same"],
    *,
    host: Host,
    folder: Path,
    session: requests.Session,
) -> Published | None:
    """Look up a release: a version's, the newest that is older than `version`, or the same; None without such wheels.

    Raises:
        SourceError: no index has the version that is wanted, or one does not answer.
    """
    releases = offered_releases(name, host, session)
    match wanted:
        case "older":
            chosen = newest_before(version, releases)
        case "same":
            chosen = version if version in releases else None
        case _:
            chosen = wanted
    if chosen is None:
        return None
    if chosen not in releases:
        near = ", ".join(map(str, sorted(releases)[-5:]))
        raise SourceError(
            f"no configured index has {name} {chosen}", hint=f"the newest versions: {near}" if near else ""
        )
    wheels = {file.listed.filename: file.listed for file in releases[chosen] if file.listed.filename.endswith(".whl")}
    return Published(listed=wheels, folder=folder, session=session) if wheels else None
