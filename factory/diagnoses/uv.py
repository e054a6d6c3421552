"""What uv prints when it cannot resolve."""

import re
from dataclasses import replace
from typing import Final, Literal

from factory.diagnoses.cases import Case, Diagnosis, diagnose
from factory.diagnoses.searchable import Searchable, one_line, searchable

Kind = Literal["refused", "no-wheel", "unsatisfiable", "network"]

_LOGIN: Final = "is the index URL right, the mirror complete, and no login page in between?"
OTHER_VERSION: Final = "constrain it to a version that has a wheel there (build: constraints, or test: requires)"

_NO_WHEEL = re.compile(r"Wheels are required for `(?P<name>[^`]{1,200})`")
_PROXY = re.compile(r"\b407\b|tunnel error|proxy error|proxy authorization|proxy connect", re.IGNORECASE)
_CERTIFICATE = re.compile(r"invalid peer certificate: \w")
_CAUSE = re.compile(r"^[ \t]*+(?:error|cause): ", re.MULTILINE)
_CASES: Final[tuple[Case[Kind], ...]] = (
    Case(
        "network",
        re.compile(r"\b(?:401|403)\b|lack of valid authentication"),
        "the package index refused access",
        "give user and password in the index URL or in netrc",
    ),
    Case(
        "network",
        re.compile(
            r"Request failed after|Failed to fetch|error sending request|Could not connect|operation timed out|"
            r"HTTP status (?:server|client) error|\bdns error\b|tcp connect error|invalid peer certificate",
            re.IGNORECASE,
        ),
        "the package index cannot be queried: {cause}",
    ),
    Case(
        "network",
        re.compile(
            r"(?:Missing|Unsupported) `Content-Type`|following redirect|too many redirects",
            re.IGNORECASE,
        ),
        "the package index did not answer with an index page: {cause}",
        _LOGIN,
    ),
    Case(
        "refused",
        re.compile(r"Because (?P<name>\S{1,200}) has an invalid package format"),
        "the file that the index serves as {name} is not a wheel",
        _LOGIN,
    ),
    Case("no-wheel", _NO_WHEEL, "{lacking} no wheel for {target}, only source", OTHER_VERSION),
    Case(
        "unsatisfiable",
        re.compile(r"Because (?P<name>\S{1,200}) was not found in the package registry"),
        "no configured index has {name}",
        "is the name right, and the index URL?",
    ),
    Case(
        "unsatisfiable",
        re.compile(r"there (?:is|are) no versions? of (?P<name>[^\s,]{1,200})(?=[\s,])"),
        "no configured index has {name} for {target}",
        "ask for a version that exists",
    ),
    Case(
        "unsatisfiable",
        re.compile(""),
        "the requirements cannot be met for {target}: {cause}",
        "loosen one of them",
    ),
)


def explain_uv_failure(output: str, target: str) -> Diagnosis[Kind]:
    """Explain uv's error, free of credentials; `target` is the interpreter and the platform."""
    log = searchable(output)
    text = one_line(log)
    names = {"target": target, "cause": _last_cause(log), "lacking": _lacking(text)}
    diagnosis = diagnose(_CASES, text, names)
    if diagnosis is None:
        raise AssertionError("the last case fits any text")
    return diagnosis if diagnosis.hint else replace(diagnosis, hint=_way_to_the_index(text))


def projects_without_wheel(output: str) -> tuple[str, ...]:
    """Return the names of the projects of which uv found only releases without a usable wheel."""
    return tuple(sorted(set(_NO_WHEEL.findall(one_line(searchable(output))))))


def _lacking(text: Searchable) -> str:
    names = sorted(set(_NO_WHEEL.findall(text)))
    return f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'}"


def _way_to_the_index(text: Searchable) -> str:
    if _CERTIFICATE.search(text):
        return "name the bundle that signs this server's certificate in SSL_CERT_FILE"
    if _PROXY.search(text):
        return "check http_proxy and https_proxy: is the proxy up, and are its user and password right?"
    return "is the network up, and the index URL right?"


def _last_cause(log: Searchable) -> str:
    cause = _CAUSE.split(log.strip())[-1].partition("\nhint:")[0]
    return one_line(Searchable(cause)).strip().rstrip(".") or "uv printed nothing"
