"""`factory timings` as a process of its own."""

from pathlib import Path

import pytest

from factory.events.model import RunEnded, RunStarted
from factory.events.recorder import Recorder
from tests.cli.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


def record(folder: Path, name: str, at: str = "2026-01-01T00:00:00Z") -> None:
    with Recorder(folder / ".factory" / "runs" / name, lambda _: None) as recorder:
        recorder.emit(RunStarted(run=name, at=at, version="0", folder=name))
        with recorder.job("spam/b"), recorder.step("spam/b", "build") as mark:
            mark.outcome = "passed"
        recorder.emit(RunEnded(at="2126-01-01T00:00:00Z", duration_s=1.0, containers=0))


def test_the_last_run_is_drawn_unless_another_is_named(program: Program, tmp_path: Path) -> None:
    record(tmp_path, "20260101T000000Z-a")
    record(tmp_path, "20260102T000000Z-b")

    last = program("timings")
    named = program("timings", "20260101T000000Z-a", "-o", "-")
    by_path = program("timings", ".factory/runs/20260101T000000Z-a", "-o", "-")

    assert (last.code, last.stdout) == (0, "timings.html\n")
    assert "<h1>Timings of run 20260102T000000Z-b</h1>" in (tmp_path / "timings.html").read_text()
    assert "<h1>Timings of run 20260101T000000Z-a</h1>" in named.stdout
    assert by_path.stdout == named.stdout


def test_what_is_no_run_is_refused(program: Program, tmp_path: Path) -> None:
    none = program("timings")
    record(tmp_path, "20260101T000000Z-a", at="yesterday")
    other = program("timings", "nothing")
    damaged = program("timings")

    assert (none.code, other.code, damaged.code) == (2, 2, 5)
    assert "no run has left its events below .factory/runs" in none.stderr
    assert "nothing is not a run" in other.stderr
    assert "name no times" in damaged.stderr


def test_two_reports_cannot_both_go_to_stdout(program: Program) -> None:
    ended = program("build", "--json", "-", "--timings", "-")

    assert ended.code == 2
    assert "--json and --timings cannot both go to stdout" in ended.stderr
