"""URLs in which credentials may be written."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from factory.errors import UsageError
from factory.origins import is_loopback_host, origin_of


def checked_url(url: str, what: str) -> str:
    """Refuse a URL whose credentials others could read in transit; the message does not quote them.

    Raises:
        UsageError: it is malformed, or has a user or a password and leads by plain http beyond the loopback interface.
    """
    try:
        origin = origin_of(url)
    except ValueError:
        raise UsageError(f"the URL of {what} is malformed", hint="write it as https://host:port/path") from None
    if urlsplit(url).username is not None and not origin.is_private:
        raise UsageError(
            f"the URL of {what} has a user or a password and begins with {origin.scheme}://{origin.host}",
            hint="use https, or remove user and password: plain http sends them unencrypted",
        )
    return url


def is_loopback(url: str) -> bool:
    """Whether a URL, or an address without scheme, names this machine's loopback interface."""
    try:
        name = urlsplit(url if "//" in url else f"//{url}").hostname
    except ValueError:  # not a URL: it names no host
        return False
    return is_loopback_host(name or "")


def password_in(url: str) -> Iterator[str]:
    """Yield the secret of a URL: its password, or its user where it has only that, as tokens are written."""
    user, _, password = urlsplit(url if "//" in url else f"//{url}").netloc.rpartition("@")[0].partition(":")
    yield from {password or user, unquote(password or user)}
