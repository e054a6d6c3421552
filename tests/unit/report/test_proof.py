"""What was changed, noted and not tried, as it stands in every report of a run."""

from dataclasses import replace
from io import StringIO

import pytest
from packaging.tags import Tag
from rich.console import Console

from factory.events.model import CellEnded, CellRecord, Outcome, Planned, Run, TrialResult
from factory.repair import Moved, Removed, Renamed, Repair, Searched
from factory.report.plan import render_plan
from factory.report.proof import proof_lines
from factory.report.run import render_run
from factory.report.summary import render_summary
from factory.tags import Interpreter
from factory.trials.costs import ImportCost
from tests.makers.runs import make_cell, make_plan, make_record, make_run

ADDRESS = "spam/cp313-cp313-manylinux_2_31_x86_64"
OLD, NEW = (frozenset({Tag("cp313", "cp313", name)}) for name in ("linux_x86_64", "manylinux_2_31_x86_64"))
RETAGGED = Repair(grafts=(), removed=(), tags=NEW, raw_tags=OLD)


def ended(*records: CellRecord) -> Run:
    plan = make_plan(*(record.cell for record in records))
    return make_run(Planned(plan=plan), *(CellEnded(record=record) for record in records))


def make_trial(outcome: Outcome = "passed", *notes: str, unemulated: str = "", minor: int = 13) -> TrialResult:
    interpreter = Interpreter(minor)
    return TrialResult(
        interpreter=interpreter, image="trial", outcome=outcome, notes=notes, unemulated=unemulated, processor=None
    )


def proof_of(*records: CellRecord) -> list[str]:
    return list(proof_lines(ended(*records)))


def test_the_dearest_import_of_a_recipe_is_named_and_what_is_worse_than_before() -> None:
    cheap = ImportCost(module="spam", seconds=0.002, mapped_bytes=100_000, old_seconds=0.002, old_mapped_bytes=100_000)
    dear = ImportCost(
        module="spam.core", seconds=0.08, mapped_bytes=9_000_000, old_seconds=0.04, old_mapped_bytes=2_000_000
    )

    assert proof_of(make_record(trials=(replace(make_trial(), costs=(cheap, dear)),))) == [
        "imports of spam: at most 80 ms (spam.core) and 9.0 MB (spam.core)",
        (
            f"against the older release: {ADDRESS}@cp313: importing spam.core takes 80 ms, before 40 ms and maps "
            "9.0 MB, before 2.0 MB"
        ),
    ]


REPAIRS = {
    "grafts": (
        replace(
            RETAGGED,
            grafts=("spam.libs/libx-1a2b3c4d.so.1",),
            renamed=tuple(
                Renamed(member=member, what="needed", before="libx.so.1", after="libx-1a2b3c4d.so.1")
                for member in ("spam/a.so", "spam/b.so")
            ),
            searched=(Searched(member="spam/a.so", before=("/build",), after=("$ORIGIN/../spam.libs",)),),
        ),
        (
            "grafted spam.libs/libx-1a2b3c4d.so.1 for libx.so.1 of spam/a.so and 1 more; "
            "spam/a.so now looks in $ORIGIN/../spam.libs"
        ),
    ),
    "removed": (
        replace(RETAGGED, removed=(Removed(member="spam/a.so", needed="libz.so.1"),)),
        "removed the need for libz.so.1 from spam/a.so",
    ),
    "a soname": (
        replace(RETAGGED, renamed=(Renamed(member="spam/a.so", what="soname", before="", after="liba.so"),)),
        "renamed spam/a.so from no soname to liba.so",
    ),
    "moved": (
        replace(RETAGGED, moved=(Moved(member="spam-1.0.data/scripts/t", to="spam.scripts/t"),)),
        "moved spam-1.0.data/scripts/t to spam.scripts/t, and put a script that starts it in its place",
    ),
}


@pytest.mark.parametrize("case", REPAIRS)
def test_what_the_repair_did_is_listed(case: str) -> None:
    repair, expected = REPAIRS[case]

    assert proof_of(replace(make_record(), repair=repair)) == [f"repaired: {ADDRESS}: {expected}"]


def test_wheels_that_were_retagged_alone_are_counted() -> None:
    records = [
        replace(make_record(cell=make_cell(f"cp3{minor}-cp3{minor}-manylinux_2_31_x86_64")), repair=RETAGGED)
        for minor in (11, 13)
    ]

    assert proof_of(*records) == ["repaired: 2 wheels only retagged, linux_x86_64 to manylinux_2_31_x86_64"]


def test_notes_of_trials_are_shown_with_their_address() -> None:
    record = make_record(trials=(make_trial("passed", "spam --help ends with 2"),))

    assert proof_of(record) == [f"note: {ADDRESS}@cp313: spam --help ends with 2"]


def test_why_no_old_processor_was_emulated_is_shown_once() -> None:
    record = make_record(trials=(make_trial(unemulated="no qemu-user is on PATH"), make_trial(minor=14)))

    assert proof_of(record, record) == ["not run on an old processor: 2 wheels: no qemu-user is on PATH"]


def test_claimed_versions_that_nothing_tried_are_listed_everywhere() -> None:
    cell = replace(make_cell(), untried=(Interpreter(14), Interpreter(14, free_threaded=True)))
    record = make_record(cell=cell, trials=(make_trial("untried", minor=12),))
    run, shown = ended(record), StringIO()

    Console(width=200, file=shown).print(render_run(run, None))

    lines = [
        f"not tried: {ADDRESS}: cp312, which no trial image here has",
        f"not tried: {ADDRESS}: cp314 cp314t, which its tag claims and the recipe does not list",
    ]
    assert list(proof_lines(run)) == lines
    assert set(lines) <= set(shown.getvalue().splitlines())
    assert "cp314 cp314t, which its tag claims" in render_summary(run)


def test_a_plan_says_beforehand_what_will_not_be_tried() -> None:
    cell, shown = replace(make_cell(), untried=(Interpreter(12), Interpreter(14))), StringIO()

    Console(width=200, file=shown).print(render_plan(make_plan(cell)))

    assert "not tried: cp313-cp313-manylinux_2_31_x86_64: cp312 cp314" in shown.getvalue()


def test_a_wheel_that_does_not_go_out_claims_nothing() -> None:
    cell = replace(make_cell(), untried=(Interpreter(14),))

    assert proof_of(make_record("failed", cell=cell)) == []


def test_a_trial_on_the_build_image_is_told_in_the_plan_and_at_the_end() -> None:
    cell = make_cell()
    cell = replace(cell, trials=tuple(replace(trial, where_built=True) for trial in cell.trials))
    record = make_record(cell=cell, trials=(make_trial(),))

    assert proof_of(record) == [f"tried on the image that built it, with its compilers out of reach: {ADDRESS}: cp313"]
    console = Console(file=(shown := StringIO()), width=200)
    console.print(render_plan(make_plan(cell)))
    assert "cp313 (build image)" in shown.getvalue()
