"""From a recipe to its Order: the source taken once, read without running it, and planned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import assert_never

from factory.codec import JSON
from factory.digest import Artifact
from factory.engine.api import FileEntry
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.pipeline.order import Order
from factory.pipeline.stages import Stages
from factory.plan.planner import plan
from factory.project.read import Choices, read_project
from factory.recipe.model import PathSource, Recipe, SdistSource
from factory.source.folder import read_folder
from factory.source.tree import Tree
from factory.source.unpack import unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a command line adds to a recipe's plan."""

    families: Sequence[str]
    today: date
    only: Sequence[str] = ()
    skip: Sequence[str] = ()


def order_of(recipe: Recipe, stages: Stages, host: Host, images: Sequence[ImageFacts], selection: Selection) -> Order:
    """Take a recipe's source, read its project, and plan it.

    Raises:
        SourceError: the source cannot be had or read.
        PlanError: what the recipe asks for by name cannot be.
        ImageError: no image serves a platform it owes.
    """
    tree = _tree(recipe, stages, host)
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
    return Order(recipe=recipe, tree=tree, project=project, plan=planned)


def source_files(tree: Tree) -> Iterator[FileEntry]:
    """Yield a source tree's files as they are written into a container."""
    for file, content in tree.contents():
        yield FileEntry(path=PurePosixPath(file.path), content=content, mode=file.mode, mtime_s=file.mtime_s)


def _tree(recipe: Recipe, stages: Stages, host: Host) -> Tree:
    match recipe.source:
        case SdistSource() as ref:
            return _sdist_tree(ref, stages, host)
        case PathSource() as ref:
            return read_folder(ref, host)
        case _:
            assert_never(recipe.source)


def _sdist_tree(ref: SdistSource, stages: Stages, host: Host) -> Tree:
    inputs: dict[str, JSON] = {
        "sdist": f"{ref.name}=={ref.version}",
        "sha256": None if ref.sha256 is None else str(ref.sha256),
    }

    def make() -> Artifact:
        from factory.source.index import fetch_sdist  # noqa: PLC0415 -- reading indexes costs a start 0.6 s

        with stages.store.temp_folder() as folder:
            fetched = fetch_sdist(ref, host, folder)
            return stages.store.put_file(fetched.path, fetched.filename)

    with stages.store.lend(stages.surely("source", inputs, Artifact, make)) as path:
        return unpack(path)
