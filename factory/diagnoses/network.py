"""What an offline command tried to get from the network, if the tool printed it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.diagnoses.cases import Case
from factory.diagnoses.searchable import searchable
from factory.host import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAttempt:
    """What an offline command tried to get, as the tool printed it, and how the recipe can declare it.

    `is_cause` is False if a compiler reported an error in the code later on: a build may go on without what it tried
    to get.
    """

    tool: str
    wanted: str
    declare: str
    is_cause: bool = True


_CARGO_OFFLINE = (
    r"[\s\S]{0,900}?(?:--offline was specified|offline mode|Could not resolve host|failed to resolve address"
    r"|network failure seems to have happened)"
)
_QUOTED = r"`(?P<wanted>[^`\n]{1,300})`"
_NO_NAME = r"Temporary failure in name resolution|Name or service not known|No address associated with hostname"
_UNREACHABLE = rf"{_NO_NAME}|Network is unreachable"
_PYTHON = rf"\[Errno (?:-[235]|101)\] (?:{_UNREACHABLE})"
_POOL = (
    r"HTTPS?ConnectionPool\(host='(?P<wanted>[^'\n]{1,300})', port=\d{1,5}\): Max retries exceeded with url: \S{1,900}+"
)
_SOMETHING = "a download"
_CRATES = "declare it in the recipe: a Cargo.lock that names it, or build: {locked: false}"
_REQUIRES = "declare it in the recipe: build: {requires: [%(wanted)s]}"
_PROGRAM = "build: {requires: […]} takes a wheel that brings the program; crates come from Cargo.lock alone"
_REPOSITORY = "source: {git: …} includes submodules; add what else the build clones to the source (patches)"
_DOWNLOAD = (
    "provide it before the build: build: {system: …} or {requires: […]} installs it, {before-all: …} downloads it into "
    "the image, or add it to the source"
)
_FOLDER = (
    "FetchContent takes a folder instead: build: {before-all: '%(fetch)s', env: {CMAKE_ARGS: "
    "-DFETCHCONTENT_SOURCE_DIR_%(NAME)s=/opt/%(name)s}}, if the build hands CMAKE_ARGS to CMake, as "
    "scikit-build-core does"
)
_ARCHIVE = _FOLDER.replace(
    "%(fetch)s", "mkdir /opt/%(name)s && curl -L %(wanted)s | tar xz --strip-components 1 -C /opt/%(name)s"
)
_CLONE = _FOLDER.replace("%(fetch)s", "git clone %(wanted)s /opt/%(name)s && git -C /opt/%(name)s checkout GIT_TAG")
_ITS_URL = r"https?://[\w.:/@%+~=-]{1,900}?"
"""A URL that a command may hold as it is: a stranger wrote it."""
_FETCH_CONTENT = (
    r"^CMake Error at (?:\S{0,400}?/)?"
    r"(?:(?P<name>[\w.+-]{1,100}?)-subbuild|CMakeFiles/fc-\w{3,5}/(?P<direct>[\w.+-]{1,100}))/\S{1,400}+ \(message\):\n"
)
_REPOSITORY_RULE = (
    "keep what it is to unpack in the source, as a local_repository of the WORKSPACE, or name a folder that has it: "
    "build: {args: [--override_repository=NAME=FOLDER]}"
)
_WRAP = "declare it in the recipe: build: {system: …} installs the library, or a source brings subprojects/packagecache"
_TESTS = "a trial has no network: leave the tests that need it out of test: {run: …}"

_CASES = tuple(
    Case(tool, re.compile(expression, re.MULTILINE), "{wanted}", declare)
    for tool, expression, declare in (
        ("pip", r"No matching distribution found for (?P<wanted>[^\s(]{1,300})", _REQUIRES),
        ("pip", r"Could not fetch URL (?P<wanted>\S{1,500}?): connection error", "build: {requires: […]} takes it"),
        (
            "uv",
            rf"Failed to fetch: `?(?P<wanted>http[^`\s]{{1,500}}+)[\s\S]{{0,600}}?(?:{_UNREACHABLE})",
            _REQUIRES.replace("%(wanted)s", "…"),
        ),
        ("cargo", rf"failed to get {_QUOTED} as a dependency{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"failed to load source for dependency {_QUOTED}{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"failed to download {_QUOTED}{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"no matching package named {_QUOTED} found{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"failed to select a version for the requirement {_QUOTED}{_CARGO_OFFLINE}", _CRATES),
        ("cargo", rf"could not find {_QUOTED} in registry `[^`\n]{{1,300}}` with version", _PROGRAM),
        ("cargo", rf"the crate {_QUOTED} could not be found in registry index", _CRATES),
        ("cargo", rf"Updating git repository {_QUOTED}{_CARGO_OFFLINE}", _CRATES),
        ("cargo", r"attempting to make an HTTP request, but --offline was specified", _CRATES),
        ("cargo", rf"download of config\.json failed{_CARGO_OFFLINE}", _CRATES),
        ("cargo", r"can't check for updates in offline mode \(--offline\)", _CRATES),
        (
            "cmake",
            (
                rf"{_FETCH_CONTENT}  Each download failed!\n\s{{0,40}}+error: downloading "
                rf"'(?P<wanted>{_ITS_URL}\.(?:tar\.gz|tgz))' failed\s"
            ),
            _ARCHIVE,
        ),
        (
            "cmake",
            rf"{_FETCH_CONTENT}  Failed to clone repository:\s{{1,40}}+'(?P<wanted>{_ITS_URL})'",
            _CLONE,
        ),
        ("cmake", r"error: downloading '(?P<wanted>[^'\n]{1,900})' failed\s{1,40}+status_code: [67]\b", _DOWNLOAD),
        ("cmake", r"^[ \t]*+[67];\"Could(?:n't| not) (?:resolve|connect)[^\"\n]{0,300}+\"", _DOWNLOAD),
        (
            "bazel",
            r"Error downloading \[(?P<wanted>[^\s,\]]{1,500}+)[^\n]{0,900}?: (?:Unknown host|Network is unreachable)",
            _REPOSITORY_RULE,
        ),
        ("meson", r"ERROR: could not get (?P<wanted>\S{1,500}); is the internet available\?", _WRAP),
        (
            "git",
            r"fatal: unable to access '(?P<wanted>[^'\n]{1,500})': (?:Could not resolve|Failed to connect)",
            _REPOSITORY,
        ),
        ("git", rf"ssh: Could not resolve hostname (?P<wanted>[^\s:]{{1,300}}+): (?:{_NO_NAME})", _REPOSITORY),
        (
            "git",
            rf"fatal: [Uu]nable to look up (?P<wanted>\S{{1,300}}+) \(port \d{{1,5}}\) \((?:{_NO_NAME})\)",
            _REPOSITORY,
        ),
        (
            "git",
            r"fatal: unable to connect to (?P<wanted>[^\s:]{1,300}+):\n.{0,300}?errno=Network is unreachable",
            _REPOSITORY,
        ),
        ("curl", r"curl: \(6\) Could not resolve host: (?P<wanted>\S{1,300})", _DOWNLOAD),
        ("curl", r"curl: \(7\) Failed to connect to (?P<wanted>\S{1,300}+) port \d{1,5}", _DOWNLOAD),
        (
            "wget",
            r"^wget: unable to resolve host address [\u2018'](?P<wanted>[^\u2019'\s]{1,300}+)[\u2019']",
            _DOWNLOAD,
        ),
        ("wget", r"^wget: bad address '(?P<wanted>[^'\s]{1,300}+)'", _DOWNLOAD),
        ("wget", r"^Connecting to (?P<wanted>\S{1,300}?)\.\.\. failed: Network is unreachable\.", _DOWNLOAD),
        (
            "npm",
            r"^npm (?:error|ERR!) request to (?P<wanted>\S{1,500}+) failed, reason: (?:getaddrinfo|connect) E",
            _DOWNLOAD,
        ),
        ("node", r"getaddrinfo (?:EAI_AGAIN|ENOTFOUND) (?P<wanted>\S{1,300})", _DOWNLOAD),
        ("node", r"Error: connect ENETUNREACH (?P<wanted>\S{1,300})", _DOWNLOAD),
        ("go", r"^go: .{0,500}?Get \"(?P<wanted>[^\"\n]{1,500})\": dial tcp", _DOWNLOAD),
        (
            "a Rust program",
            rf"error sending request for url \((?P<wanted>[^)\n]{{1,300}})\)[\s\S]{{0,600}}?(?:{_NO_NAME})",
            _DOWNLOAD,
        ),
        ("a Rust program", rf"failed to lookup address information: (?:{_NO_NAME})", _DOWNLOAD),
        (
            "python",
            rf"{_POOL} \(Caused by (?:NameResolution|NewConnection)Error\(.{{0,600}}?(?:{_UNREACHABLE})",
            _DOWNLOAD,
        ),
        ("python", rf"(?:^|[\s.])URLError: <urlopen error {_PYTHON}>", _DOWNLOAD),
        (
            "python",
            (
                r"^(?:E[ \t]{1,20}+)?(?:\w{1,60}+\.){0,9}"
                rf"(?:gaierror|OSError|\w{{0,60}}?Connect\w{{0,60}}?Error): {_PYTHON}$"
            ),
            _DOWNLOAD,
        ),
        ("", rf"^(?P<tool>bash|sh): (?:line \d{{1,9}}: )?(?P<wanted>[\w.-]{{1,300}}+): (?:{_NO_NAME})$", _DOWNLOAD),
        (
            "",
            (
                r"^(?!\w{0,200}(?:Error|Exception|error|warning)\b)"
                rf"(?P<tool>[\w./+-]{{1,300}}+): (?:[\w.: -]{{1,300}}: )?(?:{_UNREACHABLE})$"
            ),
            _DOWNLOAD,
        ),
    )
)
"""The messages of cargo 1.95, pip 26, uv 0.13, cmake 4.4, meson 1.12, git 2.30 to 2.39, curl 7.74 to 8, wget 1.21,
npm 10, node 20, go 1.26 and CPython, each seen without network; the first that fits counts."""

_ADDRESS = re.compile(r"[\w.:/?&=%@+~-]{1,1000}+", re.ASCII)
_COMPILER_ERROR = re.compile(
    r"^(?:\S.{0,200}?:\d{1,9}(?::\d{1,9})?: (?:fatal )?error: |error\[E\d{1,9}\]: )", re.MULTILINE
)


def network_attempt(output: str, *, is_trial: bool = False) -> NetworkAttempt | None:
    """Return what an offline command tried to fetch, if a tool printed it."""
    text = searchable(output)
    for case in _CASES:
        for match in case.pattern.finditer(text):
            groups = match.groupdict()
            wanted = groups.get("wanted") or _SOMETHING
            if not any(is_loopback(address) for address in _addresses(wanted)):
                return NetworkAttempt(
                    tool=case.kind or groups["tool"],
                    wanted=wanted,
                    declare=_TESTS if is_trial else _declared(case.hint, wanted, groups),
                    is_cause=_COMPILER_ERROR.search(text, match.end()) is None,
                )
    return None


def _declared(hint: str, wanted: str, groups: Mapping[str, str | None]) -> str:
    """Return a hint with what was wanted; `%(name)s` is what FetchContent calls it, in variables in upper case."""
    name = groups.get("name") or groups.get("direct") or ""
    return hint % {"wanted": wanted, "name": name, "NAME": name.upper()}


def _addresses(wanted: str) -> Iterator[str]:
    """Yield what may be an address in a tool's message; what a build serves to itself is not the network."""
    if _ADDRESS.fullmatch(wanted):
        yield wanted
