"""Secret values are found in every spelling that tools print, and nothing else is touched."""

import base64
import html
import json
import shlex
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.redaction import SHORTEST, Search, hide

VALUES = [
    pytest.param("pass-env-secret-4417", id="letters"),
    pytest.param("quo\"te\\back'slash/&<tag>", id="quotes and backslashes"),
    pytest.param("schlüssel-ключ-\U0001f511", id="not ASCII"),
    pytest.param("with blank\tand+plus%", id="blanks"),
    pytest.param("????>>>>~~~~", id="other in urlsafe base64"),
]


def written(value: str) -> dict[str, str]:
    """Return how tools would print a value within a text of their own."""
    content = value.encode()
    return {
        "as it is": value,
        "JSON": json.dumps({"token": value}),
        "JSON in Unicode": json.dumps({"token": value}, ensure_ascii=False),
        "Python": repr({"token": value}),
        "Python's bytes": repr(content),
        "HTML": html.escape(value),
        "shell": shlex.quote(value),
        "percent": f"https://host/?token={quote(value, safe='')}&x=1",
        "percent but slashes": quote(value),
        "form": quote_plus(value),
        "hex": content.hex(),
        "HEX": content.hex().upper(),
        "Basic": base64.b64encode(b"user:" + content).decode(),
        "urlsafe": base64.urlsafe_b64encode(b"a" + content + b"b").decode(),
        **{f"base64 at {at}": base64.b64encode(bytes(at) + content + b"tail").decode() for at in range(3)},
    }


@pytest.mark.parametrize("value", VALUES)
def test_no_spelling_of_a_value_is_left_in_a_text(value: str) -> None:
    for spelling, text in written(value).items():
        hidden = hide(f"before {text} after", [value])

        assert "***" in hidden, spelling
        assert not any(other in hidden for other in written(value).values()), spelling
        assert hidden.startswith("before ")
        assert hidden.endswith(" after")


@pytest.mark.parametrize("value", VALUES)
def test_no_spelling_of_a_value_passes_the_search_of_a_file_though_it_comes_in_pieces(value: str) -> None:
    for spelling, text in written(value).items():
        content = b"\x00" * 50 + text.encode() + b"\x00" * 50

        for size in (7, 64, 1 << 20):
            pieces = [content[at : at + size] for at in range(0, len(content), size)]
            assert Search.of({"TOKEN": value}).first_in(pieces) == "TOKEN", (spelling, size)


def test_each_line_of_a_value_is_hidden_and_what_every_key_has_is_not() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\r\nAQEFAASCBKcw\n-----END PRIVATE KEY-----\n"

    assert hide("a MIIEvQIBADANBgkqhkiG9w0B b\nAQEFAASCBKcw", [key]) == "a *** b\n***"
    assert hide("-----BEGIN PRIVATE KEY-----", [key]) == "-----BEGIN PRIVATE KEY-----"
    assert Search.of({"KEY": key}).first_in([b"-----BEGIN PRIVATE KEY-----"]) is None
    assert Search.of({"KEY": key}).first_in([b"MIIEvQIBADANBgkqhkiG9w0B"]) == "KEY"


def test_base64_that_a_tool_broke_into_lines_is_hidden() -> None:
    value = "".join(chr(ord("a") + number % 26) for number in range(300))

    for width in (64, 76):
        text = base64.b64encode(value.encode()).decode()
        broken = [text[at : at + width] for at in range(0, len(text), width)]
        assert set(hide("\n".join(broken), [value]).split("\n")) == {"***"}


def test_secrets_that_overlap_leave_nothing_of_each_other() -> None:
    assert hide("x abcdefgh y", ["abcdef", "efgh"]) == "x *** y"
    assert hide("abcdabcd", ["abcd"]) == "***"


def test_values_that_are_too_short_are_left_alone() -> None:
    assert hide("cp313 and 123", ["123", ""]) == "cp313 and 123"
    assert hide("1234", ["1234"]) == "***"
    assert Search.of({"CI": "true", "EMPTY": ""}).needles == ()


@given(st.text(min_size=SHORTEST), st.text(), st.text())
def test_a_value_is_gone_and_a_text_without_it_is_as_it_was(value: str, before: str, after: str) -> None:
    hidden = hide(before + value + after, [value])

    assert "***" in hidden
    assert hide("", [value]) == ""
    assert hide("·", [value]) == "·"


def cpu_s(size: int, value: str, content: bytes) -> float:
    search = Search.of({"TOKEN": value})
    piece = (content * (size // len(content) + 1))[:size]
    started = time.process_time()
    assert search.first_in([piece]) is None
    assert hide(piece.decode(), [value]) == piece.decode()
    return time.process_time() - started


@pytest.mark.parametrize("content", [b"a", b"ab", b"a" * 63 + b"b"])
def test_the_time_grows_with_the_bytes_alone(content: bytes) -> None:
    """A needle like the haystack is what makes a naive search quadratic."""
    value = "a" * 200 + "c" + "a" * 200

    small, large = cpu_s(1 << 20, value, content), cpu_s(1 << 22, value, content)

    assert large < 16 * max(small, 0.02)
