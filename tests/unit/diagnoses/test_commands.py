"""A log's first error line."""

from pathlib import Path

import pytest

from factory.diagnoses.commands import first_error, is_crowded, last_lines, wanted_libpython


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
            "E       ValueError: no\na.py:5: ValueError\nFAILED a.py::test_a - ValueError: no\n1 failed in 1s\n",
            "E       ValueError: no",
            id="pytest, an exception",
        ),
        pytest.param(
            ">       assert 1 == 2\nE       assert 1 == 2\nFAILED a.py::test_a - assert 1 == 2\n1 failed in 1s\n",
            "FAILED a.py::test_a - assert 1 == 2",
            id="pytest, an assertion",
        ),
        pytest.param(
            "subprocess.CalledProcessError: it returned non-zero exit status 1\nerror: command 'gcc' failed\n",
            "error: command 'gcc' failed",
            id="the cause before the wrapper",
        ),
        pytest.param(
            "error: test failed, to rerun pass `--lib`\nthread 't' (7) panicked at a.rs:9:9:\nassertion failed: no\n",
            "thread 't' (7) panicked at a.rs:9:9: assertion failed: no",
            id="cargo's summary came first, on the other stream",
        ),
        pytest.param("make: *** [Makefile:3: all] Error 1\nerror: no\n", "error: no", id="make's summary came first"),
        pytest.param("make: *** [Makefile:3: all] Error 1\n", "make: *** [Makefile:3: all] Error 1", id="make alone"),
        pytest.param(
            "💥 maturin failed\n  Caused by: Can't find Cargo.toml (in /work)\n  Caused by: it is gone\nError: 1\n",
            "💥 maturin failed: Can't find Cargo.toml (in /work): it is gone",
            id="maturin: the causes stand below",
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
    ("output", "library"),
    [
        pytest.param("error: could not find native static library `python3.9`, perhaps", "libpython3.9", id="rustc"),
        pytest.param("/usr/bin/ld: cannot find -lpython3.13t: No such file", "libpython3.13t", id="ld"),
        pytest.param("/usr/bin/ld: cannot find -lpythonic", None, id="another library"),
        pytest.param("error: could not find native static library `ssl`", None, id="another static library"),
    ],
)
def test_a_linker_that_looks_for_libpython_is_recognised(output: str, library: str | None) -> None:
    assert wanted_libpython(output) == library


@pytest.mark.parametrize(
    ("output", "crowded"),
    [
        pytest.param("RuntimeError: can't start new thread", True, id="Python, a thread"),
        pytest.param("BlockingIOError: [Errno 11] Resource temporarily unavailable", True, id="Python, a process"),
        pytest.param("sh: 1: Cannot fork", True, id="sh"),
        pytest.param("error: the fork failed to compile", False, id="another word"),
    ],
)
def test_a_command_that_was_refused_a_process_is_told_apart(output: str, crowded: bool) -> None:
    assert is_crowded(output) is crowded


def test_the_last_lines_end_where_our_frontend_reports_that_the_backend_failed() -> None:
    output = (Path(__file__).parents[2] / "data" / "causes" / "meson-error.txt").read_text(encoding="utf-8")

    lines = last_lines(output)

    assert lines[-2:] == (
        "../meson.build:2:0: ERROR: Problem encountered: this package needs a 64-bit system",
        "A full log can be found at /work/source/.mesonpy/meson-logs/meson-log.txt",
    )
