"""Downloads an archive from a URL, and compares it with the recipe's digest."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from factory.errors import SourceError
from factory.host import Host
from factory.recipe.model import UrlSource
from factory.redaction import bare
from factory.web.bodies import OnBytes
from factory.web.download import download
from factory.web.session import attempt, open_session

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
        fetch = partial(download, session, bare(ref.url), path, most_bytes=LIMIT_BYTES, progress=progress)
        digest = attempt(path.name, fetch, sleep=sleep)
    if digest != ref.sha256:
        # The message does not describe the file, because the recipe's author may not be allowed to read it.
        path.unlink()
        raise SourceError(
            f"{path.name} is not the file whose sha256 the recipe gives, {ref.sha256.hex}",
            hint="do not build it before you know which of the two is wrong",
        )
    return path


def filename_of(url: str) -> str:
    """Return the name of the file that a URL ends in."""
    return unquote(urlsplit(url).path).rpartition("/")[2]
