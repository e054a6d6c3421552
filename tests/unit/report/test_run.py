"""What a person reads at the end of a run."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from factory.audit import RULES, Audit, Finding
from factory.catalogue import Severity, Waiver
from factory.events.model import CellEnded, CellRecord, Planned, Run, RunEnded, TrialResult
from factory.failure import Failure
from factory.plan.model import Cell
from factory.report.run import render_run
from factory.tags import Interpreter
from tests.makers.runs import make_artifact, make_cell, make_plan, make_record, make_run

WHEEL = make_artifact(b"x" * 2000, "spam-1.0-cp313-cp313-manylinux_2_31_x86_64.whl")
ENDED = RunEnded(at="2026-01-01T00:00:09Z", duration_s=9.0, containers=2)


def ended_run(*records: CellRecord) -> Run:
    plan = make_plan(*(record.cell for record in records))
    return make_run(Planned(plan=plan), *(CellEnded(record=record) for record in records), ENDED)


def shown(run: Run, width: int = 160) -> str:
    stream = StringIO()
    Console(width=width, file=stream, force_terminal=False).print(render_run(run, None))
    return stream.getvalue()


def test_a_wheel_that_passed_shows_its_size_and_trials() -> None:
    trial = TrialResult(interpreter=Interpreter(13), image="trial-trixie", outcome="passed")

    text = shown(ended_run(make_record(wheel=WHEEL, trials=(trial,))))

    assert "spam-1.0  cp313-cp313-manylinux_2_31_x86_64" in text
    assert "2 kB" in text
    assert "cp313✓" in text
    assert "1 of 1 owed wheel passed" in text


def test_a_failure_names_its_step_its_first_error_its_log_and_what_to_type_next() -> None:
    failure = Failure(step="build", message="spam.c:1: error: no", log="logs/spam/02-build.log")

    text = shown(ended_run(make_record("failed", failure=failure)))

    assert "build failed: spam.c:1: error: no" in text
    assert "log: .factory/runs/r1/logs/spam/02-build.log" in text
    assert "factory build recipes/spam.yml --only cp313-cp313-manylinux_2_31_x86_64 -v" in text


def test_one_failing_cell_among_good_ones_does_not_hide_them() -> None:
    bad = make_record("failed", cell=make_cell("cp311-cp311-manylinux_2_31_x86_64"))

    text = shown(ended_run(make_record(wheel=WHEEL), bad))

    assert "spam-1.0 " in text
    assert "1 of 2 owed wheels passed" in text


def test_a_run_in_which_all_came_from_the_store_says_that_nothing_changed() -> None:
    run = replace(ended_run(make_record("cached", wheel=WHEEL)), containers=0)

    assert "nothing changed: 1 wheel from the store, no container started" in shown(run)


def test_a_run_that_started_a_container_does_not_say_that_none_was() -> None:
    text = shown(replace(ended_run(make_record("cached", wheel=WHEEL)), containers=1))

    assert "no container started" not in text
    assert "1 of 1 owed wheel passed" in text


def test_no_name_is_cut_in_a_narrow_terminal() -> None:
    text = shown(ended_run(make_record(wheel=WHEEL)), width=60)

    assert "…" not in text
    assert "x86_64" in text


def test_in_a_narrow_terminal_the_platform_that_all_share_is_shown_once() -> None:
    cells = [make_cell(f"cp3{minor}-cp3{minor}-manylinux_2_31_x86_64") for minor in (11, 13)]

    lines = shown(ended_run(*(make_record("failed", cell=cell) for cell in cells)), width=80).splitlines()

    assert [line.split()[:3] for line in lines[1:3]] == [["spam", f"cp3{n}-cp3{n}", "failed"] for n in (11, 13)]
    assert lines[3] == "all tags end in -manylinux_2_31_x86_64"


def test_a_waived_error_of_a_wheel_that_passed_is_shown_as_waived() -> None:
    waiver = Waiver(rule="libpython-linked", reason="it embeds")
    found = Finding(
        rule="libpython-linked", severity=Severity.ERROR, subject="a.so", message="needs libpython", waived=waiver
    )
    record = replace(make_record(wheel=WHEEL), after=Audit(rulings=(), findings=(found,)))

    assert "  error (waived) libpython-linked: a.so: needs libpython" in shown(ended_run(record))


def test_the_flags_of_this_call_are_repeated_in_what_to_type_next() -> None:
    stream = StringIO()

    Console(width=200, file=stream).print(render_run(ended_run(make_record("failed")), None, ["-o", "my wheels"]))

    assert "--only cp313-cp313-manylinux_2_31_x86_64 -o 'my wheels' -v" in stream.getvalue()


def test_an_error_comes_with_its_mend_and_the_line_that_accepts_it() -> None:
    finding = Finding.of(RULES["static-tls"], "spam.libs/libgomp-1a2b3c4d.so.1", "has static storage")
    refused = replace(make_record("failed", wheel=WHEEL), after=Audit(rulings=(), findings=(finding,)))

    text = shown(ended_run(refused))

    assert f"fix static-tls: {RULES['static-tls'].mend}"[:60] in text
    assert 'audit: {waive: [{rule: static-tls, subject: "spam.libs/libgomp-*.so.1", reason: "say why"}]}' in text


def make_refused(cell: Cell, *findings: Finding) -> CellRecord:
    record = make_record("failed", cell=cell, wheel=make_artifact(b"x", f"spam-1.0-{cell.id}.whl"))
    return replace(record, after=Audit(rulings=(), findings=findings))


def test_findings_that_wheels_share_are_told_once_and_what_to_do_once_for_each_rule() -> None:
    def found(rule: str, subject: str) -> Finding:
        return Finding.of(RULES[rule], subject, "has static storage")

    old = make_cell("cp311-cp311-manylinux_2_31_x86_64")
    new = make_cell("cp313-cp313-manylinux_2_31_x86_64")
    odd = make_cell("cp314-cp314-manylinux_2_31_x86_64")
    records = (
        make_refused(
            old, found("static-tls", "spam/_a.cpython-311-x86_64-linux-gnu.so"), found("module-missing", "s-311.whl")
        ),
        make_refused(
            new, found("static-tls", "spam/_a.cpython-313-x86_64-linux-gnu.so"), found("module-missing", "s-313.whl")
        ),
        make_refused(odd, found("static-tls", "spam/other.so")),
    )

    text = shown(ended_run(*records))

    assert f"{old.address}, {new.address}:\n  error static-tls: spam/_a.cpython-311-" in text
    assert text.count("error static-tls: ") == 2
    assert text.count("fix static-tls: ") == 1
    assert text.count("or accept it in the recipe") == 2


def test_an_error_that_the_recipe_has_a_field_for_comes_without_a_waiver() -> None:
    finding = Finding.of(RULES["tag-unexpected"], "spam-1.0-cp39-abi3-linux_x86_64.whl", "has cp39-abi3")

    text = shown(ended_run(make_refused(make_cell(), finding)))

    assert "error tag-unexpected: has cp39-abi3" in text
    assert "fix tag-unexpected: " in text
    assert "waive" not in text


def test_a_message_that_is_all_that_was_printed_is_not_repeated() -> None:
    failure = Failure(step="build", message="error: no", last_lines=("error: no",))

    assert shown(ended_run(make_record("failed", failure=failure))).count("error: no") == 1


def test_a_failure_that_cells_share_is_told_once_with_all_of_them() -> None:
    failure = Failure(step="build", message="spam.c:1: error: no", log="logs/a/02-build.log", hint="mend it")
    other = Failure(step="build", message="spam.c:1: error: no", log="logs/b/02-build.log", hint="mend it")
    old = make_cell("cp311-cp311-manylinux_2_31_x86_64")

    text = shown(ended_run(make_record("failed", failure=failure), make_record("failed", cell=old, failure=other)))

    assert text.count("spam.c:1: error: no") == 1
    assert "the same: spam/cp311-cp311-manylinux_2_31_x86_64" in text
    assert "logs/a/02-build.log" in text


def test_failures_that_differ_are_told_apart() -> None:
    failures = [Failure(step="build", message=f"spam.c:{line}: error: no") for line in (1, 2)]
    old = make_cell("cp311-cp311-manylinux_2_31_x86_64")

    text = shown(ended_run(*map(_failed, (None, old), failures)))

    assert "spam.c:1: error: no" in text
    assert "spam.c:2: error: no" in text
    assert "the same" not in text


def _failed(cell: Cell | None, failure: Failure) -> CellRecord:
    return make_record("failed", failure=failure) if cell is None else make_record("failed", cell=cell, failure=failure)


def test_a_failure_without_a_known_cause_shows_the_last_lines_of_its_log() -> None:
    failure = Failure(step="build", message="no", last_lines=("linking", "it went wrong"))

    text = shown(ended_run(make_record("failed", failure=failure)))

    assert "  | linking\n  | it went wrong\n" in text


def test_wheels_that_were_made_anew_with_other_bytes_are_named_with_what_they_were_before() -> None:
    record = make_record(wheel=WHEEL)

    text = shown(ended_run(replace(record, unlike="unlike/spam/spam.whl")))

    assert f"not the same bytes: {record.cell.address}: before: .factory/runs/r1/unlike/spam/spam.whl" in text
    assert "not reproducible" in text
    assert "not the same bytes" not in shown(ended_run(record))
