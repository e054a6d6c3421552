"""Downloads a file, which gets its name only when it is complete, within a limit of bytes."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import requests

from factory.digest import Digest
from factory.web.bodies import OnBytes, body


def download(
    session: requests.Session,
    url: str,
    path: Path,
    *,
    most_bytes: int,
    size_bytes: int | None = None,
    stop_bytes: int | None = None,
    progress: OnBytes = lambda _done, _total: None,
    writing: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Digest:
    """Download a file, give it its name when it is complete, and return its digest.

    `size_bytes` is the size as far as it is known beforehand. After more than `stop_bytes` the rest is not read; the
    digest then differs from the expected one. Every write happens inside `writing()`.

    Raises:
        SourceError: it is larger than `most_bytes`.
        RequestException: the server or the network fails.
    """
    part = path.with_name(f"{path.name}.part")
    whole = body(session, url, path.name, most_bytes=most_bytes, size_bytes=size_bytes, progress=progress)
    with closing(whole), part.open("wb") as out:
        for piece in whole:
            with writing():
                out.write(piece)
            if stop_bytes is not None and out.tell() > stop_bytes:
                break
    part.replace(path)
    return Digest.of_file(path)
