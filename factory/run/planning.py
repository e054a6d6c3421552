"""From a recipe to its PlannedRecipe: the source taken once, read without running it, and planned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from factory.backends.settings import config_settings
from factory.errors import ImageError, PlanError, SourceError
from factory.image_facts import ImageFacts
from factory.plan.planner import plan
from factory.plan.selection import recipe_for
from factory.planned import PlannedRecipe
from factory.project.read import read_project
from factory.project.rust import Choices
from factory.recipe.model import Recipe
from factory.sessions.sources import SourceServices
from factory.stages.source import tree_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a command line adds to a recipe's plan."""

    families: Sequence[str]
    today: date
    only: Sequence[str] = ()
    skip: Sequence[str] = ()


def plan_recipe(
    recipe: Recipe, services: SourceServices, images: Sequence[ImageFacts], selection: Selection
) -> PlannedRecipe:
    """Take a recipe's source, read its project, and plan it; a download of some length reports its progress.

    Raises:
        SourceError: the source cannot be had or read.
        PlanError: what the recipe asks for by name cannot be.
        ImageError: no image serves a platform it owes.
    """
    try:
        return _planned(recipe, services, images, selection)
    except (SourceError, PlanError, ImageError) as error:
        raise error.of(recipe.file) from error


def _planned(
    recipe: Recipe, services: SourceServices, images: Sequence[ImageFacts], selection: Selection
) -> PlannedRecipe:
    tree, notes = tree_of(recipe, services)
    build = recipe.build
    choices = Choices(
        backend=build.backend,
        manifest=build.manifest,
        features=build.features,
        default_features=build.default_features,
    )
    project = read_project(tree, recipe.source.subdir, choices=choices)
    planned = plan(
        recipe,
        project,
        images,
        families=selection.families,
        today=selection.today,
        only=selection.only,
        skip=selection.skip,
    )
    for cell in planned.cells:  # what the backend cannot honour is said before any work
        config_settings(recipe_for(recipe, cell.id).build, project, cell.floor)
    return PlannedRecipe(
        recipe=recipe, tree=tree, project=project, plan=replace(planned, notes=(*notes, *planned.notes))
    )
