"""Read a failed command's output: its first line that says what went wrong, and what it wanted from the network."""

import re
from dataclasses import dataclass

_CONTROL = re.compile(
    r"""\x1b\[[0-9;?]*[ -/]*[@-~]              # colours, the cursor
      | \x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?  # what a terminal takes as text of its own: titles, links
      | \x1b[@-_]
      | [\x00-\x08\x0b-\x1f\x7f-\x9f]          # tab and line feed stay
    """,
    re.VERBOSE,
)
_ERROR = re.compile(
    r"""^\s*(?:
        error(?:\[E\d+\])?:\s*\S                 # rustc, cargo, setuptools
      | .{0,200}?:\d+(?::\d+)?:\s+(?:fatal\s)?error:   # gcc, clang
      | (?:ERROR|FATAL|fatal)[:\s]\s*\S          # pip, git, cmake
      | 💥                                        # maturin
      | [A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit):   # a Python traceback's last line
      | make(?:\[\d+\])?:\s\*\*\*
      | .{0,120}:\s(?:command\ not\ found|not\ found|No\ such\ file\ or\ directory|Permission\ denied)\s*$
    )""",
    re.VERBOSE,
)
_WRAPPER = re.compile(
    r"subprocess\.CalledProcessError|BackendUnavailable: during handling|returned non-zero exit status"
)
_LINE_LENGTH = 300


def clean(text: str) -> str:
    """Drop escape sequences and control characters, so that a package's output cannot steer a terminal."""
    return _CONTROL.sub("", text)


def first_error(output: str) -> str:
    """Return the first line that states an error; else the last line that is not empty."""
    lines = [line.strip() for line in clean(output).splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    plain = [line for line in errors if not _WRAPPER.search(line)]
    return next(iter(plain or errors or lines[-1:]), "it printed nothing")[:_LINE_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAttempt:
    """What an offline command tried to get, in the tool's own words, and the recipe key that declares it."""

    tool: str
    wanted: str
    declare: str


@dataclass(frozen=True, slots=True)
class _Pattern:
    tool: str
    expression: re.Pattern[str]
    declare: str


_NO_NETWORK = (
    r"[\s\S]{0,900}?(?:--offline was specified|offline mode|Could not resolve host|failed to resolve address"
    r"|network failure seems to have happened)"
)
_CRATES = "a Cargo.lock that names it, or build: {locked: false}"
_REQUIRES = "build: {requires: [%s]}"
_PROGRAM = "build: {requires: […]} takes a wheel that brings the program; crates come from Cargo.lock alone"
_NETWORK = tuple(
    _Pattern(tool, re.compile(expression), declare)
    for tool, expression, declare in (
        ("pip", r"No matching distribution found for (?P<wanted>[^\s(]+)", _REQUIRES),
        ("pip", r"Could not fetch URL (?P<wanted>\S+?): connection error", "build: {requires: […]}"),
        ("cargo", rf"failed to get `(?P<wanted>[^`]+)` as a dependency{_NO_NETWORK}", _CRATES),
        ("cargo", rf"failed to load source for dependency `(?P<wanted>[^`]+)`{_NO_NETWORK}", _CRATES),
        ("cargo", rf"failed to download `(?P<wanted>[^`]+)`{_NO_NETWORK}", _CRATES),
        ("cargo", rf"no matching package named `(?P<wanted>[^`]+)` found{_NO_NETWORK}", _CRATES),
        ("cargo", rf"failed to select a version for the requirement `(?P<wanted>[^`]+)`{_NO_NETWORK}", _CRATES),
        ("cargo", r"could not find `(?P<wanted>[^`]+)` in registry `[^`]+` with version", _PROGRAM),
        ("cargo", r"the crate `(?P<wanted>[^`]+)` could not be found in registry index", _CRATES),
        ("cargo", rf"Updating git repository `(?P<wanted>[^`]+)`{_NO_NETWORK}", _CRATES),
        ("cargo", r"attempting to make an HTTP request, but --offline was specified", _CRATES),
        ("cargo", rf"download of config\.json failed{_NO_NETWORK}", _CRATES),
        ("cargo", r"can't check for updates in offline mode \(--offline\)", _CRATES),
    )
)
"""The words of cargo 1.95 and pip 26, each seen in a container without network; the first that fits is believed."""


def network_attempt(output: str) -> NetworkAttempt | None:
    """Say what an offline build tried to fetch, as far as pip or cargo printed it; None where neither did."""
    text = clean(output)
    for pattern in _NETWORK:
        if match := pattern.expression.search(text):
            wanted = match.groupdict().get("wanted") or "a download"
            declare = pattern.declare.replace("%s", wanted)
            return NetworkAttempt(tool=pattern.tool, wanted=wanted, declare=declare)
    return None
