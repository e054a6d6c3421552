"""What an offline command wanted from the network, in the words of real tools."""

import pytest

from factory.diagnoses.network import network_attempt

CARGO_OFFLINE = """\
error: no matching package named `itoa` found
location searched: crates.io index
required by package `spam v0.1.0 (/work/source)`
note: offline mode (via `--offline`) can sometimes cause surprising resolution failures
help: if this error is too confusing you may wish to retry without `--offline`
"""
CARGO_REACHING = """\
    Updating crates.io index
error: failed to get `itoa` as a dependency of package `spam v1.0.0 (/tmp/p)`

Caused by:
  failed to load source for dependency `itoa`

Caused by:
  unable to update registry `crates-io`

Caused by:
  download of config.json failed

Caused by:
  curl failed

Caused by:
  [6] Could not resolve hostname (Could not resolve host: index.example.org)
"""
CARGO_INSTALL_REACHING = (
    "    Updating crates.io index\n" + CARGO_REACHING[CARGO_REACHING.index("Caused by:\n  download") :]
)
CARGO_GIT = """\
    Updating git repository `https://example.org/gitty`
error: failed to fetch into: /tmp/c/git/db/gitty-216b7e8c16fd6e98

Caused by:
  network failure seems to have happened
  if a proxy or similar is necessary `net.git-fetch-with-cli` may help here

Caused by:
  failed to resolve address for example.org: Temporary failure in name resolution; class=Net (12)
"""
CARGO_GIT_OFFLINE = """\
error: failed to lookup reference in preexisting repository, and can't check for updates in offline mode (--offline)

Caused by:
  reference 'refs/remotes/origin/HEAD' not found; class=Reference (4); code=NotFound (-3)
"""
CMAKE_GIT = """\
Cloning into 'fmt-src'...
fatal: unable to access 'https://example.org/fmt.git/': Could not resolve host: example.org
Had to git clone more than once: 3 times.
CMake Error at fmt-subbuild/fmt-populate-prefix/tmp/fmt-populate-gitclone.cmake:55 (message):
  Failed to clone repository:

    'https://example.org/fmt.git'
"""
CMAKE_GIT_DIRECT = """\
fatal: unable to access 'https://example.org/fmt/': Could not resolve host: example.org
Had to git clone more than once: 3 times.
CMake Error at /work/build/CMakeFiles/fc-tmp/fmt/fmt-gitclone.cmake:55 (message):
  Failed to clone repository: 'https://example.org/fmt'
"""
CMAKE_DOWNLOAD_DIRECT = """\
CMake Error at /work/build/CMakeFiles/fc-stamp/my_lib/download-my_lib.cmake:163 (message):
  Each download failed!

    error: downloading 'https://example.org/lib.tar.gz' failed
          status_code: 6
          status_string: "Could not resolve hostname"
"""
CMAKE_DOWNLOAD = """\
CMake Error at fmt-subbuild/fmt-populate-prefix/src/fmt-populate-stamp/download-fmt-populate.cmake:163 (message):
  Each download failed!

    error: downloading 'https://example.org/fmt.tar.gz' failed
          status_code: 6
          status_string: "Could not resolve hostname"
"""
MESON = """\
<urlopen error [Errno -3] Temporary failure in name resolution>
A fallback URL could be specified using source_fallback_url key in the wrap file
ERROR: Subproject zlib is buildable: NO

meson.build:2:0: ERROR: could not get https://example.org/zlib.tar.gz; is the internet available?
"""
UV = """\
error: Request failed after 3 retries in 9.4s
  cause: Failed to fetch: https://index.example/simple/six/
  cause: error sending request for url (https://index.example/simple/six/)
  cause: client error (Connect)
  cause: dns error
  cause: error resolving DNS
  cause: failed to lookup address information: Temporary failure in name resolution
"""
NODE = """\
Error: getaddrinfo EAI_AGAIN example.org
    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26)
"""
NPM = """\
npm error code EAI_AGAIN
npm error request to https://registry.example/left-pad failed, reason: getaddrinfo EAI_AGAIN registry.example
"""
GO = """\
go: github.com/pkg/errors@v0.9.1: Get "https://proxy.example/errors/@v/v0.9.1.mod": dial tcp: lookup proxy.example on \
10.0.0.1:53: dial udp 10.0.0.1:53: connect: network is unreachable
"""
REQUESTS = (
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='example.org', port=443): Max retries exceeded with "
    "url: /a.tar.gz (Caused by NameResolutionError(\"HTTPSConnection(host='example.org', port=443): Failed to resolve "
    "'example.org' ([Errno -3] Temporary failure in name resolution)\"))\n"
)
BAZEL = (
    "Error in download_and_extract: java.io.IOException: Error downloading "
    "[https://mirror.example/rules_cc/8bd6cd7.zip, https://github.example/rules_cc/8bd6cd7.zip] to "
    "/work/bazel/user/1468c631/external/rules_cc/8bd6cd7.zip: Unknown host: github.example\n"
)
CURL = "  0     0    0     0    0     0      0      0 --:--:-- --:--:--     0curl: (6) Could not resolve host: a.b\n"


