"""The jobs of a run as values: what to do, the job's key, and the keys of the jobs that must pass first.

A job's `weight` is how many workers it takes. It begins `after` other jobs have ended, however they did.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from factory.events.model import CellRecord, TrialResult
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.plan.model import Cell, Trial
from factory.planned import PlannedRecipe
from factory.stages.fitting import Fitting, fitting_of, fitting_of_loader
from factory.stages.reading import Contents
from factory.tags import Interpreter


@dataclass(frozen=True, slots=True)
class ImageKey:
    """An image by its name, or a fitted image by the name of its fitting."""

    name: str

    def __str__(self) -> str:
        return f"image:{self.name}"


@dataclass(frozen=True, slots=True)
class CellKey:
    """A cell by its address."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class TrialKey:
    """A trial by its cell's address and its interpreter."""

    address: str
    interpreter: Interpreter

    def __str__(self) -> str:
        return f"{self.address}@{self.interpreter}"


Key: TypeAlias = ImageKey | CellKey | TrialKey
"""What identifies a job; as text it is the subject of the job's events and logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeImage:
    """Find, make or pull an image. If it `is_a_recipes` own, a failure is that recipe's and stops no other."""

    name: str
    is_a_recipes: bool = False
    after: tuple[CellKey, ...] = ()
    weight: int = 1

    @property
    def key(self) -> ImageKey:
        """What this job is known by."""
        return ImageKey(self.name)

    @property
    def needs(self) -> tuple[Key, ...]:
        """Nothing has to be there first."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FitImage:
    """Prepare an image as a recipe asks, or bring a toolchain or an interpreter to it."""

    fitting: Fitting
    after: tuple[ImageKey, ...] = ()
    weight: int = 1

    @property
    def key(self) -> ImageKey:
        """What this job is known by."""
        return ImageKey(self.fitting.name)

    @property
    def needs(self) -> tuple[Key, ...]:
        """The image that is fitted."""
        return (ImageKey(self.fitting.image),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryWheel:
    """Try a cell's wheel on one interpreter, in the image `image`, fitted if need be.

    `planned` has the trial's overrides applied.
    What it needs and the indexes have only as an sdist is built where the cell is, since no trial image has a compiler.
    """

    planned: PlannedRecipe
    cell: Cell
    trial: Trial
    image: str
    after: tuple[CellKey, ...] = ()
    weight: int = 1

    @property
    def key(self) -> TrialKey:
        """What this job is known by."""
        return TrialKey(self.cell.address, self.trial.interpreter)

    @property
    def needs(self) -> tuple[Key, ...]:
        """The cell's wheel, the image of the trial, and that of the build."""
        builder = _image_of(self.planned, self.cell)
        return (CellKey(self.cell.address), ImageKey(self.image), *(() if builder is None else (builder,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCell:
    """Build one cell's wheel, and let the loader of the oldest libc resolve it.

    `planned` has the cell's overrides applied; `tries` are the jobs that try the wheel. `peers` are the recipe's other
    cells that are built and judged by the same settings.
    """

    planned: PlannedRecipe
    cell: Cell
    tries: tuple[TryWheel, ...] = ()
    peers: tuple[CellKey, ...] = ()
    after: tuple[CellKey, ...] = ()
    weight: int = 1

    @property
    def key(self) -> CellKey:
        """What this job is known by."""
        return CellKey(self.cell.address)

    @property
    def image(self) -> ImageKey | None:
        """The fitted image that builds the cell; None where no image can."""
        return _image_of(self.planned, self.cell)

    @property
    def loader(self) -> ImageKey | None:
        """The image whose loader resolves the wheel; None where the plan names none."""
        fitting = fitting_of_loader(self.cell)
        return None if fitting is None else ImageKey(fitting.name)

    @property
    def needs(self) -> tuple[Key, ...]:
        """The image that builds and the one that loads."""
        return tuple(key for key in (self.image, self.loader) if key is not None)


def _image_of(planned: PlannedRecipe, cell: Cell) -> ImageKey | None:
    fitting = fitting_of(planned, cell)
    return None if fitting is None else ImageKey(fitting.name)


Job: TypeAlias = MakeImage | FitImage | BuildCell | TryWheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The outcome of a cell's build; `contents` are those of its wheel, if it passed and will be tried."""

    record: CellRecord
    contents: Contents | None = None


Outcome: TypeAlias = ReadyImage | Failure | Built | TrialResult


_BUILDING: Final = frozenset({"build", "no-interpreter", "programs"})


def worked(outcome: Outcome) -> bool:
    """Whether a job did its work whole and well, so that the time it took says something of the next run's."""
    match outcome:
        case Built(record=record):
            return record.passed and not _BUILDING.isdisjoint(record.seconds)
        case TrialResult():
            return outcome.outcome == "passed" and not outcome.from_store
        case ReadyImage():
            return True
        case _:
            return False


def passed(outcome: Outcome) -> bool:
    """Whether what needs this outcome may begin."""
    match outcome:
        case Failure():
            return False
        case Built(record=record):
            return record.passed
        case TrialResult():
            return outcome.outcome == "passed"
        case _:
            return True
