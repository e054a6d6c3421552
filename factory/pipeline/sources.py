"""From a recipe to its Order: the source taken once, read without running it, and planned."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath
from time import monotonic
from typing import assert_never

from factory.codec import JSON
from factory.digest import Artifact
from factory.engine.api import FileEntry
from factory.errors import ImageError, PlanError, SourceError
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdist:
    """A release's sdist in the store; `notes` are what people should know of it."""

    file: Artifact
    notes: tuple[str, ...] = ()


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
    tree, notes = _tree(recipe, stages, host, progress)
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
    return Order(recipe=recipe, tree=tree, project=project, plan=replace(planned, notes=(*notes, *planned.notes)))


def source_files(tree: Tree) -> Iterator[FileEntry]:
    """Yield a source tree's files as they are written into a container.

    All have one time: a file's own is in no key, and tools such as make decide by it what to do again.
    """
    for file, content in tree.contents():
        yield FileEntry(path=PurePosixPath(file.path), content=content, mode=file.mode, mtime_s=tree.epoch_s)


def _tree(recipe: Recipe, stages: Stages, host: Host, progress: Callable[[str], None]) -> tuple[Tree, tuple[str, ...]]:
    """Return the source's tree, and what people should know of where it came from."""
    match recipe.source:
        case SdistSource() as ref:
            sdist = _sdist(ref, stages, host, progress)
            with stages.store.lend(sdist.file) as path:
                return unpack(path), sdist.notes
        case PathSource() as ref:
            return read_folder(ref, host), ()
        case _:
            assert_never(recipe.source)


def _sdist(ref: SdistSource, stages: Stages, host: Host, progress: Callable[[str], None]) -> Sdist:
    inputs: dict[str, JSON] = {
        "sdist": f"{ref.name}=={ref.version}",
        "sha256": None if ref.sha256 is None else str(ref.sha256),
    }

    def make() -> Sdist:
        from factory.source.index import fetch_sdist  # noqa: PLC0415 -- reading indexes costs a start 0.6 s

        with stages.store.temp_folder() as folder:
            fetched = fetch_sdist(ref, host, folder, progress=_Download(f"{ref.name} {ref.version}", progress))
            return Sdist(file=stages.store.put_file(fetched.path, fetched.filename), notes=fetched.notes)

    return stages.surely("source", inputs, Sdist, make)


class _Download:
    """Turns counted bytes into a line of progress every two seconds: a short download says nothing."""

    _EVERY_S = 2.0

    def __init__(self, name: str, progress: Callable[[str], None]) -> None:
        self._name = name
        self._progress = progress
        self._said = monotonic()

    def __call__(self, done_bytes: int, total_bytes: int | None) -> None:
        if monotonic() - self._said >= self._EVERY_S:
            self._said = monotonic()
            whole = "" if total_bytes is None else f" of {total_bytes / 1e6:.1f}"
            self._progress(f"downloading {self._name}: {done_bytes / 1e6:.1f}{whole} MB")