@pytest.mark.parametrize(
    ("output", "tool", "wanted"),
    [
        pytest.param(
            "ERROR: Could not find a version that satisfies the requirement six (from versions: none)\n"
            "ERROR: No matching distribution found for six\n",
            "pip",
            "six",
            id="pip",
        ),
        pytest.param(CARGO_OFFLINE, "cargo", "itoa", id="cargo, offline"),
        pytest.param(CARGO_REACHING, "cargo", "itoa", id="cargo, told to go online"),
        pytest.param(
            "error: could not find `itoa` in registry `crates-io` with version `=1.0.5`\n",
            "cargo",
            "itoa",
            id="cargo install, offline",
        ),
        pytest.param(CARGO_INSTALL_REACHING, "cargo", "a download", id="cargo install, told to go online"),
        pytest.param(
            "error: the crate `itoa` could not be found in registry index.\n", "cargo", "itoa", id="cargo add"
        ),
        pytest.param(CARGO_GIT, "cargo", "https://example.org/gitty", id="cargo, a repository"),
        pytest.param(CARGO_GIT_OFFLINE, "cargo", "a download", id="cargo, a repository, offline"),
        pytest.param(UV, "uv", "https://index.example/simple/six/", id="uv"),
        pytest.param(CMAKE_GIT, "cmake", "https://example.org/fmt.git", id="cmake, FetchContent of a repository"),
        pytest.param(CMAKE_DOWNLOAD, "cmake", "https://example.org/fmt.tar.gz", id="cmake, FetchContent of an archive"),
        pytest.param('  6;"Could not resolve hostname"\n', "cmake", "a download", id="cmake, file(DOWNLOAD)"),
        pytest.param(BAZEL, "bazel", "https://mirror.example/rules_cc/8bd6cd7.zip", id="bazel, http_archive"),
        pytest.param(MESON, "meson", "https://example.org/zlib.tar.gz", id="meson, a wrap"),
        pytest.param(
            "Cloning into 'bar'...\nssh: Could not resolve hostname example.org: Temporary failure in name resolution\n"
            "fatal: Could not read from remote repository.\n",
            "git",
            "example.org",
            id="git by ssh",
        ),
        pytest.param(
            "fatal: unable to connect to 192.0.2.1:\n192.0.2.1[0: 192.0.2.1]: errno=Network is unreachable\n",
            "git",
            "192.0.2.1",
            id="git by its own protocol",
        ),
        pytest.param(CURL, "curl", "a.b", id="curl, behind its meter"),
        pytest.param(
            "curl: (7) Failed to connect to 192.0.2.1 port 80 after 0 ms: Couldn't connect to server\n",
            "curl",
            "192.0.2.1",
            id="curl, an address",
        ),
        pytest.param("wget: unable to resolve host address \u2018a.b\u2019\n", "wget", "a.b", id="wget"),
        pytest.param("wget: unable to resolve host address 'a.b'\n", "wget", "a.b", id="wget in the C locale"),
        pytest.param("wget: bad address 'a.b'\n", "wget", "a.b", id="busybox's wget"),
        pytest.param(
            "Connecting to 192.0.2.1:80... failed: Network is unreachable.\n",
            "wget",
            "192.0.2.1:80",
            id="wget, an address",
        ),
        pytest.param(NPM, "npm", "https://registry.example/left-pad", id="npm"),
        pytest.param(NODE, "node", "example.org", id="node"),
        pytest.param(GO, "go", "https://proxy.example/errors/@v/v0.9.1.mod", id="go"),
        pytest.param(
            "thread 'main' panicked at build.rs:3:10:\nio: failed to lookup address information: "
            "Temporary failure in name resolution\n",
            "a Rust program",
            "a download",
            id="a build script",
        ),
        pytest.param(REQUESTS, "python", "example.org", id="requests"),
        pytest.param(
            "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>\n",
            "python",
            "a download",
            id="urllib",
        ),
        pytest.param(
            "socket.gaierror: [Errno -2] Name or service not known\n",
            "python",
            "a download",
            id="a bare socket, a name",
        ),
        pytest.param("OSError: [Errno 101] Network is unreachable\n", "python", "a download", id="a bare socket"),
        pytest.param(
            "E       socket.gaierror: [Errno -3] Temporary failure in name resolution\n",
            "python",
            "a download",
            id="a test of pytest's",
        ),
        pytest.param("bash: connect: Network is unreachable\n", "bash", "a download", id="the shell's own socket"),
        pytest.param(
            "bash: line 1: a.b: Temporary failure in name resolution\n",
            "bash",
            "a.b",
            id="the shell's own socket, a name",
        ),
        pytest.param("ping: a.b: Temporary failure in name resolution\n", "ping", "a download", id="any other program"),
    ],
)
def test_what_an_offline_command_wanted_is_said(output: str, tool: str, wanted: str) -> None:
    attempt = network_attempt(output)

    assert attempt is not None
    assert (attempt.tool, attempt.wanted) == (tool, wanted)


