"""Turn the outcomes of jobs into the records of cells, which are complete when the last trial has ended."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from factory.events.model import CellEnded, CellRecord, Outcome, Status, TrialEnded, TrialResult
from factory.events.recorder import Recorder
from factory.farm import jobs
from factory.farm.jobs import BuildCell, Built, Job, TryWheel
from factory.farm.judge import judged, untouched
from factory.tags import Interpreter


@dataclass(slots=True, kw_only=True)
class Records:
    """The records of cells, which become events when they are complete. One thread takes all outcomes.

    What fails because the run is being ended counts as never begun, and is not recorded.
    """

    recorder: Recorder
    is_cancelled: Callable[[], bool]
    _incomplete: dict[str, tuple[BuildCell, CellRecord]] = field(default_factory=dict)  # by the cell's address

    def take(self, job: Job, outcome: jobs.Outcome) -> None:
        """Record the outcome of a job."""
        match job, outcome:
            case BuildCell(), Built(record=record):
                if not self._is_interrupted(record.status):
                    self._add(job, _begun(job, record))
            case TryWheel(), TrialResult():
                # A cell that could not be built has its trials already, as blocked ones.
                if job.cell.address in self._incomplete and not self._is_interrupted(outcome.outcome):
                    self._add_trial(job, outcome)
            case _:
                return

    def _add_trial(self, job: TryWheel, result: TrialResult) -> None:
        self.recorder.emit(TrialEnded(address=str(job.key), trial=result))
        build, record = self._incomplete[job.cell.address]
        self._add(build, replace(record, trials=(*record.trials, result)))

    def _add(self, build: BuildCell, record: CellRecord) -> None:
        address = build.cell.address
        if len(record.trials) < len(build.cell.trials):
            self._incomplete[address] = (build, record)
            return
        self._incomplete.pop(address, None)
        self.recorder.emit(CellEnded(record=judged(record, may_be_untried=_may_be_untried(build))))

    def _is_interrupted(self, outcome: Status | Outcome) -> bool:
        return outcome in ("lost", "error") and self.is_cancelled()


def _begun(job: BuildCell, record: CellRecord) -> CellRecord:
    """Add the trials that will not begin: all of them if there is no wheel to try, otherwise those without an image."""
    if not record.passed:
        return replace(record, trials=tuple(untouched(trial, "blocked") for trial in job.cell.trials))
    untried = (trial for trial in job.cell.trials if trial.image is None)
    return replace(record, trials=tuple(untouched(trial, "untried", job.cell.untried_reason) for trial in untried))


def _may_be_untried(job: BuildCell) -> frozenset[Interpreter]:
    """Return the interpreters on which the recipe allows the wheel to be untried."""
    interpreters = (trial.interpreter for trial in job.cell.trials)
    at = job.planned.at
    return frozenset(name for name in interpreters if at(job.cell, name).recipe.test.untried == "allow")
