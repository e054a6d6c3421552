"""Counts of a run, recipe by recipe; every summary is rendered from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from factory.events.model import CellRecord, Run

HEAD = ("recipe", "owed", "built", "passed", "trials", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One recipe's wheels, programs and trials: `planned` are those that its cells owe, `tried` those that passed."""

    recipe: str
    owed: int = 0
    built: int = 0
    passed: int = 0
    planned: int = 0
    tried: int = 0
    seconds: float = 0.0

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
    return reduce(_plus, counted, Tally(recipe=f"all {len(counted)}"))


def _tally(run: Run, recipe: str) -> Tally:
    cells = [cell for plan in run.plans if plan.recipe == recipe for cell in plan.cells]
    planned = Tally(recipe=recipe, owed=len(cells), planned=sum(len(cell.trials) for cell in cells))
    return reduce(_plus, (_of_record(record) for record in run.records if record.cell.recipe == recipe), planned)


def _of_record(record: CellRecord) -> Tally:
    """Count one wheel that was worked on, or the programs of one interpreter, which are built where they passed."""
    return Tally(
        recipe=record.cell.recipe,
        built=int(record.built is not None or (record.passed and not record.cell.makes_wheel)),
        passed=int(record.passed),
        tried=sum(trial.outcome == "passed" for trial in record.trials),
        seconds=sum(record.seconds.values()) + sum(trial.duration_s for trial in record.trials),
    )


def _plus(so_far: Tally, tally: Tally) -> Tally:
    return Tally(
        recipe=so_far.recipe,
        owed=so_far.owed + tally.owed,
        built=so_far.built + tally.built,
        passed=so_far.passed + tally.passed,
        planned=so_far.planned + tally.planned,
        tried=so_far.tried + tally.tried,
        seconds=so_far.seconds + tally.seconds,
    )
