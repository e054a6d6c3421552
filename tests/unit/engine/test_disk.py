"""What a monitor's lines mean, and when a command is stopped for them."""

from pathlib import PurePosixPath

import pytest

from factory.engine.disk import DiskLimits, DiskUsage, DiskWatch

GB = 10**9
WORK = PurePosixPath("/work")
BLOCK_BYTES = 4096


def left(*, free: int, files: int = 10**6, most_files: int = 10**7, place: str = "/work") -> str:
    """Write the line that tells what a file system has left."""
    return f"left {place} {free // BLOCK_BYTES} {BLOCK_BYTES} {files} {most_files}\n"


def figures(*, held: int, free: int) -> str:
    """Write a whole round of the monitor's lines."""
    return f"held {held // 1024}\n{left(free=free)}{left(free=free, place='/')}"


def looks_of(text: str) -> DiskUsage:
    looks = DiskUsage(folders=(WORK,))
    looks.take(text.encode())
    return looks


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A watch, and the looks that it reads; counts how often it was asked for them."""

    def __init__(self, text: str = "", *, ran_s: float = 0.0) -> None:
        self.clock, self.looks, self.asked = Clock(), looks_of(text), 0
        limits = DiskLimits(reserve_bytes=2 * GB, reserve_files=1000, unwatched_s=30)
        self.watch = DiskWatch(limit_bytes=16 * GB, look=self.look, limits=limits, ran_s=ran_s, clock=self.clock)

    def look(self) -> DiskUsage:
        self.asked += 1
        return self.looks

    def verdict_at(self, now: float) -> str | None:
        """Poll as a command's reader does, until a moment or a verdict."""
        while self.clock.now < now:
            self.clock.now += 0.5
            if (verdict := self.watch.verdict()) is not None:
                return verdict
        return None


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        pytest.param(figures(held=1 * GB, free=50 * GB), None, id="room enough"),
        pytest.param(figures(held=17 * GB, free=50 * GB), "workspace", id="too much"),
        pytest.param(figures(held=1 * GB, free=1 * GB), "disk", id="the disk is nearly full"),
        pytest.param(figures(held=17 * GB, free=1 * GB), "workspace", id="both: its own limit is its own fault"),
        pytest.param(left(free=1 * GB), "disk", id="what it holds could not be counted"),
        pytest.param(left(free=90 * GB) + left(free=1 * GB, place="/"), "disk", id="another disk has the root"),
        pytest.param(left(free=90 * GB, files=999), "disk", id="no more files"),
        pytest.param(left(free=90 * GB, files=0, most_files=0), None, id="a file system that counts no inodes"),
    ],
)
def test_a_look_tells_which_limit_is_passed(text: str, verdict: str | None) -> None:
    assert Watched(text).verdict_at(3.0) == verdict


@pytest.mark.parametrize(
    "text",
    [
        "held 99999999999",
        "held 99999999999 \n",
        "held -1\n",
        "held 0x7fffffffffffffff\n",
        "held 1e99\n",
        "held 99999999999 /work\n",
        " held 99999999999\n",
        "held 99999999999\r\n",
        "hold\nheld\n99999999999\n",
        "held ٣٣٣٣٣٣٣٣٣٣٣٣\n",
        "left /work 0 4096 5\n",
        "left /work 0 4096 5 5 5\n",
        "left  0 4096 5 5\n",
        "held " + "9" * 100_000 + "\n",
    ],
)
def test_what_is_no_whole_line_of_the_watchers_tells_nothing(text: str) -> None:
    looks = looks_of(text)

    assert (looks.held_count, looks.left_count, dict(looks.left)) == (0, 0, {})


def test_lines_come_in_any_pieces() -> None:
    looks = DiskUsage(folders=(WORK,))

    for byte in figures(held=3 * GB, free=50 * GB).encode():
        looks.take(bytes([byte]))

    assert (looks.held_bytes // 1024, looks.held_count, looks.left_count) == (3 * GB // 1024, 1, 1)
    assert looks.left[str(WORK)].size_bytes == 50 * GB // BLOCK_BYTES * BLOCK_BYTES


def test_a_line_without_end_is_not_kept() -> None:
    looks = DiskUsage(folders=(WORK,))

    for _ in range(1000):
        looks.take(b"9" * 10_000)

    assert len(looks._begun) < 20_000


def test_the_first_look_comes_after_two_seconds() -> None:
    watched = Watched(figures(held=99 * GB, free=0))

    assert watched.verdict_at(1.5) is None
    assert watched.asked == 0
    assert watched.verdict_at(2.0) == "workspace"


@pytest.mark.parametrize(("ran_s", "first_s"), [(0.0, 2.0), (4.0, 2.0), (5.0, 1.0), (100.0, 0.5)])
def test_many_short_commands_are_watched_after_six_seconds_together(ran_s: float, first_s: float) -> None:
    watched = Watched(figures(held=99 * GB, free=0), ran_s=ran_s)

    assert watched.verdict_at(first_s) == "workspace"
    assert watched.clock.now == first_s


@pytest.mark.parametrize(
    "still",
    [
        pytest.param("", id="nothing"),
        pytest.param("held 1\n", id="the room that is left is missing"),
        pytest.param(left(free=50 * GB) + left(free=50 * GB, place="/"), id="what it holds is missing"),
        pytest.param("held 1\n" + left(free=50 * GB), id="one disk of two is missing"),
    ],
)
def test_a_figure_that_does_not_come_is_a_verdict(still: str) -> None:
    watched = Watched()

    def look() -> DiskUsage:
        watched.looks.take(still.encode())
        return watched.looks

    watched.watch.look = look

    assert watched.verdict_at(31.5) is None
    assert watched.verdict_at(33.0) == "unwatched"


def test_figures_that_come_now_and_then_are_enough() -> None:
    watched = Watched()

    for moment in range(20, 400, 20):
        assert watched.verdict_at(moment) is None
        watched.looks.take(figures(held=1 * GB, free=50 * GB).encode())


def test_a_factory_that_was_stopped_for_an_hour_has_not_waited() -> None:
    watched = Watched(figures(held=1 * GB, free=50 * GB))
    watched.verdict_at(5.0)

    watched.clock.now += 3600

    assert watched.watch.verdict() is None
