"""HTTP as this machine is configured: proxies, certificates, credentials that appear in no message, retries."""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from socket import gaierror
from threading import Event
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import should_bypass_proxies

from factory.errors import SourceError
from factory.host import Host
from factory.origins import is_metadata, origin_of
from factory.redaction import redact
from factory.waiting import unless
from factory.web.peers import PeerAdapter, refuse_peer

T = TypeVar("T")

TIMEOUT_S = (15, 60)  # connecting, and between two packets
DEADLINE_S = 3600  # for a file with all tries: a server could send a byte each minute for ever
_REDIRECTS = 10
_REASON_CHARACTERS = 100  # a server chooses the text of its status
_DENIED = "Tunnel connection failed: 407"  # as http.client says it; an address may hold the number, too
_PAUSES_S = (0.5, 2.0, 5.0)  # between four attempts
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})


def open_session(host: Host, *, is_forbidden: Callable[[str], bool] = is_metadata) -> requests.Session:
    """Open a session that is configured by `host`, and by nothing else of the environment.

    It never connects to a forbidden address, whatever the server's name, and redirects included.
    """
    session = _Session(host.proxies, is_forbidden)
    session.trust_env = False
    session.max_redirects = _REDIRECTS
    session.verify = str(host.certificates) if host.certificates else True
    session.auth = _Credentials(host)
    return session


def attempt(
    what: str,
    call: Callable[[], T],
    *,
    sleep: Callable[[float], None] = time.sleep,
    cancelled: Event | None = None,
    deadline_s: float = DEADLINE_S,
    named_in: str = "the index URL",
) -> T:
    """Make a request, again after a pause where a failure may be temporary: connection, truncation, 408, 429, 5xx.

    `named_in` is what hints call the place where the server's address was given.

    Raises:
        SourceError: it failed permanently, or four times, or had not ended by the deadline; `what` is named.
        Interrupted: `cancelled` was set.
    """
    until = monotonic() + deadline_s
    for pause_s in (*_PAUSES_S, None):
        try:
            return unless(cancelled, call, until=until)
        except TimeoutError:
            raise SourceError(f"cannot get {what}: it had not arrived after {deadline_s:.0f} s") from None
        except requests.RequestException as error:
            if pause_s is None or not _is_temporary(error):
                raise SourceError(f"cannot get {what}: {_reason(error)}", hint=_way_out(error, named_in)) from None
            unless(cancelled, partial(sleep, pause_s))
        except ValueError as error:  # urllib's, for a redirect to something that is not a URL
            raise SourceError(f"cannot get {what}: {redact(str(error))}") from None
    raise AssertionError("the last round returns or raises")


class _Session(requests.Session):
    """A session whose proxies, with the exceptions to them, are handed in, and which reads no body by itself."""

    def __init__(self, proxies: Mapping[str, str], is_forbidden: Callable[[str], bool]) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, PeerAdapter(is_forbidden))
        self._is_forbidden = is_forbidden
        self._exceptions = proxies.get("no_proxy", "")
        self._proxies = {name.removesuffix("_proxy"): url for name, url in proxies.items() if name != "no_proxy"}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401 -- requests' own signature
        refuse_peer(urlsplit(request.url or "").hostname or "", self._is_forbidden)
        direct = not self._proxies or should_bypass_proxies(request.url or "", no_proxy=self._exceptions)
        kwargs["proxies"] = {} if direct else self._proxies
        return super().send(request, **kwargs)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where an answer redirects to; its own body, which could be a bomb, is left unread."""
        target = super().get_redirect_target(resp)
        if target is not None:
            resp.raw.close()
        return target


class _Credentials(AuthBase):
    """Users and passwords for the servers that this machine's own configuration names, and for no others."""

    def __init__(self, host: Host) -> None:
        self._known = host.credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        known = self._known.get(origin_of(request.url or ""))
        return HTTPBasicAuth(*known)(request) if known else request


def _is_temporary(error: requests.RequestException) -> bool:
    if isinstance(error, requests.HTTPError):
        return error.response is not None and error.response.status_code in _TEMPORARY
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.InvalidURL):
        return False
    return isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError)


def _reason(error: requests.RequestException) -> str:
    """Describe an error by its innermost cause: the libraries wrap it in sentences of their own."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        reason = str(error.response.reason)[:_REASON_CHARACTERS]
        return f"{urlsplit(error.response.url).hostname} answers {error.response.status_code} {reason}"
    server = urlsplit(error.request.url or "").netloc.rpartition("@")[2] if error.request is not None else "the server"
    match error:
        case requests.TooManyRedirects():
            return f"{server} redirects endlessly"
        case requests.Timeout():
            return f"{server} did not answer for {TIMEOUT_S[1 if isinstance(error, requests.ReadTimeout) else 0]} s"
        case requests.exceptions.ChunkedEncodingError():
            return "the connection ended before the answer did"
        case requests.exceptions.ProxyError():
            return f"the proxy refuses to reach {server}: {_cause(error)}"
        case _:
            return f"{server}: {_cause(error)}"


def _cause(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted here: {cause.verify_message}"
        if isinstance(cause, gaierror):
            return "the host name cannot be resolved"
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return cause.strerror.lower()
        if "Tunnel connection failed" in str(cause):
            return str(cause)
    return redact(str(error)) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what an exception was made of, innermost first: HTTP libraries put what they wrap into `args`."""
    for cause in (error.__cause__, getattr(error, "reason", None), *error.args):
        if isinstance(cause, BaseException):
            yield from _causes(cause)
    yield error


def _way_out(error: requests.RequestException, named_in: str) -> str:
    status = error.response.status_code if error.response is not None else None
    if status in (401, 403) and error.response is not None and not origin_of(error.response.url).is_private:
        return "name the server by https: users and passwords are not sent by plain http"
    if status in (401, 403):
        return f"give user and password in {named_in} or in netrc"
    if status == requests.codes.proxy_authentication_required or _DENIED in _cause(error):
        return "give user and password in the proxy's URL"
    if isinstance(error, requests.exceptions.SSLError):
        return "name the bundle that signs this server's certificate in SSL_CERT_FILE"
    if isinstance(error, requests.exceptions.ProxyError):
        return "check http_proxy and https_proxy"
    return "" if status else f"is the network up, and {named_in} right?"
