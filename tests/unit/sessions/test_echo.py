"""What a step prints while it runs: passed on in time, within bounds, and never half of what must not be seen."""

import time
import tracemalloc
from io import StringIO

import pytest
from rich.console import Console

from factory.cli.plain_board import PlainBoard
from factory.redaction import hide, redact
from factory.sessions.echo import Echo

SECRET = "the-token-5f1d"
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----"
MIB = 1 << 20


def echoed(pieces: list[bytes], hidden: frozenset[str] = frozenset()) -> list[str]:
    sent: list[str] = []
    echo = Echo(send=sent.append, safe=lambda text: redact(text, hidden), hidden=hidden)
    for piece in pieces:
        echo.add(piece)
    echo.end()
    return sent


def test_whole_lines_are_passed_on_at_once_and_the_rest_at_the_end() -> None:
    assert echoed([b"a\nb", b"c\nd"]) == ["a\n", "bc\n", "d\n"]


def test_a_character_that_comes_in_two_pieces_is_one() -> None:
    assert "".join(echoed(["é".encode()[:1], "é\n".encode()[1:]])) == "é\n"


def test_nothing_is_printed_of_nothing() -> None:
    assert echoed([]) == []


def test_a_line_without_end_is_passed_on_in_parts_and_whole() -> None:
    sent = echoed([b"x" * 10_000] * 100)

    assert "".join(sent) == "x" * 1_000_000 + "\n"
    assert max(map(len, sent)) < 100_000


@pytest.mark.thorough
@pytest.mark.parametrize("piece", [1, 7, 4096, 1 << 17])
@pytest.mark.parametrize("offset", range(65_520, 65_560, 3))
def test_no_cut_goes_through_what_is_hidden(offset: int, piece: int) -> None:
    """The values are where a long line is cut; a URL's user and password are known by their form alone."""
    text = ("x" * offset + SECRET + "y" * 70_000 + "//me:word@host/" + "z" * 70_000).encode()
    start = max(0, offset - 100) if piece == 1 else 0  # the many bytes before cost time, and change nothing
    pieces = [text[:start], *(text[at : at + piece] for at in range(start, offset + 300, piece))]
    rest = text[sum(map(len, pieces)) :]

    shown = "".join(echoed([*pieces, rest], frozenset({SECRET})))

    assert shown == "x" * offset + "***" + "y" * 70_000 + "//host/" + "z" * 70_000 + "\n"


@pytest.mark.parametrize("at", range(131_060, 131_085))
def test_no_cut_goes_through_a_password_in_a_url(at: int) -> None:
    text = ("x" * at + "//me:word@host" + "y" * 140_000).encode()

    shown = "".join(echoed([text[start : start + 1024] for start in range(0, len(text), 1024)]))

    assert shown == "x" * at + "//host" + "y" * 140_000 + "\n"


@pytest.mark.parametrize("unseen", ["\u200b", "\x1b[0m", "\0", "\u202e"])
def test_a_value_with_what_nobody_sees_in_its_middle_is_hidden(unseen: str) -> None:
    printed = f"a {SECRET[:5]}{unseen}{SECRET[5:]} b\n".encode()

    assert "".join(echoed([printed], frozenset({SECRET}))) == "a *** b\n"


def test_a_value_of_several_lines_is_hidden_although_its_lines_come_one_by_one() -> None:
    shown = "".join(echoed([f"{line}\n".encode() for line in f"a\n{PEM}\nb".split("\n")], frozenset({PEM})))

    assert shown == "a\n-----BEGIN KEY-----\n***\n-----END KEY-----\nb\n"


@pytest.mark.thorough
def test_four_million_line_feeds_are_shown_at_once() -> None:
    board = PlainBoard(Console(file=StringIO(), width=200), verbose=True)
    echo = Echo(send=lambda piece: board.output("spam", piece), safe=lambda text: text)
    began = time.process_time()

    for _ in range(4 * MIB // 16_384):
        echo.add(b"\n" * 16_384)

    assert time.process_time() - began < 20, "a line each took rich four minutes"


@pytest.mark.thorough
def test_fifty_megabytes_without_a_line_feed_cost_little_memory_and_time() -> None:
    stream = StringIO()
    board = PlainBoard(Console(file=stream, width=200), verbose=True)
    sizes: list[int] = []

    def send(text: str) -> None:
        board.output("spam", text)
        sizes.append(stream.tell())
        stream.seek(0)
        stream.truncate()

    echo = Echo(send=send, safe=lambda text: hide(text, {SECRET}), hidden={SECRET})
    tracemalloc.start()
    for _ in range(8):  # what is imported and cached counts for nothing
        echo.add(b"x" * 16_384)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(64):
        echo.add(b"x" * 16_384)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    started = time.process_time()
    for _ in range(50 * MIB // 16_384):
        echo.add(b"x" * 16_384)
    echo.end()
    used = time.process_time() - started

    assert sum(sizes) >= 51 * MIB
    assert grown < 8 * MIB
    assert used < 20
