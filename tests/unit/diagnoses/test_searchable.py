"""What is searched of an output: its beginning and its end, in lines that end."""

import pytest

from factory.diagnoses.commands import first_error
from factory.diagnoses.network import network_attempt
from factory.diagnoses.searchable import searchable

NOISE = "compiling a file\n" * 20_000


def test_an_output_of_usual_size_is_searched_whole() -> None:
    assert searchable("a\n\x1b[31merror: b\x1b[0m\n" * 1000) == "a\nerror: b\n" * 1000


def test_of_a_large_output_the_beginning_and_the_end_are_searched() -> None:
    text = searchable(f"first\n{NOISE}last\n")

    assert text.startswith("first\n")
    assert text.endswith("last\n")
    assert len(text) < 132_000
    assert set(text.splitlines()[1:-1]) <= {"compiling a file", "", "compiling a file"[: (65_536 - 6) % 17]}


def test_a_line_is_cut() -> None:
    assert searchable("x" * 5000 + "\nerror: y") == "x" * 1000 + "\nerror: y"


def test_a_progress_bar_is_lines() -> None:
    assert first_error("10 %\r20 %\r" * 200 + "\r\nerror: no\r\n") == "error: no"


@pytest.mark.parametrize("output", [f"error: it\n{NOISE}", f"{NOISE}error: it\n"])
def test_an_error_is_found_at_both_ends_of_a_large_output(output: str) -> None:
    assert first_error(output) == "error: it"


def test_what_was_tried_before_a_large_output_is_told() -> None:
    attempt = network_attempt(f"curl: (6) Could not resolve host: a.b\n{NOISE}")

    assert attempt is not None
    assert attempt.wanted == "a.b"
