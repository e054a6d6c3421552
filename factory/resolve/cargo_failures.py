"""What cargo printed when a fetch failed, as one clause and a way out. The words are those of cargo 1.95."""

import re
from dataclasses import dataclass
from typing import Literal

from factory.source.session import redact

Kind = Literal["lock", "missing", "network", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoFailure:
    """Why crates could not be fetched. Only `network` may pass by itself."""

    kind: Kind
    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Case:
    """Words of cargo's, and what they mean; `{names}` in the sentence are the expression's groups."""

    kind: Kind
    expression: str
    sentence: str
    hint: str


_UNLOCK = "have the project update its Cargo.lock, or say build: {locked: false} to resolve the crates anew"
_MIRROR = "wait for the mirror to catch up, or say build: {locked: false} to resolve the crates anew"
_WRONG = "do not build it before you know which of the two is wrong"
_ANSWER = r"failed to get successful HTTP response from `(?P<url>[^`]+)`[^\n]*, got "
_LOG_IN = "give the registry's token in CARGO_REGISTRIES_<its name>_TOKEN, or with `cargo login --registry <its name>`"
_UNREACHABLE = (
    r"\[\d+\] [^\n]+|failed to connect to [^\n]+|failed to resolve address [^\n]+"
    r"|spurious network error[^\n]+|failed to get successful HTTP response[^\n]+"
)
STALE_LOCK = CargoFailure(
    kind="lock", sentence="the lock must change: Cargo.lock does not satisfy Cargo.toml", hint=_UNLOCK
)
"""What it means, too, when cargo reaches for the network although the lock names nothing that comes from there."""

_CASES = (
    _Case(
        "other",
        _ANSWER + r"(?P<status>401|403)\b",
        "the crate registry turned us away: {url} answers {status}",
        _LOG_IN,
    ),
    _Case(
        "other",
        r"authenticated registries require a credential-provider|no token found for|token rejected for",
        "the crate registry wants a token, and none that it takes is known for it",
        _LOG_IN,
    ),
    _Case(
        "missing",
        _ANSWER + r"(?P<status>404|410)\b",
        "the crate registry does not have what its index lists: {url} answers {status}",
        _MIRROR,
    ),
    _Case(
        "network",
        rf"(?s)failed to (?:get|download|fetch|clone)[^\n]*\n.*?(?P<why>{_UNREACHABLE})",
        "the crates cannot be downloaded: {why}",
        "is the network up, and the crate registry reachable?",
    ),
    _Case(
        "lock",
        r"cannot update the lock file \S+ because --locked was passed",
        STALE_LOCK.sentence,
        STALE_LOCK.hint,
    ),
    _Case(
        "lock",
        r"cannot create the lock file \S+ because --locked was passed",
        "the lock must be made: there is no Cargo.lock",
        "say build: {locked: false}: cargo then resolves the crates, and the lock it made is recorded",
    ),
    _Case(
        "missing",
        r"failed to select a version for the requirement `(?P<crate>[^\s=`]+)[^`]*` \(locked to (?P<version>[^)]+)\)",
        "the crate {crate} {version} of Cargo.lock is not in the registry here",
        _MIRROR,
    ),
    _Case(
        "missing",
        r"failed to select a version for the requirement `(?P<crate>[^\s=`]+) = \"(?P<version>[^\"]*)\"`",
        "no version of the crate {crate} in the registry here satisfies {version}",
        "wait for the mirror to catch up, or loosen the requirement in Cargo.toml",
    ),
    _Case(
        "missing",
        r"no matching package (?:named|found\nsearched package name:) `(?P<crate>[^`]+)`",
        "the crate {crate} is not in the registry here",
        "is its name right in Cargo.toml, and is its registry configured?",
    ),
    _Case(
        "lock",
        r"checksum for `(?P<crate>\S+) v(?P<version>[^`]+)` changed between lock files",
        "the crate {crate} {version} is not what Cargo.lock's checksum says",
        _WRONG,
    ),
    _Case(
        "other",
        r"failed to verify the checksum of `(?P<crate>\S+) v(?P<version>\S+)",
        "the crate {crate} {version} is not what the registry's checksum says",
        _WRONG,
    ),
    _Case(
        "other",
        r"failed to query [^\n]*registry[^\n]*\n\nCaused by:\n +(?P<why>[^\n]* at line \d+ column \d+)",
        "what answers for the crate registry is none: {why}",
        "is its URL right in your cargo configuration, and no login page between?",
    ),
    _Case(
        "other",
        r"lock file version `(?P<version>[^`]+)` was found, but this version of Cargo",
        "Cargo.lock has version {version}, which the image's cargo is too old for",
        "build in an image with a newer Rust",
    ),
    _Case(
        "other",
        r"registry index was not found in any configuration: `(?P<name>[^`]+)`",
        "the registry {name} has no index in the project's cargo configuration",
        "name it under [registries] in .cargo/config.toml",
    ),
)


def explain_cargo_failure(output: str) -> CargoFailure:
    """Read the output of a failed `cargo fetch`; where it is none that is known, its last cause is quoted."""
    text = redact(output)
    for case in _CASES:
        if match := re.search(case.expression, text):
            sentence = case.sentence.format_map(match.groupdict())
            return CargoFailure(kind=case.kind, sentence=sentence, hint=case.hint)
    return CargoFailure(kind="other", sentence=f"cargo could not fetch the crates: {_last_cause(text)}", hint="")


def _last_cause(text: str) -> str:
    causes = re.findall(r"^(?:error: |Caused by:\s+)(?P<cause>[^\n]+)", text, flags=re.MULTILINE)
    lines = [line for line in text.splitlines() if line.strip()]
    return str(causes[-1] if causes else lines[-1] if lines else "it printed nothing").strip()
