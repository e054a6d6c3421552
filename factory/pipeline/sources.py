"""From a recipe to its Order: the source taken once, read without running it, and planned."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath

from factory.backends.settings import config_settings
from factory.engine.api import FileEntry
from factory.errors import ImageError, PlanError, SourceError
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.pipeline.order import Order
from factory.pipeline.stages import Stages
from factory.pipeline.trees import tree_of
from factory.plan.planner import plan
from factory.plan.selection import recipe_for
from factory.project.read import read_project
from factory.project.rust import Choices
from factory.recipe.model import Recipe
from factory.source.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a command line adds to a recipe's plan."""

    families: Sequence[str]
    today: date
    only: Sequence[str] = ()
    skip: Sequence[str] = ()


def order_of(
    recipe: Recipe,
    stages: Stages,
    host: Host,
    images: Sequence[ImageFacts],
    selection: Selection,
    progress: Callable[[str], None] = lambda _: None,
) -> Order:
    """Take a recipe's source, read its project, and plan it; a download of some length reports its progress.

    Raises:
        SourceError: the source cannot be had or read.
        PlanError: what the recipe asks for by name cannot be.
        ImageError: no image serves a platform it owes.
    """
    try:
        return _order(recipe, stages, host, images, selection, progress)
    except (SourceError, PlanError, ImageError) as error:
        raise error.of(recipe.file) from error


def _order(
    recipe: Recipe,
    stages: Stages,
    host: Host,
    images: Sequence[ImageFacts],
    selection: Selection,
    progress: Callable[[str], None],
) -> Order:
    tree, notes = tree_of(recipe, stages, host, progress)
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
    return Order(recipe=recipe, tree=tree, project=project, plan=replace(planned, notes=(*notes, *planned.notes)))


def source_files(tree: Tree) -> Iterator[FileEntry]:
    """Yield a source tree's files as they are written into a container.

    All have one time: a file's own is in no key, and tools such as make decide by it what to do again.
    """
    for file, content in tree.contents():
        yield FileEntry(path=PurePosixPath(file.path), content=content, mode=file.mode, mtime_s=tree.epoch_s)
