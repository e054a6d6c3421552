"""Text of others, as it is printed: it steers no terminal, hides nothing, and commands no CI runner."""

import json
import sys
import unicodedata
from io import StringIO
from random import Random
from typing import IO, cast

import pytest
from rich.console import Console
from rich.table import Table

from factory.cli.errors import render_error
from factory.errors import Problem, RecipeError, Span
from factory.terminal import Printed, clean, inert_json, plain, printing, shown

HIDING = [
    pytest.param("passed \u202eevil", "passed evil", id="right-to-left override"),
    pytest.param("a\u2066b\u2069", "ab", id="isolates"),
    pytest.param("pass\u200bed", "passed", id="zero-width space"),
    pytest.param("\ufeffpassed", "passed", id="byte order mark"),
    pytest.param("a\u00adb", "ab", id="soft hyphen"),
    pytest.param("a\U000e0065\U000e007f", "a", id="tags"),
    pytest.param("a\u3164b", "ab", id="filler"),
    pytest.param("a\ufe0fb\U000e0100", "ab", id="variation selectors"),
]
COMMANDS = [
    pytest.param("##[error]forged", "# #[error]forged", id="GitHub, old form"),
    pytest.param("it said ##[add-mask]x", "it said # #[add-mask]x", id="GitHub, within a line"),
    pytest.param("###[error]x", "## #[error]x", id="three signs"),
    pytest.param("##vso[task.setvariable]x", "# #vso[task.setvariable]x", id="Azure"),
    pytest.param("##teamcity[x]", "# #teamcity[x]", id="TeamCity"),
    pytest.param("::error::forged", ": :error::forged", id="GitHub"),
    pytest.param(" \t\u00a0::set-env name=x::y", " \t\u00a0: :set-env name=x::y", id="GitHub, after blanks"),
    pytest.param("\u200b::error::x", ": :error::x", id="after what nobody sees"),
    pytest.param("\x1b[31m::error::x", ": :error::x", id="after a colour"),
    pytest.param("#\u202e#[error]x", "# #[error]x", id="what nobody sees within a mark"),
    pytest.param("#\x1b[0m#[error]x", "# #[error]x", id="a colour within a mark"),
    pytest.param(":\x00:error::x", ": :error::x", id="a control character within a mark"),
]
INNOCENT = ["std::vector<int> a::b", "## Heading [1]", "# [section]", "a ## b", "x[0] ##", "C:: is a path"]


def test_escape_sequences_cannot_steer_a_terminal() -> None:
    assert clean("a\x1b]0;title\x07b\x1b[2Jc\x08d\ttab\n") == "abcd\ttab\n"


def test_no_character_of_unicodes_formats_is_left() -> None:
    formats = [chr(code) for code in range(sys.maxunicode) if unicodedata.category(chr(code)) == "Cf"]

    assert clean("".join(formats)) == ""


@pytest.mark.parametrize(("text", "left"), HIDING)
def test_what_nobody_sees_is_dropped(text: str, left: str) -> None:
    assert (clean(text), plain(text)) == (left, left)


def test_lines_that_only_some_readers_break_become_one() -> None:
    assert plain("a\u2028b\u2029c\x85d\x0be") == "a b cde"


@pytest.mark.parametrize(("text", "left"), COMMANDS)
def test_a_command_to_a_ci_runner_is_broken_so_that_people_see_it(text: str, left: str) -> None:
    assert plain(text) == shown(text) == left


def test_every_line_of_a_text_is_looked_at() -> None:
    assert shown("a\n::error::x\n\n  ::debug::y\r\n::warning::z") == "a\n: :error::x\n\n  : :debug::y\n: :warning::z"


@pytest.mark.parametrize("text", INNOCENT)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == shown(text) == text


@pytest.mark.parametrize("text", [param.values[0] for param in COMMANDS])
def test_what_was_broken_is_not_broken_again(text: object) -> None:
    assert plain(plain(str(text))) == plain(str(text))


def test_json_keeps_its_values_and_holds_no_command() -> None:
    value = {"message": "##[error]x ###[y] ##vso[z] \u202e", "##[key]": ["::error::"]}

    text = inert_json(json.dumps(value, indent=2))

    assert json.loads(text) == value
    assert "##" not in text
    assert text == shown(text)


def test_a_table_that_folds_its_cells_makes_no_command() -> None:
    stream = StringIO()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    table.add_row(plain("x" * 40 + "::error::forged" + "y" * 26 + "##[error]"))

    Console(file=cast("IO[str]", Printed(stream)), width=40).print(table)

    assert "x" * 40 + "\n: :error::forged" in stream.getvalue()
    assert not [text for text in stream.getvalue().splitlines() if text.lstrip().startswith("::") or "##[" in text]


def test_whatever_is_printed_inside_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    with printing():
        print("::error::forged\u202e")  # noqa: T201 -- a library might
        sys.stderr.write("##[error]forged\n")

    assert capsys.readouterr() == (": :error::forged\n", "# #[error]forged\n")


def test_an_error_with_a_frame_commands_nothing() -> None:
    span = Span(file="::error::x.yaml", line=1, column=1, length=1, text="name: ##[error]forged \u202e")
    problem = Problem(message="##[error]forged\n::error::forged", span=span, field="name", hint="::debug::x")

    lines = render_error(RecipeError("no", hint="##[x]", problems=(problem,))).splitlines()

    assert "name: # #[error]forged" in "\n".join(lines)
    assert not [text for text in lines if text.lstrip().startswith("::") or "##[" in text or "\u202e" in text]


def test_no_mixture_of_signs_makes_a_command() -> None:
    draw = Random(9)
    signs = ["#", "[", ":", "::", "##[", "\n", " ", "\t", "\r", "\x1b[0m", "\u200b", "\u2028", "a", "\x0c", "\u00a0"]
    for _ in range(3000):
        text = "".join(draw.choices(signs, k=12))
        for safe in (plain(text), shown(text)):
            assert "##[" not in safe
            assert not [line for line in safe.splitlines() if line.strip().startswith("::")], repr(text)
