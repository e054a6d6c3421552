"""What Docker and Podman print when an image cannot be pulled from its registry."""

import re
from typing import Final, Literal

from factory.diagnoses.cases import Case, Diagnosis, diagnose
from factory.diagnoses.searchable import one_line, searchable

Kind = Literal["temporary", "registry", "image"]
"""`temporary` problems may be gone a moment later; others concern all images of a registry, or one image alone."""


def _case(kind: Kind, pattern: str, sentence: str, hint: str) -> Case[Kind]:
    return Case(kind, re.compile(pattern, re.IGNORECASE), sentence, hint)


_CASES: Final = (
    _case(
        "image",
        r"verification failed|unexpected (?:digest|commit digest)|digest did not match"
        r"|does not match (?:its |provided manifest )?digest",
        "what the registry sent does not match the digest",
        "do not use it: the registry, or something before it, changes images; name another registry",
    ),
    _case(
        "image",
        r"unauthorized|access denied|authentication required|forbidden",
        "the registry denies this user access",
        "is the name right? then log in to the registry with the engine's own client (`docker login`)",
    ),
    _case(
        "image",
        r"manifest unknown|name unknown|repository name not known|not found|does not exist",
        "the registry does not have it",
        "is the name right? if the image was replaced, `factory image pin` pins the new one",
    ),
    _case(
        "registry",
        r"server gave HTTP response to HTTPS client|x509|certificate",
        "the engine does not trust the registry",
        "configure the registry's certificate, or that it is insecure, in the container engine",
    ),
    _case(
        "registry",
        r"no such host|name resolution|server misbehaving",
        "the registry's host name cannot be resolved",
        "is the network up, and the registry's name right? `factory build --families lookalike` needs no registry",
    ),
    _case(
        "temporary",
        r"refused|unreachable|no route|timeout|deadline|awaiting headers",
        "the registry does not answer",
        "is it up, and may the engine reach it? `factory build --families lookalike` needs no registry",
    ),
    _case(
        "temporary",
        r"toomanyrequests|rate limit",
        "the registry limits pulls",
        "wait, or log in to the registry with the engine's own client (`docker login`)",
    ),
)
_BROKEN: Final[Diagnosis[Kind]] = Diagnosis(
    kind="temporary",
    sentence="the registry closed the connection",
    hint="run the same command again: whole layers are kept",
)
_MOST_QUOTED: Final = 1000


def explain_pull(output: str) -> Diagnosis[Kind]:
    """Explain an engine's message; an unknown one counts as temporary."""
    return diagnose(_CASES, searchable(output)) or _BROKEN


def quoted(output: str) -> str:
    """Return a message as it is quoted, in one line."""
    return one_line(searchable(output)).strip()[:_MOST_QUOTED]
