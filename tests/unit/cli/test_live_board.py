"""What a terminal shows while a run goes on: events in, text out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from io import StringIO
from types import MappingProxyType

import pytest
from rich.console import Console

from factory.cli.live_board import LiveBoard
from factory.events.model import (
    CellEnded,
    Event,
    ExpectedJob,
    Outcome,
    Planned,
    Progress,
    RecipeFailed,
    Status,
    StepEnded,
    StepOutcome,
    StepStarted,
    TrialEnded,
    TrialResult,
    WorkStarted,
)
from factory.failure import Failure
from factory.plan.model import Cell
from factory.tags import Interpreter, PlatformTag
from tests.makers.runs import make_cell, make_plan, make_record

AT = "2026-01-01T00:00:00.000Z"
P = "manylinux_2_31_x86_64"
C11, C13 = make_cell(f"cp311-cp311-{P}"), make_cell(f"cp313-cp313-{P}")
BROKEN = Failure(step="build", message="spam.c:1: error: no such \x1b[31mthing")


def started(subject: str, step: str) -> StepStarted:
    return StepStarted(subject=subject, step=step, at=AT)


def ended(subject: str, step: str, outcome: StepOutcome = "passed") -> StepEnded:
    return StepEnded(subject=subject, step=step, at=AT, duration_s=1.25, outcome=outcome)


def planned(*cells: Cell) -> Planned:
    return Planned(plan=make_plan(*cells))


def tried(cell: Cell, interpreter: str, outcome: Outcome = "passed") -> TrialEnded:
    result = TrialResult(interpreter=Interpreter.parse(interpreter), image="trial", outcome=outcome)
    return TrialEnded(address=f"{cell.address}@{interpreter}", trial=result)


def done(cell: Cell, status: Status = "passed", failure: Failure | None = None) -> CellEnded:
    return CellEnded(record=make_record(status, cell=cell, failure=failure))


def live(
    events: Iterable[Event], *, width: int = 120, height: int = 30, printed: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Show the board as it is after these events, and after what the steps of some subjects printed."""
    stream = StringIO()
    console = Console(file=stream, width=width, height=height)
    board = LiveBoard(console)
    for event in events:
        board.listen(event)
    for subject, text in printed.items():
        board.output(subject, text)
    console.print(board)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_before_the_plan_is_known_the_work_is_shown() -> None:
    (line,) = live([started("source:spam", "source"), Progress(subject="source:spam", text="downloading: 3 of 9 MB")])

    assert line.split("  ") == ["source:spam", "source", "0 s", "downloading: 3 of 9 MB"]


def test_the_matrix_shows_what_waits_runs_and_ended_in_the_plans_order() -> None:
    rows = live([planned(C11, C13), started(C13.address, "build"), done(C11)])

    assert rows[0].split() == ["spam/cp311-cp311", "passed"]
    assert rows[1].split() == ["spam/cp313-cp313", "▶", "build", "0", "s"]
    assert rows[2] == f"1 of 2 wheels done, 0 s, {P}"


def test_between_two_steps_a_row_keeps_the_last_instead_of_waiting_again() -> None:
    rows = live([planned(C13), started(C13.address, "build"), ended(C13.address, "build")])

    assert rows[0].split() == ["spam/cp313-cp313", "build"]


def test_trials_that_run_and_that_ended_stand_in_their_cells_row() -> None:
    cell = make_cell(f"cp38-abi3-{P}".replace("cp38", "cp39"), "spam", "cp39", "cp311", "cp313")
    address = cell.address

    rows = live(
        [
            planned(cell),
            tried(cell, "cp39"),
            started(f"{address}@cp311", "install"),
            started(f"{address}@cp313", "container"),
        ]
    )

    assert rows[0].split() == ["spam/cp39-abi3", "▶", "@cp311", "install", "+1", "cp39✓", "0", "s"]


def test_cells_of_several_platforms_keep_their_whole_ids() -> None:
    other = replace(make_cell("cp313-cp313-musllinux_1_2_x86_64"), platform=PlatformTag.parse("musllinux_1_2_x86_64"))

    rows = live([planned(C13, other)])

    assert rows[0].split()[0] == f"spam/cp313-cp313-{P}"
    assert rows[2] == "0 of 2 wheels done, 0 s"


CMAKE = "[1/2] Building CXX object src/spam.dir/spam.cpp.o\n[2/2] Linking \x1b[31mspam\u202e.so\n\n"


