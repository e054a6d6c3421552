"""What an offline command tried to get from the network, as far as the tool that tried printed it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from factory.host import is_loopback
from factory.terminal import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAttempt:
    """What an offline command tried to get, in the tool's own words, and the recipe's way to declare it.

    It is not the `is_cause` of a failure where a compiler found fault with the code later on: a build may go on without
    what it tried to get.
    """

    tool: str
    wanted: str
    declare: str
    is_cause: bool = True


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A tool's words. The groups are named `wanted` and, where the words name it, `tool`."""

    tool: str
    expression: re.Pattern[str]
    declare: str


_CARGO_OFFLINE = (
    r"[\s\S]{0,900}?(?:--offline was specified|offline mode|Could not resolve host|failed to resolve address"
    r"|network failure seems to have happened)"
)
_NO_NAME = r"Temporary failure in name resolution|Name or service not known|No address associated with hostname"
_UNREACHABLE = rf"{_NO_NAME}|Network is unreachable"
_PYTHON = rf"\[Errno (?:-[235]|101)\] (?:{_UNREACHABLE})"
_POOL = r"HTTPS?ConnectionPool\(host='(?P<wanted>[^']+)', port=\d+\): Max retries exceeded with url: \S+"
_SOMETHING = "a download"
_CRATES = "declare it in the recipe: a Cargo.lock that names it, or build: {locked: false}"
_REQUIRES = "declare it in the recipe: build: {requires: [%s]}"
_PROGRAM = "build: {requires: […]} takes a wheel that brings the program; crates come from Cargo.lock alone"
_REPOSITORY = "source: {git: …} brings submodules along; what else the build clones belongs into the source (patches)"
_DOWNLOAD = (
    "have it there before: build: {system: …} or {requires: […]} installs it, {before-all: …} fetches it into the "
    "image, or the source brings it along"
)
_WRAP = "declare it in the recipe: build: {system: …} installs the library, or a source brings subprojects/packagecache"
_TESTS = "a trial has no network: leave the tests that want it out of test: {run: …}"

