"""What wheels, packages and recipes say can neither steer a terminal nor forge a line."""

from collections.abc import Iterable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from factory.audit import Audit, Finding
from factory.catalogue import Severity
from factory.cli.errors import render_error
from factory.cli.live_board import LiveBoard
from factory.cli.plain_board import PlainBoard
from factory.errors import ImageError
from factory.events.model import CellEnded, Event, Planned, Progress, RecipeFailed, RunEnded, StepStarted, TrialResult
from factory.failure import Failure
from factory.plan.model import Skip
from factory.release import Release
from factory.report.audit import render_audit
from factory.report.plan import render_plan
from factory.report.run import render_run
from factory.report.text import styled
from factory.tags import Interpreter
from factory.terminal import plain
from tests.makers.runs import make_artifact, make_cell, make_plan, make_record, make_run

EVIL = "\x1b]0;owned\x07\x1b[2Jevil\nfactory: forged\r\x85\u2028forged [bold]\udcff"
FOUND = Finding(rule="libpython-linked", severity=Severity.ERROR, subject=EVIL, message=EVIL, evidence=(EVIL,))
JUDGED = Audit(rulings=(), findings=(FOUND,))
FAILURE = Failure(step=EVIL, message=EVIL, log=EVIL, hint=EVIL)
WHEEL = make_artifact(b"x", f"{EVIL}-1.0-cp313-cp313-manylinux_2_31_x86_64.whl")
PLAN = replace(
    make_plan(make_cell()), notes=(EVIL,), floor_source=EVIL, skips=(Skip(subject=EVIL, reason=EVIL, kind="selection"),)
)
TRIAL = TrialResult(interpreter=Interpreter(13), image="trial", outcome="failed", failure=FAILURE)
EVENTS: tuple[Event, ...] = (
    Planned(plan=PLAN),
    RecipeFailed(recipe=EVIL, message=EVIL, hint=EVIL, exit_code=3),
    StepStarted(subject=EVIL, step=EVIL, at=""),
    Progress(subject="other", text=EVIL),
    StepStarted(subject=make_cell().address, step=EVIL, at=""),
    CellEnded(record=replace(make_record("failed", wheel=WHEEL, failure=FAILURE), after=JUDGED)),
)
RUN = make_run(*EVENTS, RunEnded(at="", duration_s=1.0, containers=1))
TRIED = make_run(Planned(plan=PLAN), CellEnded(record=make_record("failed", wheel=WHEEL, trials=(TRIAL,))))
RELEASE = Release(folder=Path(EVIL), written=(EVIL,), unchanged=(), removed=(EVIL,), foreign=(EVIL,))


def printed(*parts: RenderableType) -> str:
    stream = StringIO()
    console = Console(file=stream, width=400)
    for part in parts:
        console.print(part, soft_wrap=True)
    return stream.getvalue()


def on_a_board(events: Iterable[Event]) -> str:
    stream = StringIO()
    board = PlainBoard(Console(file=stream, width=400))
    for event in events:
        board.listen(event)
    return stream.getvalue()


def on_the_live_board(events: Iterable[Event]) -> str:
    board = LiveBoard(Console(file=StringIO()))
    for event in events:
        board.listen(event)
    return printed(board)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(printed(styled(render_audit(EVIL, JUDGED))), id="audit"),
        pytest.param(printed(render_plan(PLAN)), id="plan"),
        pytest.param(printed(render_run(RUN, RELEASE)), id="run"),
        pytest.param(printed(render_run(TRIED, None)), id="run with a trial"),
        pytest.param(on_a_board(EVENTS), id="board"),
        pytest.param(on_the_live_board(EVENTS), id="live board"),
    ],
)
def test_no_escape_sequence_is_printed_and_no_line_is_forged(text: str) -> None:
    assert "evil" in text
    assert not set(text) & {"\x1b", "\x07", "\r", "\x85", "\u2028", "\udcff"}
    assert not [line for line in text.splitlines() if line.startswith(("forged", "factory: forged"))]
    assert "[bold]" in text


def test_an_error_may_have_lines_but_steers_nothing() -> None:
    text = render_error(ImageError("it could not be assembled:\n\x1b]0;owned\x07said", hint="\x1b[2Jmend it"))

    assert text == "factory: it could not be assembled:\nsaid\n  hint: mend it"


def test_plain_text_stays_as_it_is() -> None:
    assert (
        plain("  ✗ spam/cp313: a.so: needs libpython3.13.so.1.0") == "  ✗ spam/cp313: a.so: needs libpython3.13.so.1.0"
    )
