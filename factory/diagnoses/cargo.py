"""What cargo prints when a fetch fails. The messages are those of cargo 1.95."""

import re
from typing import Final, Literal

from factory.diagnoses.cases import Case, Diagnosis, diagnose
from factory.diagnoses.searchable import Searchable, searchable

Kind = Literal["lock", "missing", "network", "other"]
"""Only `network` may be temporary."""

_UNLOCK: Final = "have the project update its Cargo.lock, or set build: {locked: false} to resolve the crates again"
_WAIT: Final = "wait for the mirror to catch up, or set build: {locked: false} to resolve the crates again"
_WRONG: Final = "do not build it before you know which of the two is wrong"
_ANSWER: Final = (
    r"failed to get successful HTTP response from `(?P<url>[^`\n]{1,500})`(?:(?!, got )[^\n]){0,300}+, got (?P<status>"
)
_LOG_IN: Final = (
    "give the registry's token in CARGO_REGISTRIES_<its name>_TOKEN, or with `cargo login --registry <its name>`"
)
STALE_LOCK: Final[Diagnosis[Kind]] = Diagnosis(
    kind="lock", sentence="the lock must change: Cargo.lock does not satisfy Cargo.toml", hint=_UNLOCK
)
"""Also what it means when cargo uses the network although the lock names nothing to download."""

_CASES: Final[tuple[Case[Kind], ...]] = (
    Case(
        "other",
        re.compile(_ANSWER + r"401|403)\b"),
        "the crate registry refused access: {url} answers {status}",
        _LOG_IN,
    ),
    Case(
        "other",
        re.compile(r"authenticated registries require a credential-provider|no token found for|token rejected for"),
        "the crate registry requires a token; none is configured, or it was rejected",
        _LOG_IN,
    ),
    Case(
        "missing",
        re.compile(_ANSWER + r"404|410)\b"),
        "the crate registry does not have what its index lists: {url} answers {status}",
        _WAIT,
    ),
    Case(
        "network",
        re.compile(
            r"(?P<why>(?:\[\d{1,5}\] |failed to connect to |failed to resolve address )[^\n]++"
            r"|spurious network error[^\n]++|failed to get successful HTTP response[^\n]++)"
        ),
        "the crates cannot be downloaded: {why}",
        "is the network up, and the crate registry reachable?",
        below=re.compile(r"failed to (?:get|download|fetch|clone)[^\n]{0,1000}+\n"),
    ),
    Case(
        "lock",
        re.compile(r"cannot update the lock file \S{1,500} because --locked was passed"),
        STALE_LOCK.sentence,
        STALE_LOCK.hint,
    ),
    Case(
        "lock",
        re.compile(r"cannot create the lock file \S{1,500} because --locked was passed"),
        "there is no Cargo.lock",
        "set build: {locked: false}: cargo then resolves the crates, and the lock it made is recorded",
    ),
    Case(
        "missing",
        re.compile(
            r"failed to select a version for the requirement `(?P<crate>[^\s=`]{1,100})[^`\n]{0,200}`"
            r" \(locked to (?P<version>[^)\n]{1,100})\)"
        ),
        "the crate {crate} {version} of Cargo.lock is not in the configured registry",
        _WAIT,
    ),
    Case(
        "missing",
        re.compile(
            r"failed to select a version for the requirement"
            r" `(?P<crate>[^\s=`]{1,100}) = \"(?P<version>[^\"\n]{0,100})\"`"
        ),
        "no version of the crate {crate} in the configured registry satisfies {version}",
        "wait for the mirror to catch up, or loosen the requirement in Cargo.toml",
    ),
    Case(
        "missing",
        re.compile(r"no matching package (?:named|found\nsearched package name:) `(?P<crate>[^`\n]{1,100})`"),
        "the crate {crate} is not in the configured registry",
        "is its name right in Cargo.toml, and is its registry configured?",
    ),
    Case(
        "lock",
        re.compile(r"checksum for `(?P<crate>\S{1,100}) v(?P<version>[^`\n]{1,100})` changed between lock files"),
        "the crate {crate} {version} is not what Cargo.lock's checksum says",
        _WRONG,
    ),
    Case(
        "other",
        re.compile(r"failed to verify the checksum of `(?P<crate>\S{1,100}) v(?P<version>[^\s`]{1,100})"),
        "the crate {crate} {version} is not what the registry's checksum says",
        _WRONG,
    ),
    Case(
        "other",
        re.compile(
            r"failed to query (?:(?!registry)[^\n]){0,300}+registry[^\n]*+\n\nCaused by:\n {1,20}+"
            r"(?P<why>(?:(?! at line )[^\n]){0,500}+ at line \d{1,9} column \d{1,9})"
        ),
        "the crate registry's URL did not answer with a registry index: {why}",
        "is its URL right in your cargo configuration, and no login page in between?",
    ),
    Case(
        "other",
        re.compile(r"lock file version `(?P<version>[^`\n]{1,40})` was found, but this version of Cargo"),
        "Cargo.lock has version {version}, which the image's cargo is too old for",
        "ask for a newer Rust: build: {toolchain: {rust: stable}}",
    ),
    Case(
        "other",
        re.compile(r"registry index was not found in any configuration: `(?P<name>[^`\n]{1,100})`"),
        "the registry {name} has no index in the project's cargo configuration",
        "name it under [registries] in .cargo/config.toml",
    ),
)
_CAUSE = re.compile(r"^(?:error: |Caused by:\s++)(?P<cause>[^\n]++)", re.MULTILINE)


def explain_cargo_failure(output: str) -> Diagnosis[Kind]:
    """Explain the output of a failed `cargo fetch`, free of credentials; an unknown message by its last cause."""
    text = searchable(output)
    sentence = f"cargo could not fetch the crates: {_last_cause(text)}"
    return diagnose(_CASES, text) or Diagnosis(kind="other", sentence=sentence)


def _last_cause(text: Searchable) -> str:
    causes: list[str] = _CAUSE.findall(text)
    lines = [line for line in text.splitlines() if line.strip()]
    return (causes or lines or ["it printed nothing"])[-1].strip()
