"""Locks of crates that a build has to keep to: their absence is known before anything is built."""

from collections.abc import Iterable

from factory.errors import PlanError
from factory.excerpt import listed
from factory.plan.model import Cell
from factory.plan.selection import recipe_for
from factory.project.model import Project
from factory.recipe.model import Recipe


def refuse_absent_locks(recipe: Recipe, project: Project, cells: Iterable[Cell]) -> None:
    """Refuse a build that has to keep to a lock which is not in the source.

    Raises:
        PlanError: a cell has to.
    """
    if project.absent_locks and any(recipe_for(recipe, cell.id).build.locked for cell in cells):
        raise PlanError(
            f"the source has no {listed(project.absent_locks)}, where cargo looks for the lock of its crates",
            hint="write build: {locked: false}: cargo then resolves the crates, and the lock that it made is kept "
            "with the run's evidence",
        )
