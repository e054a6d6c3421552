"""A run as a CI server reads it."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from factory.events.model import CellEnded, CellRecord, Planned, RecipeFailed, Run, RunEnded, TrialResult
from factory.failure import Failure
from factory.report.junit import render_junit
from factory.tags import Interpreter
from tests.makers.runs import make_cell, make_plan, make_record, make_run

ENDED = RunEnded(at="2026-01-01T00:00:09Z", duration_s=9.0, containers=2)
OLD, NEW = make_cell("cp311-cp311-manylinux_2_31_x86_64"), make_cell("cp313-cp313-manylinux_2_31_x86_64")


def make_trial(outcome: str, message: str = "") -> TrialResult:
    failure = Failure(step="test", message=message, log="logs/t.log", hint="mend it") if message else None
    return TrialResult(interpreter=Interpreter(13), image="trial", outcome=outcome, failure=failure)  # type: ignore[arg-type]  # the test says which


def ended_run(*records: CellRecord) -> Run:
    plan = make_plan(OLD, NEW)
    return make_run(Planned(plan=plan), *(CellEnded(record=record) for record in records), ENDED)


def cases(run: Run) -> dict[str, tuple[str, str | None]]:
    """Return every test case as a reader of another kind sees it: its result's element, and the text in it."""
    root = ET.fromstring(render_junit(run).encode())
    found = {}
    for case in root.iter("testcase"):
        (result, *more) = [*case] or [None]
        assert not more
        found[f"{case.get('classname')}/{case.get('name')}"] = (
            ("passed", None) if result is None else (result.tag, result.text)
        )
    return found


def test_each_cell_and_each_trial_is_a_case() -> None:
    bad = make_trial("failed", "assert 1 == 2")

    found = cases(
        ended_run(make_record(cell=OLD, trials=(make_trial("passed"),)), make_record("failed", cell=NEW, trials=(bad,)))
    )

    assert found == {
        f"spam/{OLD.id}": ("passed", None),
        f"spam/{OLD.id}@cp313": ("passed", None),
        f"spam/{NEW.id}": ("passed", None),
        f"spam/{NEW.id}@cp313": (
            "failure",
            "test failed: assert 1 == 2\nlog: .factory/runs/r1/logs/t.log\nhint: mend it",
        ),
    }


def test_what_a_trial_noted_is_its_output() -> None:
    trial = replace(make_trial("passed"), notes=("spam --help ends with 2",), unemulated="no qemu-user is on PATH")

    root = ET.fromstring(render_junit(ended_run(make_record(cell=OLD, trials=(trial,)))).encode())

    assert [output.text for output in root.iter("system-out")] == [
        "spam --help ends with 2\nnot run on an old processor: no qemu-user is on PATH"
    ]


def test_a_build_that_failed_is_a_failure_and_one_that_was_lost_or_never_begun_an_error() -> None:
    failure = Failure(step="build", message="spam.c:1: error", log="logs/b.log")
    blocked = (make_trial("blocked"),)

    found = cases(ended_run(make_record("failed", cell=OLD, failure=failure, trials=blocked)))
    lost = cases(ended_run(make_record("lost", cell=OLD), make_record("unbuildable", cell=NEW)))

    assert found[f"spam/{OLD.id}"] == ("failure", "build failed: spam.c:1: error\nlog: .factory/runs/r1/logs/b.log")
    assert found[f"spam/{OLD.id}@cp313"][0] == "skipped"
    assert found[f"spam/{NEW.id}"] == ("error", None)
    assert [lost[f"spam/{cell.id}"][0] for cell in (OLD, NEW)] == ["error", "error"]


def test_an_untried_interpreter_is_skipped_only_where_the_wheel_may_go_out() -> None:
    untried = (make_trial("untried"),)

    found = cases(
        ended_run(make_record(cell=OLD, trials=untried), make_record("failed", cell=NEW, trials=untried)),
    )

    assert [found[f"spam/{cell.id}@cp313"][0] for cell in (OLD, NEW)] == ["skipped", "error"]


def test_a_recipe_that_could_not_be_read_is_an_error() -> None:
    bad = RecipeFailed(recipe="eggs", message="eggs.yaml has a problem", hint="mend it", exit_code=2)

    found = cases(make_run(bad, ENDED))

    assert found == {"recipes/eggs": ("error", "eggs.yaml has a problem\nhint: mend it")}


def test_the_counts_are_those_of_the_cases() -> None:
    run = ended_run(make_record(cell=OLD), make_record("failed", cell=NEW, failure=Failure(step="build", message="no")))

    read = JUnitXml.fromstring(render_junit(run).encode())

    assert (read.tests, read.failures, read.errors, read.skipped) == (2, 1, 0, 0)


@given(st.text())
def test_no_text_of_a_package_breaks_the_document(text: str) -> None:
    run = ended_run(make_record("failed", cell=OLD, failure=Failure(step=text, message=text, log=text, hint=text)))

    assert cases(run)[f"spam/{OLD.id}"][0] == "failure"
