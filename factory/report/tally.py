"""A run counted by recipe: what was owed, built, tried and passed. Every summary is rendered from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from factory.events.model import Run

HEAD = ("recipe", "owed", "built", "passed", "trials", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One recipe's wheels and trials; `planned` trials are those that its cells owe, `tried` those that passed."""

    recipe: str
    owed: int
    built: int
    passed: int
    planned: int
    tried: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether everything owed passed."""
        return self.passed == self.owed

    @property
    def cells(self) -> tuple[str, ...]:
        """Its row, in the order of HEAD."""
        counts = (self.owed, self.built, self.passed)
        return (self.recipe, *map(str, counts), f"{self.tried} of {self.planned}", f"{self.seconds:.1f}")


def tallies(run: Run) -> tuple[Tally, ...]:
    """Count every planned recipe, in the order of the plans."""
    return tuple(_tally(run, plan.recipe) for plan in run.plans)


def total(counted: Sequence[Tally]) -> Tally:
    """Add recipes up."""
    return Tally(
        recipe=f"all {len(counted)}",
        owed=sum(one.owed for one in counted),
        built=sum(one.built for one in counted),
        passed=sum(one.passed for one in counted),
        planned=sum(one.planned for one in counted),
        tried=sum(one.tried for one in counted),
        seconds=sum(one.seconds for one in counted),
    )


def _tally(run: Run, recipe: str) -> Tally:
    cells = [cell for plan in run.plans if plan.recipe == recipe for cell in plan.cells]
    records = [record for record in run.records if record.cell.recipe == recipe]
    trials = [trial for record in records for trial in record.trials]
    return Tally(
        recipe=recipe,
        owed=len(cells),
        built=sum(record.built is not None for record in records),
        passed=sum(record.passed for record in records),
        planned=sum(len(cell.trials) for cell in cells),
        tried=sum(trial.outcome == "passed" for trial in trials),
        seconds=sum(sum(record.seconds.values()) for record in records) + sum(trial.duration_s for trial in trials),
    )
