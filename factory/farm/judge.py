"""Decide by its trials whether a cell's wheel passes."""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from factory.events.model import CellRecord, Outcome, Status, TrialResult
from factory.failure import Failure
from factory.plan.model import Trial
from factory.tags import Interpreter


def judged(record: CellRecord, *, may_be_untried: AbstractSet[Interpreter]) -> CellRecord:
    """Return a cell's record with the status that its trials give it, and with its trials in the plan's order."""
    order = [trial.interpreter for trial in record.cell.trials]
    trials = tuple(sorted(record.trials, key=lambda trial: order.index(trial.interpreter)))
    record = replace(record, trials=trials)
    if not record.passed:
        return record
    bad = next((trial for trial in trials if not _is_fine(trial, may_be_untried)), None)
    if bad is not None:
        failure = bad.failure or Failure(
            step=f"trial on {bad.interpreter}",
            message=bad.reason or f"no image here has {bad.interpreter}",
            hint="to release the wheel untried on it, set test: {untried: allow}",
        )
        status: Status = "blocked" if bad.outcome == "blocked" else failure.ended
        return replace(record, status=status, failure=failure)
    from_store = record.from_store and all(trial.from_store or trial.outcome == "untried" for trial in trials)
    return replace(record, status="cached" if from_store else "passed")


def _is_fine(trial: TrialResult, may_be_untried: AbstractSet[Interpreter]) -> bool:
    return trial.outcome == "passed" or (trial.outcome == "untried" and trial.interpreter in may_be_untried)


def untouched(trial: Trial, outcome: Outcome, reason: str = "") -> TrialResult:
    """Return the result of a trial that did not begin."""
    return TrialResult(interpreter=trial.interpreter, image=trial.image, outcome=outcome, reason=reason)