def test_each_step_shows_the_last_line_that_it_printed_and_no_terminal_obeys_it() -> None:
    events: list[Event] = [planned(C13), started(C13.address, "build"), started("image:x", "packages")]

    work, matrix, _ = live(events, printed={C13.address: CMAKE, "image:x": "Get:1 libffi-dev\n"})

    assert work.split("  ") == ["image:x", "packages", "0 s", "Get:1 libffi-dev"]
    assert matrix.split("  ") == ["spam/cp313-cp313", "▶ build", "0 s", "[2/2] Linking spam.so"]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_last_line_gives_way_to_what_stands_before_it(width: int) -> None:
    events: list[Event] = [planned(C11, C13), started(C11.address, "build"), started(C13.address, "build")]

    rows = live(events, width=width, printed={C11.address: "gcc -c spam.c " * 40, C13.address: "a\n"})

    assert [len(row) <= width for row in rows] == [True, True, True]
    assert rows[0].startswith("spam/cp311-cp311  ▶ build  0 s  ")
    assert rows[0].endswith("…")
    assert rows[1] == "spam/cp313-cp313  ▶ build  0 s  a"


def test_a_new_step_does_not_show_what_the_last_one_printed() -> None:
    board = LiveBoard(Console(file=StringIO(), width=120))
    board.listen(planned(C13))
    board.listen(started(C13.address, "build"))
    board.output(C13.address, "compiled\n")

    board.listen(ended(C13.address, "build"))
    board.listen(started(C13.address, "repair"))

    with board.console.capture() as shown:
        board.console.print(board)
    assert shown.get().splitlines()[0].split() == ["spam/cp313-cp313", "▶", "repair", "0", "s"]


def test_failures_are_pinned_above_the_matrix() -> None:
    bad = RecipeFailed(recipe="ham", message="no such release", hint="", exit_code=3)

    rows = live([bad, planned(C11, C13), done(C11, "failed", BROKEN), started(C13.address, "build")])

    assert rows[0] == "✗ ham: no such release"
    assert rows[1].startswith("✗ spam/cp311-cp311: build: spam.c:1: error")
    assert rows[2].split() == ["spam/cp311-cp311", "failed"]


def test_a_warning_of_the_engine_stays_in_sight() -> None:
    rows = live([Progress(subject="engine", text="warning: no filter"), planned(C11), done(C11)])

    assert rows[0] == "engine: warning: no filter"


def test_a_failure_that_cells_share_is_pinned_once() -> None:
    rows = live([planned(C11, C13), done(C11, "failed", BROKEN), done(C13, "failed", BROKEN)])

    assert rows[0] == "✗ spam/cp311-cp311 and 1 more: build: spam.c:1: error: no such thing"
    assert rows[1].split() == ["spam/cp311-cp311", "failed"]


@pytest.mark.parametrize(("width", "height"), [(60, 15), (40, 8), (200, 50)])
def test_the_board_never_outgrows_the_terminal_and_what_runs_stays_in_sight(width: int, height: int) -> None:
    cells = [
        make_cell(f"cp3{minor}-cp3{minor}-{P}", name) for name in ("ham", "spam", "eggs") for minor in range(9, 15)
    ]
    events: list[Event] = [planned(*cells), started("image:lookalike-manylinux_2_31_x86_64", "image")]
    events += [done(cell, "failed", replace(BROKEN, message=f"an error of {cell.id} " * 20)) for cell in cells[:8]]
    events += [started(cells[-1].address, "build")]

    rows = live(events, width=width, height=height)

    assert len(rows) <= height
    assert max(map(len, rows)) <= width
    assert any(row.startswith("eggs/cp314-cp314  ▶ build") for row in rows)
    assert rows[-1].startswith("8 of 18 wheels done")
    assert ("not shown" in rows[-1]) == (height < 50)


def test_a_row_that_waits_says_for_what_and_the_last_line_how_long_the_rest_takes() -> None:
    jobs = (
        ExpectedJob(subject="image:x", expected_s=5),
        ExpectedJob(subject=C11.address, expected_s=60),
        ExpectedJob(subject=C13.address, needs=("image:x",), expected_s=600),
    )

    rows = live([planned(C11, C13), WorkStarted(at=AT, workers=2, jobs=jobs)])

    assert rows[0].split() == ["spam/cp311-cp311", "waiting", "for", "a", "worker"]
    assert rows[1].split() == ["spam/cp313-cp313", "waiting", "for", "image:x"]
    assert rows[2] == f"0 of 2 wheels done, 0 s, about 10 min 5 s left, {P}"
