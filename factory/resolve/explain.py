"""What uv printed when it found nothing, as one clause and a way out."""

import re

from factory.resolve.model import Unresolved

_NO_PAGE = re.compile(r"(?:Missing|Unsupported) `Content-Type`|following redirect|too many redirects", re.IGNORECASE)
_NO_FORMAT = re.compile(r"Because (?P<name>\S+) has an invalid package format")
_NO_WHEEL = re.compile(r"Wheels are required for `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"Because (?P<name>\S+) was not found in the package registry")
_NO_VERSION = re.compile(r"there (?:is|are) no versions? of (?P<name>\S+?)(?: and|,|\s)")
_AUTHORISATION = re.compile(r"\b(?P<status>401|403)\b|lack of valid authentication")
_PROXY = re.compile(r"\b407\b|tunnel error|proxy error|proxy authorization|proxy connect", re.IGNORECASE)
_CERTIFICATE = re.compile(r"invalid peer certificate: (?P<why>\w+)")
_NETWORK = re.compile(
    r"Request failed after|Failed to fetch|error sending request|Could not connect|operation timed out|"
    r"HTTP status (?:server|client) error|\bdns error\b|tcp connect error|invalid peer certificate",
    re.IGNORECASE,
)

_LOGIN = "is the index URL right, the mirror whole, and no login page between?"
OTHER_VERSION = "constrain it to a version that has a wheel there (build: constraints, or test: requires)"


def explain_uv_failure(output: str, target: str) -> Unresolved:
    """Read uv's error, free of credentials; `target` names interpreter and platform."""
    log = output
    text = re.sub(r"\s+", " ", log)
    if _AUTHORISATION.search(text):
        hint = "give user and password in the index URL or in netrc"
        return Unresolved(kind="network", sentence="the package index turned us away", hint=hint, log=log)
    if _NETWORK.search(text):
        sentence = f"the package index cannot be asked: {_last_cause(log)}"
        return Unresolved(kind="network", sentence=sentence, hint=_way_to_the_index(text), log=log)
    if _NO_PAGE.search(text):
        sentence = f"what answers for the package index is no index page: {_last_cause(log)}"
        return Unresolved(kind="network", sentence=sentence, hint=_LOGIN, log=log)
    if match := _NO_FORMAT.search(text):
        sentence = f"what the index hands out as {match['name']} is no wheel"
        return Unresolved(kind="refused", sentence=sentence, hint=_LOGIN, log=log)
    if names := sorted(set(_NO_WHEEL.findall(text))):
        sentence = f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'} no wheel for {target}, only source"
        return Unresolved(kind="no-wheel", sentence=sentence, hint=OTHER_VERSION, log=log)
    if match := _UNKNOWN.search(text):
        hint = "is the name right, and the index URL?"
        return Unresolved(kind="unsatisfiable", sentence=f"no index here knows {match['name']}", hint=hint, log=log)
    if match := _NO_VERSION.search(text):
        sentence = f"no index here has {match['name']} for {target}"
        return Unresolved(kind="unsatisfiable", sentence=sentence, hint="ask for a version that exists", log=log)
    sentence = f"the requirements cannot be met for {target}: {_last_cause(log)}"
    return Unresolved(kind="unsatisfiable", sentence=sentence, hint="loosen one of them", log=log)


def _way_to_the_index(text: str) -> str:
    if _CERTIFICATE.search(text):
        return "name the bundle that signs this server's certificate in SSL_CERT_FILE"
    if _PROXY.search(text):
        return "look at http_proxy and https_proxy: is the proxy there, and its user and password right?"
    return "is the network up, and the index URL right?"


def _last_cause(log: str) -> str:
    causes = re.split(r"^\s*(?:error|cause): ", log.strip(), flags=re.MULTILINE)
    return re.sub(r"\s+", " ", causes[-1].split("\nhint:")[0]).strip().rstrip(".") or "uv printed nothing"
