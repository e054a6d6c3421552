"""Which jobs a run has, and in which order they may begin."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from factory.farm.jobs import BuildCell, CellKey, FitImage, ImageKey, Job, MakeImage, TryWheel
from factory.farm.order import Estimates, ordered
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.recipe.model import AuditSpec, BuildSpec
from factory.stages.fitting import fitting_of, fitting_of_loader, fitting_of_trial
from factory.tags import Interpreter

_ImageJob: TypeAlias = MakeImage | FitImage
_Settings: TypeAlias = tuple[BuildSpec, AuditSpec]
_NOTHING_KNOWN: Final = Estimates.of({})


def jobs_of(recipes: Sequence[PlannedRecipe], *, workers: int, estimates: Estimates = _NOTHING_KNOWN) -> list[Job]:
    """Return every job of the recipes in the order in which they begin, by how long each is expected to take.

    Before each are the jobs that make its images, if nothing needed these earlier: so the first wheel does not wait for
    images of others.
    """
    builds = [build for planned in recipes for build in _builds(planned)]
    jobs: list[_ImageJob] = [*_images(recipes, builds), *_fittings(builds)]
    images = {job.key: job for job in jobs}
    return [*_with_images(ordered(builds, estimates.assumed_s, workers=workers), images)]


def _with_images(jobs: Iterable[Job], images: dict[ImageKey, _ImageJob]) -> Iterator[Job]:
    """Yield jobs, and before each the jobs that make its images; `images` loses those."""
    for job in jobs:
        for key in (*job.needs, *job.after):
            if isinstance(key, ImageKey) and (image := images.pop(key, None)) is not None:
                yield from _with_images([image], images)
        yield job


def _builds(planned: PlannedRecipe) -> Iterator[BuildCell]:
    at = {cell.address: planned.at(cell) for cell in planned.plan.cells}
    groups = _alike(planned.plan.cells, at)
    for cell in planned.plan.cells:
        own = at[cell.address]
        tries = (
            TryWheel(planned=planned.at(cell, trial.interpreter), cell=cell, trial=trial, image=fitting.name)
            for trial in cell.trials
            if (fitting := fitting_of_trial(cell, trial)) is not None
        )
        alike = next(cells for settings, cells in groups if settings == _settings(own))
        yield BuildCell(
            planned=own,
            cell=cell,
            tries=tuple(tries),
            peers=tuple(CellKey(other.address) for other in alike if other is not cell),
            after=() if planned.has_known_tags else _first(alike, cell),
        )


def _alike(cells: Iterable[Cell], at: Mapping[str, PlannedRecipe]) -> list[tuple[_Settings, list[Cell]]]:
    """Group cells that are built and judged by the same settings, of which a recipe has few."""
    groups: list[tuple[_Settings, list[Cell]]] = []
    for cell in cells:
        settings = _settings(at[cell.address])
        group = next((cells for known, cells in groups if known == settings), None)
        if group is None:
            groups.append((settings, [cell]))
        else:
            group.append(cell)
    return groups


def _first(alike: Sequence[Cell], cell: Cell) -> tuple[CellKey, ...]:
    """Return the first cell that can be built of some that are built alike, unless it is this one."""
    first = next((other for other in alike if other.builder is not None), cell)
    return () if first is cell else (CellKey(first.address),)


def _settings(planned: PlannedRecipe) -> _Settings:
    return planned.recipe.build, planned.recipe.audit


def _images(recipes: Sequence[PlannedRecipe], builds: Sequence[BuildCell]) -> Iterator[MakeImage]:
    """Yield every image that is needed."""
    by_recipes = {pin.reference for planned in recipes for pin in planned.recipe.images.values()}
    for name in dict.fromkeys(_image_names([build.cell for build in builds])):
        if name is not None:
            yield MakeImage(name=name, is_a_recipes=name in by_recipes)


def _image_names(cells: Sequence[Cell]) -> Iterator[str | None]:
    yield from (cell.builder.image for cell in cells if cell.builder is not None)
    yield from (cell.loader for cell in cells if cell.builder is not None)
    yield from (trial.image for cell in cells for trial in cell.trials)


def _fittings(builds: Sequence[BuildCell]) -> Iterator[FitImage]:
    """Yield one job for all cells and trials that ask for the same.

    The first that brings an interpreter makes it; the others come after, so that none waits for it in a worker.
    """
    of_cells = (fitting_of(build.planned, build.cell) for build in builds)
    of_loaders = (fitting_of_loader(build.cell) for build in builds)
    of_trials = (fitting_of_trial(build.cell, trial) for build in builds for trial in build.cell.trials)
    makers: dict[Interpreter, ImageKey] = {}
    for fitting in dict.fromkeys((*of_cells, *of_loaders, *of_trials)):
        if fitting is not None and fitting.is_needed:
            maker = makers.get(fitting.interpreter) if fitting.interpreter else None
            job = FitImage(fitting=fitting, after=(maker,) if maker else ())
            if fitting.interpreter is not None:
                makers.setdefault(fitting.interpreter, job.key)
            yield job
