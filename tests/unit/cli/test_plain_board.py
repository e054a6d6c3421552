"""What a pipe or a CI log shows while a run goes on: events in, lines out."""

import re
import threading
import time
from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from factory.cli.plain_board import PlainBoard
from factory.cli.running import elapsed
from factory.events.model import (
    CellEnded,
    Event,
    ExpectedJob,
    JobEnded,
    Planned,
    Progress,
    RecipeFailed,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
    TrialResult,
    WorkStarted,
)
from factory.failure import Failure
from factory.report.forecast import Forecast
from factory.tags import Interpreter
from tests.makers.runs import make_cell, make_plan, make_record

AT = "2026-01-01T00:00:00.000Z"
P = "manylinux_2_31_x86_64"
C13 = make_cell(f"cp313-cp313-{P}")
BEGUN = RunStarted(run="r", at=AT, version="0", folder=".factory/runs/r")
OVER = RunEnded(at=AT, duration_s=2.0, containers=1)


def started(subject: str, step: str, log: str = "") -> StepStarted:
    return StepStarted(subject=subject, step=step, at=AT, log=log)


def ended(subject: str, step: str) -> StepEnded:
    return StepEnded(subject=subject, step=step, at=AT, duration_s=1.25, outcome="passed")


def plain(*events: Event) -> list[str]:
    stream = StringIO()
    with PlainBoard(Console(file=stream, width=200)) as board:
        for event in events:
            board.listen(event)
    return stream.getvalue().splitlines()


def test_in_a_pipe_each_thing_that_begins_or_ends_is_one_line() -> None:
    trial = TrialResult(interpreter=Interpreter(13), image="trial", outcome="passed")

    lines = plain(
        BEGUN,
        Planned(plan=make_plan(C13)),
        started("image:x", "image"),
        Progress(subject="image:x", text="importing 68 MB"),
        ended("image:x", "image"),
        started(C13.address, "build", "logs/spam/04-build.log"),
        ended(C13.address, "build"),
        TrialEnded(address=f"{C13.address}@cp313", trial=trial),
        CellEnded(record=make_record(cell=C13)),
        RecipeFailed(recipe="ham", message="no such release", hint="", exit_code=3),
        OVER,
    )

    assert lines == [
        "spam: 1 owed, 0 skipped",
        "image:x: image begins",
        "image:x: importing 68 MB",
        "image:x: image passed in 1.2 s",
        f"spam/cp313-cp313-{P}: build begins, log: .factory/runs/r/logs/spam/04-build.log",
        f"spam/cp313-cp313-{P}: build passed in 1.2 s",
        f"spam/cp313-cp313-{P}@cp313: passed",
        f"spam/cp313-cp313-{P}: passed",
        "ham: no such release",
    ]


def test_a_failure_in_a_pipe_names_its_step_and_its_first_error() -> None:
    failure = Failure(step="build", message="no")

    lines = plain(Planned(plan=make_plan(C13)), CellEnded(record=make_record("failed", cell=C13, failure=failure)))

    assert lines[-1] == f"spam/cp313-cp313-{P}: failed: build: no"


def test_a_steps_own_output_is_shown_line_by_line_and_cannot_move_the_cursor() -> None:
    stream = StringIO()

    PlainBoard(Console(file=stream, width=80), verbose=True).output("spam", "one\x1b[2J\rtwo [red]\n\udcffthree\n")

    assert "\x1b" not in stream.getvalue()
    assert "two [red]" in stream.getvalue()
    assert all(line.startswith("spam | ") for line in stream.getvalue().splitlines())


def test_a_steps_own_output_is_shown_only_on_request() -> None:
    stream = StringIO()

    PlainBoard(Console(file=stream, width=80)).output("spam", "one\n")

    assert stream.getvalue() == ""


EVERY_S = 0.05


