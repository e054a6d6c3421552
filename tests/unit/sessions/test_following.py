"""What is followed of an output that is longer than its log."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from factory.events.logs import END_BYTES, Log
from factory.redaction import hide
from factory.sessions.following import Following
from factory.terminal import clean

SECRET = "the-token-5f1d"
LINE = b"a line of an endless output\n"


@contextmanager
def opened(path: Path, most_bytes: int) -> Iterator[Log]:
    with path.open("wb") as stream, Log(path=str(path), stream=stream, guard=nullcontext, most_bytes=most_bytes) as log:
        yield log


def followed(folder: Path, pieces: list[bytes], *, whole: bool, most_bytes: int = 0) -> tuple[list[str], str]:
    """Follow an output that may be longer than its log; return what was shown of it, and the log."""
    shown: list[str] = []
    with opened(folder / "log", most_bytes) as log:
        following = Following(
            log=log, show=shown.append, whole=whole, safe=lambda text: hide(text, {SECRET}), hidden={SECRET}
        )
        for piece in pieces:
            following.add(piece)
        following.end()
        log.end(clean(b"".join(pieces).decode()), "the end")
    return shown, (folder / "log").read_text()


def test_of_an_endless_output_the_log_holds_the_beginning_and_the_end(tmp_path: Path) -> None:
    lines = [f"{number:015}\n".encode() for number in range(100_000)]

    _, log = followed(tmp_path, lines, whole=False, most_bytes=160)

    printed = b"".join(lines).decode()
    assert (
        log == f"{printed[:160]}\n[... {1_600_000 - 160 - END_BYTES} bytes left out ...]\n{printed[-END_BYTES:]}the end"
    )


def test_what_is_invisible_counts_too(tmp_path: Path) -> None:
    """It would never fill a log, and cleaning all of it takes long."""
    _, log = followed(tmp_path, [b"\x1b]0;owned\x07" * 10] * 100, whole=False, most_bytes=100)

    assert log == "\n[... 9900 bytes left out ...]\nthe end"


def test_an_output_that_the_log_holds_is_in_it_once(tmp_path: Path) -> None:
    _, log = followed(tmp_path, [LINE] * 2, whole=False, most_bytes=1000)

    assert log == f"{LINE.decode() * 2}the end"


@pytest.mark.parametrize("whole", [True, False])
def test_of_an_output_that_is_a_little_too_long_nothing_is_missing(tmp_path: Path, whole: bool) -> None:
    _, log = followed(tmp_path, [LINE] * 3, whole=whole, most_bytes=len(LINE))

    assert log == f"{LINE.decode() * 3}the end"


def test_all_is_shown_on_request(tmp_path: Path) -> None:
    shown, _ = followed(tmp_path, [LINE] * 100, whole=True)

    assert "".join(shown) == LINE.decode() * 100


def test_otherwise_a_piece_is_shown_now_and_then(tmp_path: Path) -> None:
    shown, _ = followed(tmp_path, [LINE * 3] * 100, whole=False)

    assert shown == [LINE.decode() * 2], "the others came within the same second, and a first line may be half of one"


def test_no_half_of_a_hidden_value_is_shown(tmp_path: Path) -> None:
    half = len(SECRET) // 2
    piece = f"{SECRET[half:]}\n{SECRET}\n{SECRET[:half]}".encode()

    shown, _ = followed(tmp_path, [piece], whole=False)

    assert shown == ["***\n"]
