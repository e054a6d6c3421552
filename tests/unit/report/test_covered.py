"""What the end of a run says of who gets its wheels."""

from factory.events.model import CellEnded, Planned
from factory.report.covered import covered_lines
from tests.makers.runs import make_artifact, make_cell, make_plan, make_record, make_run


def test_the_interpreters_that_get_a_wheel_that_passed_are_named_and_those_that_get_none() -> None:
    old, new = make_cell("cp311-cp311-manylinux_2_34_x86_64"), make_cell("cp313-cp313-manylinux_2_34_x86_64")
    wheel = make_artifact(b"x", "spam-1.0-cp313-cp313-manylinux_2_34_x86_64.whl")
    records = (make_record("failed", cell=old), make_record(cell=new, wheel=wheel))

    run = make_run(Planned(plan=make_plan(old, new)), *(CellEnded(record=record) for record in records))

    (text,) = covered_lines(run)
    assert text.startswith("spam 1.0 on x86_64, glibc 2.34 to 2.41: a wheel for 3.13; none for 3.9, 3.10, 3.11, 3.12, ")


def test_a_run_without_a_good_wheel_says_nothing_of_it() -> None:
    assert list(covered_lines(make_run(CellEnded(record=make_record("failed"))))) == []
