"""What a run records holds no value of `build.pass-env`, in whatever text of an event it came."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from factory import codec
from factory.audit import Audit
from factory.audit.verdict import Finding
from factory.catalogue import Severity
from factory.events.model import (
    CellEnded,
    Event,
    Planned,
    Progress,
    RecipeFailed,
    Run,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
    TrialResult,
)
from factory.events.recorder import Recorder
from factory.failure import Failure
from factory.repair import Repair, Searched
from factory.report.documents import RunDocument, render_json
from factory.report.junit import render_junit
from factory.report.run import render_run
from factory.report.summary import render_summary
from factory.tags import Interpreter
from tests.makers.runs import make_artifact, make_cell, make_plan, make_record

SECRET = 'tökèn-"4417"\\end'
CELL = make_cell()
AT = "2026-01-01T00:00:00Z"
SAID = f"it said {SECRET}!"


def finding() -> Finding:
    return Finding(rule="static-tls", severity=Severity.ERROR, subject=SAID, message=SAID, evidence=(SAID,))


def record() -> CellEnded:
    failure = Failure(step="build", message=SAID, hint=SAID, log="logs/spam/01-build.log")
    trial = TrialResult(
        interpreter=Interpreter(13),
        image="trial",
        outcome="failed",
        failure=replace(failure, step="test"),
        notes=(SAID,),
        unemulated=SAID,
    )
    audit = Audit(rulings=(), findings=(finding(),))
    repair = Repair(
        grafts=(SAID,),
        removed=(),
        renamed=(),
        searched=(Searched(member=SAID, before=(SAID,), after=()),),
        moved=(),
        rewritten=(SAID,),
        texts=(SAID,),
        tags=frozenset(),
        raw_tags=frozenset(),
    )
    wheel = make_artifact(b"wheel", f"spam-1.0-{CELL.id}.whl")
    made = make_record("failed", cell=CELL, failure=failure, built=wheel, wheel=wheel, trials=(trial,))
    return CellEnded(record=replace(made, before=audit, repair=repair, seconds={"build": 1.0}))


EVENTS: tuple[Event, ...] = (
    Planned(plan=make_plan(CELL)),
    StepStarted(subject=CELL.address, step="build", at=AT),
    Progress(subject=CELL.address, text=SAID),
    StepEnded(subject=CELL.address, step="build", at=AT, duration_s=1.0, outcome="failed"),
    TrialEnded(address=f"{CELL.address}@cp313", trial=record().record.trials[0]),
    record(),
    RecipeFailed(recipe="other", message=SAID, hint=SAID, exit_code=3),
    RunEnded(at=AT, duration_s=1.0, containers=1, stopped=SAID),
)


def record_all(folder: Path, *values: str) -> tuple[Recorder, list[Event]]:
    heard: list[Event] = []
    with Recorder(folder, heard.append) as recorder:
        recorder.emit(RunStarted(run="r1", at=AT, version="0", folder=str(folder)))
        recorder.conceal(values)
        for event in EVENTS:
            recorder.emit(event)
    return recorder, heard


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from texts(part)
    elif is_dataclass(value):
        for part in fields(value):
            yield from texts(getattr(value, part.name))


def shown(run: Run) -> str:
    stream = StringIO()
    Console(file=stream, width=200).print(render_run(run, None, []))
    return stream.getvalue()


def test_no_event_that_is_written_heard_or_folded_holds_a_value(tmp_path: Path) -> None:
    recorder, heard = record_all(tmp_path, SECRET)
    written = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]

    assert json.dumps(written, ensure_ascii=False).count("it said ***!") == json.dumps(
        [codec.dump(event) for event in EVENTS], ensure_ascii=False
    ).count("it said "), "every text is there, without the value"
    assert not [text for event in heard for text in texts(event) if SECRET in text]
    assert not [text for text in texts(recorder.run()) if SECRET in text]


@pytest.mark.parametrize("render", ["json", "junit", "summary", "board"])
def test_no_report_holds_a_value(tmp_path: Path, render: str) -> None:
    run = record_all(tmp_path, SECRET)[0].run()

    report = {
        "json": lambda: render_json(RunDocument(passed=run.passed, run=run)),
        "junit": lambda: render_junit(run),
        "summary": lambda: render_summary(run),
        "board": lambda: shown(run),
    }[render]()

    assert "***" in report.replace("\\", ""), "Markdown escapes the stars"
    for spelling in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1], "4417"):
        assert spelling not in report


def test_a_value_that_is_one_of_our_own_words_changes_no_name_by_which_events_are_joined(tmp_path: Path) -> None:
    """`build`, `failed` and a cell's name are in every run: a build that is passed such a value still has a report."""
    values = ("build", "failed", "spam", "cp313", "manylinux", "error", "2026", "logs", "trial")

    recorder, heard = record_all(tmp_path, *values)
    written = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]

    (ended,) = recorder.run().records
    assert (ended.cell, ended.status) == (CELL, "failed")
    assert ended.failure is not None
    assert (ended.failure.step, ended.failure.log) == ("build", "logs/spam/01-build.log")
    assert heard[2] == EVENTS[1]
    assert [codec.load(line["event"], type(event)) for line, event in zip(written[1:], heard[1:], strict=True)]


def test_events_of_a_run_without_values_stay_as_they_are(tmp_path: Path) -> None:
    assert record_all(tmp_path)[1][1:] == list(EVENTS)
