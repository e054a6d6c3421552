"""The addresses of submodules: relative to their parent, on their parent's server, or by https from anywhere."""

import posixpath
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from factory.errors import SourceError
from factory.redaction import redact

_PORTS: Final = {"https": 443, "ssh": 22}


def submodule_url(parent: str, named: str) -> str:
    """Join a submodule's address with its parent's where it is relative (gitmodules(5)).

    Raises:
        SourceError: it is neither https, nor on its parent's own server by its parent's own protocol.
    """
    if named.startswith(("./", "../")):
        parts = urlsplit(parent)
        return urlunsplit(parts._replace(path=posixpath.normpath(posixpath.join(parts.path, named))))
    if _split(named).scheme == "https" or is_same_server(parent, named):
        return named
    raise SourceError(
        f"{redact(parent)}: the submodule {redact(named)[:200]!a} is refused: its address must be https, relative, or "
        "on the parent's server",
        hint="clone it yourself with its submodules, and name the clone as path",
    )


def is_same_server(first: str, second: str) -> bool:
    """Whether two repositories have one scheme, host and port, and with ssh one user; all of `file:` is one server."""
    return _server(_split(first)) == _server(_split(second))


def _server(parts: SplitResult) -> tuple[str, str | None, int | None, str | None]:
    user = parts.username if parts.scheme == "ssh" else None
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), user


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed when it is asked for
    except ValueError as error:
        raise SourceError(f"{redact(url)[:200]!a} is not the address of a submodule: {error}") from error
    return parts
