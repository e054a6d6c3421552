"""A recipe with its plan and what the plan was made from."""

from dataclasses import dataclass, replace
from typing import Self

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
