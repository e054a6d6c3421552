"""A recipe with its plan and what the plan was made from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from factory.plan.floors import unknown_tags
from factory.plan.model import Cell, Plan
from factory.plan.selection import recipe_for
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.source.tree import Tree
from factory.tags import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRecipe:
    """A recipe, its source tree, what the tree says of itself, and the plan."""

    recipe: Recipe
    tree: Tree
    project: Project
    plan: Plan

    def at(self, cell: Cell, interpreter: Interpreter | None = None) -> Self:
        """Return the same with the recipe's overrides for a cell, or for its trial on an interpreter, applied."""
        return replace(self, recipe=recipe_for(self.recipe, cell.id, interpreter))

    @property
    def has_known_tags(self) -> bool:
        """Whether the recipe or the source states how wheels are tagged, so that it is known before one is built."""
        return unknown_tags(self.recipe, self.project) is None


def lacking_images(planned: PlannedRecipe) -> Iterator[str]:
    """Say for which cells and trials no image has the interpreter, so that a run would fail."""
    for cell in planned.plan.cells:
        if cell.builder is None:
            yield f"{cell.address}: no image here has the interpreter to build it"
            continue
        for trial in cell.trials:
            if trial.image is None and planned.at(cell, trial.interpreter).recipe.test.untried != "allow":
                why = cell.untried_reason or f"no image here has {trial.interpreter}"
                yield f"{cell.address}@{trial.interpreter}: {why} to try it"
