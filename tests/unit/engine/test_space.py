"""When a container is looked into, and what a look means."""

import pytest

from factory.engine.space import Watch

GB = 10**9


def said(*, used: int, free: int) -> str:
    """Write what the look prints: GNU's stat and du, in bytes and kilobytes."""
    return f"free {free // 4096} 4096\n{used // 1024}\t/work\n"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make_watch(clock: Clock, answer: str, *, limit: int = 16 * GB) -> Watch:
    return Watch(limit_bytes=limit, look=lambda: answer, clock=clock, reserve_bytes=2 * GB)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        pytest.param(said(used=1 * GB, free=50 * GB), None, id="room enough"),
        pytest.param(said(used=17 * GB, free=50 * GB), "workspace", id="too much"),
        pytest.param(said(used=1 * GB, free=1 * GB), "disk", id="the disk is nearly full"),
        pytest.param(said(used=17 * GB, free=1 * GB), "workspace", id="both: its own limit is its own fault"),
        pytest.param(f"free {GB // 4096} 4096\n", "disk", id="du could say nothing"),
        pytest.param("", None, id="nothing could be started to look"),
    ],
)
def test_a_look_tells_which_limit_is_passed(answer: str, verdict: str | None) -> None:
    clock = Clock()
    watch = make_watch(clock, answer)
    clock.now = 3.0

    assert watch.verdict() == verdict


def test_a_short_command_is_never_looked_at() -> None:
    clock = Clock()
    watch = make_watch(clock, said(used=99 * GB, free=0))
    clock.now = 1.5

    assert watch.verdict() is None


def test_a_look_that_takes_long_is_not_soon_repeated() -> None:
    clock = Clock()

    def slow() -> str:
        clock.now += 4.0
        return said(used=1 * GB, free=90 * GB)

    watch = Watch(limit_bytes=16 * GB, look=slow, clock=clock, reserve_bytes=2 * GB)
    clock.now = 3.0

    watch.verdict()

    assert watch.wait_s == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("used", "free", "wait_s"),
    [(1 * GB, 90 * GB, 7.5), (15 * GB, 90 * GB, 1.0), (1 * GB, 8 * GB, 3.0), (0, 900 * GB, 8.0)],
)
def test_the_less_room_is_left_the_sooner_comes_the_next_look(used: int, free: int, wait_s: float) -> None:
    clock = Clock()
    watch = make_watch(clock, said(used=used, free=free))
    clock.now = 3.0

    watch.verdict()

    assert watch.wait_s == pytest.approx(wait_s, abs=0.01)
