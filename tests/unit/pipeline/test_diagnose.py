"""A log's first error line, and what an offline command wanted from the network."""

import pytest

from factory.pipeline.diagnose import clean, first_error, network_attempt

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


@pytest.mark.parametrize(
    ("output", "line"),
    [
        pytest.param(
            "compiling\nspam.c:3:1: error: expected ';'\nmake: *** [all] Error 1\n",
            "spam.c:3:1: error: expected ';'",
            id="gcc",
        ),
        pytest.param("warning: x\nerror[E0308]: mismatched types\n", "error[E0308]: mismatched types", id="rustc"),
        pytest.param("Traceback (most recent call last):\n  File\nValueError: no\n", "ValueError: no", id="traceback"),
        pytest.param(
            "subprocess.CalledProcessError: it returned non-zero exit status 1\nerror: command 'gcc' failed\n",
            "error: command 'gcc' failed",
            id="the cause before the wrapper",
        ),
        pytest.param("sh: 1: qux: not found\n", "sh: 1: qux: not found", id="shell"),
        pytest.param("all is well\nor so it seems\n", "or so it seems", id="no error line: the last one"),
        pytest.param("", "it printed nothing", id="nothing"),
        pytest.param("\x1b[31merror: red\x1b[0m\n", "error: red", id="colours are dropped"),
    ],
)
def test_the_first_error_line_is_found(output: str, line: str) -> None:
    assert first_error(output) == line


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
    ],
)
def test_what_an_offline_command_wanted_is_said(output: str, tool: str, wanted: str) -> None:
    attempt = network_attempt(output)

    assert attempt is not None
    assert (attempt.tool, attempt.wanted) == (tool, wanted)


@pytest.mark.parametrize(
    "output",
    [
        "spam.c:3:1: error: 'offline' undeclared\n",
        "error: could not compile `itoa` (lib) due to 1 previous error\n",
        "AssertionError: connection refused\n",
        "error: failed to run custom build command for `spam`\n",
        "error: no matching package named `itoa` found\nlocation searched: /work/source/vendor\n",
        "spam.c:1: error: could not find `offline mode`\n",
    ],
)
def test_a_failure_that_has_nothing_to_do_with_the_network_is_never_called_so(output: str) -> None:
    assert network_attempt(output) is None


def test_escape_sequences_cannot_steer_a_terminal() -> None:
    assert clean("a\x1b]0;title\x07b\x1b[2Jc\x08d\ttab\n") == "abcd\ttab\n"
