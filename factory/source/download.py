"""A file downloaded under its name only when it is whole, and an archive that its digest names."""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

from factory.digest import Digest
from factory.errors import SourceError
from factory.host import Host
from factory.recipe.model import UrlSource
from factory.source.bodies import OnBytes, body
from factory.source.session import attempt, bare, open_session

LIMIT_BYTES = 1 << 30


def fetch_archive(
    ref: UrlSource,
    host: Host,
    into: Path,
    *,
    progress: OnBytes = lambda _done, _total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Download an archive into a folder, and compare it with the recipe's digest.

    Raises:
        SourceError: the network fails, or the bytes are not what the recipe says.
    """
    path = into / filename_of(ref.url)
    with open_session(host) as session:
        digest = attempt(path.name, partial(download, session, bare(ref.url), path, progress=progress), sleep=sleep)
    if digest != ref.sha256:  # what came is not described: the recipe's author may not be allowed to read it
        path.unlink()
        raise SourceError(
            f"{path.name} is not the file whose sha256 the recipe gives, {ref.sha256.hex}",
            hint="do not build it before you know which of the two is wrong",
        )
    return path


def filename_of(url: str) -> str:
    """Return the name of the file that a URL ends in."""
    return unquote(urlsplit(url).path).rpartition("/")[2]


def download(
    session: requests.Session,
    url: str,
    path: Path,
    *,
    size_bytes: int | None = None,
    progress: OnBytes = lambda _done, _total: None,
) -> Digest:
    """Write a file under its name only when it is whole; `size_bytes` is what is known of it beforehand.

    Raises:
        SourceError: it is larger than `LIMIT_BYTES`.
        RequestException: the server or the network fails.
    """
    part = path.with_name(f"{path.name}.part")
    whole = body(session, url, path.name, most_bytes=LIMIT_BYTES, size_bytes=size_bytes, progress=progress)
    with closing(whole), part.open("wb") as out:
        out.writelines(whole)
    part.replace(path)
    return Digest.of_file(path)