_NETWORK = tuple(
    _Pattern(tool, re.compile(expression, re.MULTILINE), declare)
    for tool, expression, declare in (
        ("pip", r"No matching distribution found for (?P<wanted>[^\s(]+)", _REQUIRES),
        ("pip", r"Could not fetch URL (?P<wanted>\S+?): connection error", "build: {requires: […]} takes it"),
        ("uv", rf"Failed to fetch: `?(?P<wanted>http[^`\s]+)[\s\S]{{0,600}}?(?:{_UNREACHABLE})", _REQUIRES % "…"),
        ("cargo", rf"failed to get `(?P<wanted>[^`]+)` as a dependency{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"failed to load source for dependency `(?P<wanted>[^`]+)`{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"failed to download `(?P<wanted>[^`]+)`{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"no matching package named `(?P<wanted>[^`]+)` found{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"failed to select a version for the requirement `(?P<wanted>[^`]+)`{_CARGO_OFFLINE}", _CRATES),
        ("cargo", r"could not find `(?P<wanted>[^`]+)` in registry `[^`]+` with version", _PROGRAM),
        ("cargo", r"the crate `(?P<wanted>[^`]+)` could not be found in registry index", _CRATES),
        ("cargo", rf"Updating git repository `(?P<wanted>[^`]+)`{_CARGO_OFFLINE}", _CRATES),
        ("cargo", r"attempting to make an HTTP request, but --offline was specified", _CRATES),
        ("cargo", rf"download of config\.json failed{_CARGO_OFFLINE}", _CRATES),
        ("cargo", r"can't check for updates in offline mode \(--offline\)", _CRATES),
        ("cmake", r"error: downloading '(?P<wanted>[^']+)' failed\s+status_code: [67]\b", _DOWNLOAD),
        ("cmake", r"^\s*[67];\"Could(?:n't| not) (?:resolve|connect)[^\"\n]*\"", _DOWNLOAD),
        ("meson", r"ERROR: could not get (?P<wanted>\S+); is the internet available\?", _WRAP),
        ("git", r"fatal: unable to access '(?P<wanted>[^']+)': (?:Could not resolve|Failed to connect)", _REPOSITORY),
        ("git", rf"ssh: Could not resolve hostname (?P<wanted>[^\s:]+): (?:{_NO_NAME})", _REPOSITORY),
        ("git", rf"fatal: [Uu]nable to look up (?P<wanted>\S+) \(port \d+\) \((?:{_NO_NAME})\)", _REPOSITORY),
        ("git", r"fatal: unable to connect to (?P<wanted>[^\s:]+):\n.*errno=Network is unreachable", _REPOSITORY),
        ("curl", r"curl: \(6\) Could not resolve host: (?P<wanted>\S+)", _DOWNLOAD),
        ("curl", r"curl: \(7\) Failed to connect to (?P<wanted>\S+) port \d+", _DOWNLOAD),
        ("wget", r"^wget: unable to resolve host address [\u2018'](?P<wanted>[^\u2019'\s]+)[\u2019']", _DOWNLOAD),
        ("wget", r"^wget: bad address '(?P<wanted>[^'\s]+)'", _DOWNLOAD),
        ("wget", r"^Connecting to (?P<wanted>\S+?)\.\.\. failed: Network is unreachable\.", _DOWNLOAD),
        ("npm", r"^npm (?:error|ERR!) request to (?P<wanted>\S+) failed, reason: (?:getaddrinfo|connect) E", _DOWNLOAD),
        ("node", r"getaddrinfo (?:EAI_AGAIN|ENOTFOUND) (?P<wanted>\S+)", _DOWNLOAD),
        ("node", r"Error: connect ENETUNREACH (?P<wanted>\S+)", _DOWNLOAD),
        ("go", r"^go: .*?Get \"(?P<wanted>[^\"]+)\": dial tcp", _DOWNLOAD),
        (
            "a Rust program",
            rf"error sending request for url \((?P<wanted>[^)]{1, 300})\)[\s\S]{{0,600}}?(?:{_NO_NAME})",
            _DOWNLOAD,
        ),
        ("a Rust program", rf"failed to lookup address information: (?:{_NO_NAME})", _DOWNLOAD),
        (
            "python",
            rf"{_POOL} \(Caused by (?:NameResolution|NewConnection)Error\(.{{0,600}}?(?:{_UNREACHABLE})",
            _DOWNLOAD,
        ),
        ("python", rf"(?:^|[\s.])URLError: <urlopen error {_PYTHON}>", _DOWNLOAD),
        ("python", rf"^(?:E\s+)?(?:\w+\.)*(?:gaierror|OSError|\w*Connect\w*Error): {_PYTHON}$", _DOWNLOAD),
        ("", rf"^(?P<tool>bash|sh): (?:line \d+: )?(?P<wanted>[\w.-]+): (?:{_NO_NAME})$", _DOWNLOAD),
        (
            "",
            rf"^(?!\w*(?:Error|Exception|error|warning)\b)(?P<tool>[\w./+-]+): (?:[\w.: -]+: )?(?:{_UNREACHABLE})$",
            _DOWNLOAD,
        ),
    )
)
"""The words of cargo 1.95, pip 26, uv 0.13, cmake 4.4, meson 1.12, git 2.30 to 2.39, curl 7.74 to 8, wget 1.21, npm 10,
node 20, go 1.26 and CPython, each seen without network; the first that fits is believed."""

_COMPILER_ERROR = re.compile(r"^(?:\S.{0,200}?:\d+(?::\d+)?: (?:fatal )?error: |error\[E\d+\]: )", re.MULTILINE)


def network_attempt(output: str, *, is_trial: bool = False) -> NetworkAttempt | None:
    """Say what an offline command tried to fetch, as far as a tool printed it; None where none did."""
    text = clean(output)
    for pattern in _NETWORK:
        for match in pattern.expression.finditer(text):
            groups = match.groupdict()
            wanted = groups.get("wanted") or _SOMETHING
            if not any(is_loopback(each) for each in _addresses(wanted)):
                return NetworkAttempt(
                    tool=pattern.tool or groups["tool"],
                    wanted=wanted,
                    declare=_TESTS if is_trial else pattern.declare.replace("%s", wanted),
                    is_cause=_COMPILER_ERROR.search(text, match.end()) is None,
                )
    return None


def _addresses(wanted: str) -> Iterator[str]:
    """Yield what may be an address in a tool's words; what a build serves to itself is not the network."""
    if re.fullmatch(r"[\w.:/?&=%@+~-]+", wanted, re.ASCII):
        yield wanted
