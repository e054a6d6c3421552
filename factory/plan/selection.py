"""Globs over cells: the recipe's skip rules, and the command line's `--only` and `--skip`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from packaging.utils import NormalizedName

from factory.errors import PlanError, Problem
from factory.plan.model import Plan
from factory.recipe.model import Recipe, SkipRule
from factory.recipe.overriding import overridden
from factory.tags import Interpreter

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def matches(select: str, recipe: NormalizedName, cell_id: str) -> bool:
    """Tell whether a selector matches a cell: a glob over ids, or over addresses when it contains a slash.

    The free-threaded `cp314-cp314t-…` answers to `cp314t-…` as well: that is how recipes name the interpreter.
    """
    python, abi, platform = cell_id.split("-")
    ids = (cell_id, f"{abi}-{platform}") if abi == f"{python}t" else (cell_id,)
    return any(fnmatchcase(f"{recipe}/{name}" if "/" in select else name, select) for name in ids)


def recipe_for(recipe: Recipe, cell_id: str, interpreter: Interpreter | None = None) -> Recipe:
    """Return the recipe as its overrides make it for a cell, or for the cell's trial on an interpreter.

    Applying it twice gives the same as applying it once.
    """
    trial = "" if interpreter is None else f"{cell_id}@{interpreter}"
    for override in recipe.overrides:
        if _means(override.select, recipe.name, cell_id, trial):
            recipe = overridden(recipe, override)
    return recipe


def _means(select: str, recipe: NormalizedName, cell_id: str, trial: str) -> bool:
    """Tell whether an override is for a cell, or with an `@` in its selector for the trial."""
    subject = trial if "@" in select else cell_id
    return bool(subject) and matches(select, recipe, subject)


def rule_for(rules: Sequence[SkipRule], recipe: NormalizedName, cell_id: str, today: date) -> SkipRule | None:
    """Return the first skip rule in force that matches a cell."""
    return next((rule for rule in rules if in_force(rule, today) and matches(rule.select, recipe, cell_id)), None)


def in_force(rule: SkipRule, today: date) -> bool:
    """Tell whether a rule still applies: through the day it names."""
    return rule.until is None or today <= rule.until


def left_out(recipe: NormalizedName, cell_id: str, only: Sequence[str], skip: Sequence[str]) -> str:
    """Return why the command line leaves a cell out, empty where it does not."""
    named = next((select for select in skip if matches(select, recipe, cell_id)), None)
    if named is not None:
        return f"--skip {named}"
    if only and not any(matches(select, recipe, cell_id) for select in only):
        return f"not among --only {' '.join(only)}"
    return ""


class NothingSelectedError(PlanError):
    """Plans that together have no cell; `skips` are their cells by address, with the reason for each."""

    def __init__(
        self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = (), skips: Mapping[str, str] = _NONE
    ) -> None:
        """Keep the cells besides the clause."""
        super().__init__(message, hint=hint, problems=problems)
        self.skips = skips


def refuse_nothing(plans: Iterable[Plan]) -> None:
    """Refuse plans that together have no cell.

    Raises:
        NothingSelectedError: there is nothing to build.
    """
    every = list(plans)
    if any(plan.cells for plan in every):
        return
    skips = {f"{plan.recipe}/{skip.subject}": skip.reason for plan in every for skip in plan.skips}
    said = [f"{address}: {reason}" for address, reason in skips.items()]
    hint = "; ".join(said[:3]) or "the recipe lists no interpreter"
    raise NothingSelectedError("nothing is selected", hint=hint, skips=MappingProxyType(skips))
