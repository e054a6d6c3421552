"""A log's first error line, and what an offline command wanted from the network."""

import pytest

from factory.pipeline.diagnose import clean, first_error, network_attempt

CARGO_OFFLINE = """\
    Updating crates.io index
error: failed to get `itoa` as a dependency of package `spam v0.1.0 (/work/source)`

Caused by:
  failed to download from the index: attempting to make an HTTP request, but --offline was specified
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
        pytest.param(CARGO_OFFLINE, "cargo", "itoa", id="cargo"),
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
    ],
)
def test_a_failure_that_has_nothing_to_do_with_the_network_is_never_called_so(output: str) -> None:
    assert network_attempt(output) is None


def test_escape_sequences_cannot_steer_a_terminal() -> None:
    assert clean("a\x1b]0;title\x07b\x1b[2Jc\x08d\ttab\n") == "a0;titlebcd\ttab\n"
