"""From a source to the text of its recipe, tried on the planner."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from factory.errors import FactoryError, ImageError, PlanError, SourceError
from factory.image_facts import ImageFacts
from factory.init.draft import Origin, draft
from factory.init.model import Draft, Left
from factory.init.settle import Settled, settle
from factory.init.system import IndexOf, no_index
from factory.plan.planner import plan
from factory.project.files import Files
from factory.project.model import Project
from factory.project.read import read_project

_INTERPRETERS = ("interpreters",)
_FLOOR = ("abi3", "build.floor")


def recipe_of(
    origin: Origin,
    files: Files,
    images: Sequence[ImageFacts],
    *,
    families: Sequence[str],
    file: Path,
    today: date,
    index_of: IndexOf = no_index,
) -> Settled:
    """Write a recipe for a source; where no plan can be made of it, the reason is listed with what was left out.

    `index_of` returns the package index of an image, by which system packages are guessed.

    Raises:
        ImageError: no image of these families builds for anything that can be tried here.
    """
    first = draft(origin, files, images, families=families, index_of=index_of)
    attempt = partial(_attempt, project=_project(files), images=images, families=families, file=file, today=today)
    settled = attempt(first)
    if not settled.refused:
        return settled
    possible = attempt(_without_refused_interpreters(first, attempt))
    if not possible.refused:
        return possible
    reason = Left(what="`factory plan` refuses this recipe", why=settled.refused)
    return replace(settle(replace(first, left=(reason, *first.left)), file, today), refused=settled.refused)


def _project(files: Files) -> Project | SourceError:
    try:
        return read_project(files)
    except SourceError as error:
        return error


def _attempt(
    draft: Draft,
    project: Project | SourceError,
    images: Sequence[ImageFacts],
    families: Sequence[str],
    file: Path,
    today: date,
) -> Settled:
    settled = settle(draft, file, today)
    if isinstance(project, SourceError):
        return replace(settled, refused=_message(project))
    try:
        plan(settled.recipe, project, images, families=families, today=today)
    except (PlanError, ImageError) as error:
        return replace(settled, refused=_message(error))
    return settled


def _message(error: FactoryError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _without_refused_interpreters(draft: Draft, attempt: Callable[[Draft], Settled]) -> Draft:
    """Leave out each interpreter for which alone no plan can be made, with the planner's reason."""
    names = draft.value(_INTERPRETERS)
    bare = draft.least(_FLOOR)
    refusals = {name: attempt(bare.replaced(_INTERPRETERS, (name,))).refused for name in names}
    kept = tuple(name for name in names if not refusals[name])
    left = tuple(
        Left(what=f"interpreters: {name}", why=f"`factory plan` refuses it: {why.partition('; remove it')[0]}")
        for name, why in refusals.items()
        if why and kept
    )
    return replace(draft.replaced(_INTERPRETERS, kept or names), left=(*left, *draft.left))
