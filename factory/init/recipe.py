"""From a source to the text of its recipe, tried on the planner."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from factory.errors import ImageError, PlanError, SourceError
from factory.image_facts import ImageFacts
from factory.init.draft import Origin, draft
from factory.init.model import Left
from factory.init.settle import Settled, settle
from factory.plan.planner import plan
from factory.project.files import Files
from factory.project.read import read_project
from factory.recipe.model import Recipe


def recipe_of(
    origin: Origin, files: Files, images: Sequence[ImageFacts], *, families: Sequence[str], file: Path, today: date
) -> Settled:
    """Write a recipe for a source; where no plan can be made of it, the reason is listed with what was left out.

    Raises:
        ImageError: no image of these families builds for anything that can be tried here.
    """
    first = draft(origin, files, images, families=families)
    settled = settle(first, file, today)
    refused = _refused(settled.recipe, files, images, families, today)
    if not refused:
        return settled
    reason = Left(what="`factory plan` refuses this recipe", why=refused)
    return replace(settle(replace(first, left=(reason, *first.left)), file, today), refused=refused)


def _refused(recipe: Recipe, files: Files, images: Sequence[ImageFacts], families: Sequence[str], today: date) -> str:
    try:
        plan(recipe, read_project(files), images, families=families, today=today)
    except (PlanError, ImageError, SourceError) as error:
        return f"{error.message}; {error.hint}" if error.hint else error.message
    return ""