@pytest.mark.parametrize(
    ("output", "before_all", "define"),
    [
        pytest.param(
            CMAKE_DOWNLOAD,
            "mkdir /opt/fmt && curl -L https://example.org/fmt.tar.gz | tar xz --strip-components 1 -C /opt/fmt",
            "-DFETCHCONTENT_SOURCE_DIR_FMT=/opt/fmt",
            id="an archive, CMake before 3.30",
        ),
        pytest.param(
            CMAKE_DOWNLOAD_DIRECT,
            "mkdir /opt/my_lib && curl -L https://example.org/lib.tar.gz | tar xz --strip-components 1 -C /opt/my_lib",
            "-DFETCHCONTENT_SOURCE_DIR_MY_LIB=/opt/my_lib",
            id="an archive, CMake 4",
        ),
        pytest.param(
            CMAKE_GIT,
            "git clone https://example.org/fmt.git /opt/fmt && git -C /opt/fmt checkout GIT_TAG",
            "-DFETCHCONTENT_SOURCE_DIR_FMT=/opt/fmt",
            id="a repository, CMake before 3.30",
        ),
        pytest.param(
            CMAKE_GIT_DIRECT,
            "git clone https://example.org/fmt /opt/fmt && git -C /opt/fmt checkout GIT_TAG",
            "-DFETCHCONTENT_SOURCE_DIR_FMT=/opt/fmt",
            id="a repository, CMake 4",
        ),
    ],
)
def test_what_fetchcontent_wants_comes_with_a_folder_that_takes_its_place(
    output: str, before_all: str, define: str
) -> None:
    attempt = network_attempt(output)

    assert attempt is not None
    assert f"build: {{before-all: '{before_all}', env: {{CMAKE_ARGS: {define}}}}}" in attempt.declare


