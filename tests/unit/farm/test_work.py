"""What a cell's trials decide, and the run that events fold to."""

import pytest

from factory.events.fold import fold
from factory.events.model import CellEnded, Planned, RunEnded, Status, TrialResult
from factory.events.model import Outcome as TrialOutcome
from factory.failure import Failure
from factory.farm.judge import judged
from factory.tags import Interpreter
from tests.makers.runs import make_cell, make_plan, make_record, make_run


def make_trial(name: str, outcome: TrialOutcome = "passed", *, from_store: bool = False) -> TrialResult:
    failure = Failure(step="import", message="no") if outcome == "failed" else None
    return TrialResult(
        interpreter=Interpreter.parse(name), image="trial", outcome=outcome, failure=failure, from_store=from_store
    )


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        pytest.param(("passed", "passed"), "passed", id="all passed"),
        pytest.param(("passed", "failed"), "failed", id="one failed"),
        pytest.param(("passed", "untried"), "failed", id="an untried one fails the cell"),
    ],
)
def test_the_trials_decide_the_cell(outcomes: tuple[TrialOutcome, ...], status: Status) -> None:
    cell = make_cell("cp39-abi3-manylinux_2_31_x86_64", "spam", "cp39", "cp313")
    trials = tuple(make_trial(name, outcome) for name, outcome in zip(("cp39", "cp313"), outcomes, strict=True))

    assert judged(make_record(cell=cell, trials=trials), may_be_untried=frozenset()).status == status


def test_an_untried_interpreter_is_let_out_where_the_recipe_allows_it() -> None:
    record = make_record(trials=(make_trial("cp313", "untried"),))

    assert judged(record, may_be_untried={Interpreter(13)}).status == "passed"


def test_a_failed_trial_is_named_in_the_cells_failure() -> None:
    ended = judged(make_record(trials=(make_trial("cp313", "failed"),)), may_be_untried=frozenset())

    assert ended.failure == Failure(step="import", message="no")


def test_trials_are_in_the_plans_order_whatever_finished_first() -> None:
    cell = make_cell("cp39-abi3-manylinux_2_31_x86_64", "spam", "cp39", "cp313")

    ended = judged(make_record(cell=cell, trials=(make_trial("cp313"), make_trial("cp39"))), may_be_untried=frozenset())

    assert [str(trial.interpreter) for trial in ended.trials] == ["cp39", "cp313"]


def test_records_are_in_the_plans_order_when_the_run_has_ended() -> None:
    first, second = make_cell("cp311-cp311-manylinux_2_31_x86_64"), make_cell()
    ended = RunEnded(at="2026-01-01T00:00:01Z", duration_s=1.0, containers=2)

    run = make_run(
        Planned(plan=make_plan(first, second)),
        CellEnded(record=make_record(cell=second)),
        CellEnded(record=make_record(cell=first)),
        ended,
    )

    assert [record.cell for record in run.records] == [first, second]


def test_a_run_passes_only_when_every_owed_cell_has() -> None:
    cell = make_cell()
    done = CellEnded(record=make_record(cell=cell))

    assert make_run(Planned(plan=make_plan(cell)), done).passed
    assert not make_run(Planned(plan=make_plan(cell, make_cell("cp311-cp311-manylinux_2_31_x86_64"))), done).passed


def test_a_run_begins_with_its_start() -> None:
    with pytest.raises(TypeError, match="run-started"):
        fold([RunEnded(at="", duration_s=0.0, containers=0)])