class Beating:
    """A board whose minute is short, and its lines about steps that still run."""

    def __init__(self) -> None:
        self.stream = StringIO()
        self.board = PlainBoard(Console(file=self.stream, width=200), every_s=EVERY_S)

    @property
    def lines(self) -> list[str]:
        return [line for line in self.stream.getvalue().splitlines() if "still running" in line]

    def wait_for(self, count: int) -> list[str]:
        until = time.monotonic() + 10
        while len(self.lines) < count and time.monotonic() < until:
            time.sleep(EVERY_S / 5)
        return self.lines


@pytest.fixture
def beating() -> Iterator[Beating]:
    made = Beating()
    with made.board:
        made.board.listen(BEGUN)
        yield made


def test_a_step_that_takes_long_says_so_again_and_again_with_its_last_line(beating: Beating) -> None:
    beating.board.listen(started(C13.address, "build"))
    beating.board.output(C13.address, "   Compiling serde v1.0\n   Compiling pyo3 v0.26 ##[error]\n\n")

    lines = beating.wait_for(2)

    pattern = re.escape(f"{C13.address}: build still running after ") + r"\d s: Compiling pyo3 v0\.26 # #\[error\]"
    assert all(re.fullmatch(pattern, line) for line in lines[:2])


def test_a_step_that_prints_nothing_says_that_it_runs(beating: Beating) -> None:
    beating.board.listen(started("image:x", "image"))

    assert beating.wait_for(1)[0] == "image:x: image still running after 0 s"


def test_a_line_of_progress_is_the_last_line_of_its_step(beating: Beating) -> None:
    beating.board.listen(started("image:x", "image"))
    beating.board.listen(Progress(subject="image:x", text="compiling cp313t"))

    assert beating.wait_for(1)[0] == "image:x: image still running after 0 s: compiling cp313t"


def test_what_has_ended_says_nothing_more(beating: Beating) -> None:
    beating.board.listen(started("image:x", "image"))
    beating.wait_for(1)
    beating.board.listen(ended("image:x", "image"))
    before = beating.lines

    time.sleep(EVERY_S * 3)

    assert beating.lines == before


def test_after_the_run_no_thread_is_left(beating: Beating) -> None:
    assert "heartbeat" in {thread.name for thread in threading.enumerate()}

    beating.board.listen(OVER)

    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


class Pipe(StringIO):
    """A pipe whose reader may go away."""

    has_reader = True

    def write(self, text: str) -> int:
        if not self.has_reader:
            raise BrokenPipeError
        return super().write(text)


def test_where_nobody_reads_any_more_the_lines_end_and_nothing_else() -> None:
    """pytest fails the test where the thread ends by an exception; the run learns of it from its own next line."""
    pipe = Pipe()
    board = PlainBoard(Console(file=pipe, width=200), every_s=EVERY_S)
    with board:
        board.listen(BEGUN)
        board.listen(started("image:x", "image"))
        pipe.has_reader = False

        time.sleep(EVERY_S * 3)

        assert "heartbeat" not in {thread.name for thread in threading.enumerate()}
        assert not board.console.quiet


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (185, "3 min 5 s"), (7260, "2 h 1 min")]
)
def test_durations_are_written_as_people_read_them(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_once_in_a_while_it_says_what_is_left_and_what_the_rest_waits_for() -> None:
    now_s, stream = [0.0], StringIO()
    waiting = [ExpectedJob(subject=f"spam/{name}", needs=("image:y",), expected_s=90) for name in "ab"]
    jobs = (ExpectedJob(subject="image:x"), ExpectedJob(subject="image:y"), *waiting)
    board = PlainBoard(Console(file=stream, width=200), forecast=Forecast(lambda: now_s[0]))
    board.listen(Planned(plan=make_plan(C13)))
    board.listen(WorkStarted(at=AT, workers=2, jobs=jobs))

    for passed_s in (59, 1):
        now_s[0] += passed_s
        board.listen(JobEnded(subject="image:x", at=AT))

    assert stream.getvalue().splitlines()[1:] == [
        "0 of 1 wheels done, at least 1 min 30 s left, 2 jobs wait for image:y"
    ]
