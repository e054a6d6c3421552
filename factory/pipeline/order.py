"""A recipe with everything its plan was made from: what the cells of one recipe share."""

from dataclasses import dataclass

from factory.plan.model import Plan
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.source.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A recipe, its source tree, what the tree says of itself, and the plan."""

    recipe: Recipe
    tree: Tree
    project: Project
    plan: Plan