@pytest.mark.parametrize("url", ["https://example.org/$(id).tar.gz", "https://example.org/a;b.tar.gz", "-o/etc/x.tgz"])
def test_a_url_that_a_shell_would_take_apart_is_in_no_command(url: str) -> None:
    attempt = network_attempt(CMAKE_DOWNLOAD.replace("https://example.org/fmt.tar.gz", url))

    assert attempt is not None
    assert url not in attempt.declare


@pytest.mark.parametrize(
    "output",
    [
        "spam.c:3:1: error: 'offline' undeclared\n",
        "error: could not compile `itoa` (lib) due to 1 previous error\n",
        "AssertionError: connection refused\n",
        "error: failed to run custom build command for `spam`\n",
        "error: no matching package named `itoa` found\nlocation searched: /work/source/vendor\n",
        "spam.c:1: error: could not find `offline mode`\n",
        "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server\n",
        "curl: (22) The requested URL returned error: 404\n",
        "curl: (6) Could not resolve host: localhost\n",
        "fatal: not a git repository (or any of the parent directories): .git\n",
        "fatal: unable to access 'file:///x/': Permission denied\n",
        "fatal: unable to access 'http://localhost:8000/x/': Failed to connect to localhost port 8000\n",
        "wget: unable to resolve host address 'localhost'\n",
        "ConnectionRefusedError: [Errno 111] Connection refused\n",
        "OSError: [Errno 98] Address already in use\n",
        "AssertionError: Network is unreachable\n",
        "E       AssertionError: Temporary failure in name resolution\n",
        'spam.c:7:2: error: #error "Network is unreachable"\n',
        "spam.c:7: warning: Network is unreachable\n",
        "test_resolver_says 'Name or service not known' FAILED\n",
        "CMake Error at CMakeLists.txt:4 (message):\n  6;spam\n",
        'meson.build:2:0: ERROR: Dependency "zlib" not found, tried pkgconfig and cmake\n',
        "Error: connect ECONNREFUSED 127.0.0.1:80\n",
        "go: go.mod file not found in current directory or any parent directory\n",
    ],
)
def test_a_failure_that_has_nothing_to_do_with_the_network_is_never_called_so(output: str) -> None:
    assert network_attempt(output) is None


def test_a_compilers_error_after_an_attempt_is_the_failure() -> None:
    attempt = network_attempt("curl: (6) Could not resolve host: a.b\nspam.c:3:1: error: expected ';'\n")

    assert attempt is not None
    assert not attempt.is_cause


def test_a_compilers_error_before_an_attempt_is_not() -> None:
    attempt = network_attempt("conftest.c:3:1: error: expected ';'\ncurl: (6) Could not resolve host: a.b\n")

    assert attempt is not None
    assert attempt.is_cause


def test_a_trial_that_wants_the_network_is_told_where_its_tests_are_chosen() -> None:
    attempt = network_attempt("E   socket.gaierror: [Errno -2] Name or service not known\n", is_trial=True)

    assert attempt is not None
    assert "test: {run: …}" in attempt.declare


def test_what_a_hostile_package_prints_cannot_break_the_reading() -> None:
    assert network_attempt("curl: (6) Could not resolve host: [::1\n") is not None
    assert network_attempt("error sending request for url (" * 1000) is None


def test_a_rust_program_that_names_its_url_is_quoted() -> None:
    attempt = network_attempt(
        "Error: error sending request for url (https://x.org/a)\n\nCaused by:\n    client error (Connect)\n"
        "    dns error: failed to lookup address information: Temporary failure in name resolution\n"
    )

    assert attempt is not None
    assert (attempt.tool, attempt.wanted) == ("a Rust program", "https://x.org/a")
