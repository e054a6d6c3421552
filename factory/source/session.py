"""HTTP as this machine is configured: proxies, certificates, credentials that never reach a message, retries."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth, should_bypass_proxies

from factory.errors import SourceError
from factory.host import Host

T = TypeVar("T")

TIMEOUT_S = (15, 60)  # connecting, and between two packets
_PAUSES_S = (0.5, 2.0, 5.0)
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


def bare(url: str) -> str:
    """Take user and password off a URL."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def redact(text: str) -> str:
    """Take users and passwords out of every URL in a text."""
    return re.sub(r"(?<=//)[^/@\s]+@", "", text)


def open_session(host: Host) -> requests.Session:
    """Make a session that uses what `host` says, and nothing else of the environment but netrc."""
    session = _Session(host.proxies)
    session.trust_env = False
    session.verify = str(host.certificates) if host.certificates else True
    session.auth = _Credentials([url for url in (host.index_url, *host.extra_index_urls) if url])
    return session


def attempt(what: str, call: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Do a request, and again after a pause where its failure may pass: connection, truncation, 408, 429, 5xx.

    Raises:
        SourceError: it failed for good, or four times; `what` and the last reason are named.
    """
    for pause_s in (*_PAUSES_S, None):
        try:
            return call()
        except requests.RequestException as error:
            if pause_s is None or not _may_pass(error):
                raise SourceError(f"cannot get {what}: {_reason(error)}", hint=_way_out(error)) from None
            sleep(pause_s)
    raise AssertionError("the last round returns or raises")


class _Session(requests.Session):
    """A session whose proxies are handed in, exceptions to them included."""

    def __init__(self, proxies: Mapping[str, str]) -> None:
        super().__init__()
        self._exceptions = proxies.get("no_proxy", "")
        self._proxies = {name.removesuffix("_proxy"): url for name, url in proxies.items() if name != "no_proxy"}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401 -- requests' own signature
        direct = not self._proxies or should_bypass_proxies(request.url or "", no_proxy=self._exceptions)
        kwargs["proxies"] = {} if direct else self._proxies
        return super().send(request, **kwargs)


class _Credentials(AuthBase):
    """User and password for the servers that the configured URLs name them for; else netrc's."""

    def __init__(self, urls: list[str]) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        for parts in map(urlsplit, urls):
            if parts.username is not None:
                known = (unquote(parts.username), unquote(parts.password or ""))
                self._known[parts.netloc.rpartition("@")[2]] = known

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        known = self._known.get(urlsplit(url).netloc) or get_netrc_auth(url)
        return HTTPBasicAuth(*known)(request) if known else request


def _may_pass(error: requests.RequestException) -> bool:
    if isinstance(error, requests.HTTPError):
        return error.response is not None and error.response.status_code in _PASSING
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.InvalidURL):
        return False
    return isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError)


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{urlsplit(error.response.url).hostname} answers {error.response.status_code} {error.response.reason}"
    return redact(str(error)) or type(error).__name__


def _way_out(error: requests.RequestException) -> str:
    status = error.response.status_code if error.response is not None else None
    if status in (401, 403):
        return "give user and password in the index URL or in netrc"
    if isinstance(error, requests.exceptions.SSLError):
        return "name the bundle that signs this server's certificate in SSL_CERT_FILE"
    if isinstance(error, requests.exceptions.ProxyError):
        return "look at HTTPS_PROXY"
    return "" if status else "is the network up, and the index URL right?"
