"""Readers in processes of their own: what they return, what they may take, and that they end when nobody waits."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from factory.confined import Bounds, Overrun, Reader, Readers, confined, confined_all
from factory.errors import Interrupted, SourceError

_SMALL = Bounds(memory_bytes=256 << 20, cpu_s=2, wall_s=30, answer_bytes=1 << 20)


def _hold(size_bytes: int) -> int:
    return len(bytearray(size_bytes))


def _spin() -> None:
    while True:
        pass


def _nap(seconds: float) -> str:
    time.sleep(seconds)
    return "rested"


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _leave() -> None:
    os._exit(7)


def _refuse() -> None:
    raise SourceError("no sdist", hint="fetch it again")


def _err() -> None:
    raise ZeroDivisionError("of our own making")


@pytest.fixture(params=["forked here", "forked by the process of a run"])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    if request.param == "forked here":
        yield confined
    else:
        with readers_here() as readers:
            yield readers.until(Event())


@contextmanager
def readers_here() -> Iterator[Readers]:
    """Fork readers although the session of the tests has threads: those only wait for the engine's events."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "active_count", lambda: 1)
        readers = Readers()
        readers.__enter__()
    try:
        yield readers
    finally:
        readers.__exit__(None, None, None)


def test_a_reader_returns_what_its_work_returns(reader: Reader) -> None:
    assert reader(partial(_hold, 1 << 10), _SMALL) == 1 << 10


def test_what_the_work_raises_is_raised_with_its_hint(reader: Reader) -> None:
    with pytest.raises(SourceError, match="no sdist") as caught:
        reader(_refuse, _SMALL)

    assert caught.value.hint == "fetch it again"


def test_a_fault_of_ours_comes_with_where_it_was_raised(reader: Reader) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        reader(_err, _SMALL)

    assert "in _err" in "".join(caught.value.__notes__)


OVERRUNS: dict[str, tuple[Callable[[], object], Bounds, str]] = {
    "memory": (partial(_hold, 1 << 30), _SMALL, "used more than 256 MiB of memory"),
    "a processor": (_spin, Bounds(cpu_s=1), "used more than 1 s of CPU time"),
    "time": (partial(_nap, 60), Bounds(wall_s=0.5), "took more than 0 s"),
    "an answer": (partial(bytes, 2 << 20), _SMALL, "returned more than 1 MiB"),
    "a crash": (_crash, _SMALL, "crashed (SIGSEGV)"),
    "an exit": (_leave, _SMALL, "ended with code 7"),
}


@pytest.mark.parametrize("case", OVERRUNS)
def test_what_a_reader_may_not_take_is_said(case: str, reader: Reader) -> None:
    work, bounds, reason = OVERRUNS[case]

    assert reader(work, bounds) == Overrun(reason=reason)


def test_several_pieces_of_work_are_answered_in_their_order() -> None:
    works = [(partial(_hold, size), _SMALL) for size in (1, 1 << 30, 3, 4, 5)]

    outcomes = confined_all(works, workers=2)

    assert [outcome for outcome in outcomes if not isinstance(outcome, Overrun)] == [1, 3, 4, 5]
    assert isinstance(outcomes[1], Overrun)


def test_threads_of_a_run_share_the_process_that_forks() -> None:
    answers: list[object] = []
    with readers_here() as readers:
        reader = readers.until(Event())
        threads = [Thread(target=lambda: answers.append(reader(partial(_nap, 0.2), _SMALL))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == ["rested"] * 8


def test_a_run_that_is_ended_waits_for_no_reader_and_leaves_none() -> None:
    cancelled = Event()
    with readers_here() as readers:
        Timer(0.3, cancelled.set).start()
        started = time.monotonic()
        with pytest.raises(Interrupted):
            readers.until(cancelled)(partial(_nap, 3600.25), Bounds())
    assert time.monotonic() - started < 2


_PROGRAM = """\
import os, sys, time
from factory.confined import Bounds, Readers, confined
from threading import Event

def hang():
    print(os.getpid(), flush=True)
    time.sleep(3600)

if sys.argv[1] == "here":
    confined(hang, Bounds())
else:
    Readers().until(Event())(hang, Bounds())
"""


@pytest.mark.parametrize("how", ["here", "run"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_program_that_is_ended_leaves_no_reader_behind(how: str, number: signal.Signals, tmp_path: Path) -> None:
    if (how, number) == ("here", signal.SIGKILL):
        pytest.skip("nobody is left to end it; its alarm does, in time")
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    with subprocess.Popen(
        [sys.executable, program, how], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        reader = int(child.stdout.readline())

        child.send_signal(number)

        assert child.wait(timeout=2) != 0
        _assert_gone(reader)


def _assert_gone(pid: int) -> None:
    give_up = time.monotonic() + 2
    while time.monotonic() < give_up:
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return
        if status.rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"the reader {pid} goes on")
