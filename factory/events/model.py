"""The run as frozen values: what happened to each cell, and the events it is folded from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from factory.audit import Audit
from factory.codec import ABSENT
from factory.comparison.changes import Comparison
from factory.digest import Artifact, Digest
from factory.excerpt import cut, few
from factory.failure import Failure
from factory.memory import Material
from factory.plan.model import Cell, Plan
from factory.repair import Repair
from factory.tags import Interpreter
from factory.trials.costs import ImportCost

Status = Literal["passed", "cached", "failed", "lost", "timeout", "blocked", "unbuildable", "error"]
Outcome = Literal["passed", "failed", "timeout", "lost", "untried", "blocked", "error"]
StepOutcome = Literal["passed", "failed", "timeout", "lost"]

GOOD: frozenset[Status] = frozenset({"passed", "cached"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """The result of one trial of a wheel.

    `notes` are remarks that fail no wheel. `from_source` are the releases of its requirements that were built of their
    sdists. `processor` is the old processor on which the modules were imported once
    more. Where they were not it is None and `unemulated` says why, except that only the trial on the oldest interpreter
    emulates at all. `emulated` is the machine that QEMU emulated, where the wheel is another machine's. `reason` says
    why a wheel is untried although an image has the interpreter. `costs` are those of its imports. `materials` are the
    remembered results; none after a failure.
    """

    interpreter: Interpreter
    image: str | None
    outcome: Outcome
    failure: Failure | None = None
    duration_s: float = 0.0
    from_store: bool = False
    notes: tuple[str, ...] = ()
    processor: str | None = None
    unemulated: str = ""
    from_source: tuple[str, ...] = ()
    emulated: str | None = field(default=None, metadata={ABSENT: True})
    reason: str = field(default="", metadata={ABSENT: True})
    costs: tuple[ImportCost, ...] = field(default=(), metadata={ABSENT: True})
    materials: tuple[Material, ...] = field(default=(), metadata={ABSENT: True})

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", few(self.notes))
        object.__setattr__(self, "unemulated", cut(self.unemulated))


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLock:
    """A lock that cargo made for a build, because the recipe says `locked: false`.

    `path` is where cargo reads it in the source, `file` where it lies in the run's folder. It pins `crates`, of which
    `kept` are as in the source's own lock; None where the source has none.
    """

    path: str
    file: str
    crates: int
    kept: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRecord:
    """What happened to one cell. `built` is the raw wheel, `wheel` the repaired one; both lie in the store.

    `seconds` maps the names of steps to how long they took; it is empty where everything came from the store.
    `materials` are the results that the wheel was made of, in the order in which they were first used.
    `locks` are those that cargo made, `from_source` the releases of build requirements that were built of their sdists.
    `rust` is the release of the Rust project that compiled, where one was brought.
    `unlike` is where in the run's folder the raw wheel lies that an earlier run built of the same inputs, where
    `--no-cache` has made other bytes of them.
    """

    cell: Cell
    status: Status
    failure: Failure | None = None
    built: Artifact | None = None
    before: Audit | None = None
    repair: Repair | None = None
    wheel: Artifact | None = None
    after: Audit | None = None
    trials: tuple[TrialResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    from_store: bool = False
    materials: tuple[Material, ...] = ()
    locks: tuple[MadeLock, ...] = ()
    from_source: tuple[str, ...] = ()
    against: Comparison | None = field(default=None, metadata={ABSENT: True})
    rust: str | None = field(default=None, metadata={ABSENT: True})
    unlike: str = field(default="", metadata={ABSENT: True})

    @property
    def passed(self) -> bool:
        """Whether the wheel may leave the factory."""
        return self.status in GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began: its id, the factory's version, and the folder of its evidence.

    `fresh` is whether it does all work again, `update` whether it asks indexes and servers again.
    """

    run: str
    at: str
    version: str
    folder: str
    fresh: bool = field(default=False, metadata={ABSENT: True})
    update: bool = field(default=False, metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A recipe's plan is known."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedJob:
    """A job that a run will carry out: its subject, those of the jobs that must end first, and how long it took last.

    `expected_s` is what others of its recipe took where it was never done; None where there are none, either.
    """

    subject: str
    needs: tuple[str, ...] = ()
    expected_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkStarted:
    """All recipes are planned, and `jobs` begin in their order, as many at once as there are `workers`."""

    at: str
    workers: int
    jobs: tuple[ExpectedJob, ...] = field(default=(), metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """A worker began a job; its subject is the address of a cell or a trial, or `image:NAME`."""

    subject: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded:
    """A worker ended a job, however that went."""

    subject: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step began; its subject is the address of a cell or a trial, or something that cells share: `image:NAME`.

    `log` is the path, in the run's folder, of the log to which its command's output is written while it runs.
    """

    subject: str
    step: str
    at: str
    log: str = field(default="", metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step ended."""

    subject: str
    step: str
    at: str
    duration_s: float
    outcome: StepOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A line of progress of something long, such as a download."""

    subject: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", cut(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReady:
    """An image is here: its name, its family, and its digest, a registry's or that of what it was made from.

    `old` says how old it is, and what takes its place, where it is older than images should be.
    """

    image: str
    family: str
    digest: Digest
    old: str = field(default="", metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded:
    """A trial ended."""

    address: str
    trial: TrialResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEnded:
    """A cell ended, its trials included."""

    record: CellRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeFailed:
    """A recipe could not be read or planned, or its source fetched, while others go on (`--keep-going`)."""

    recipe: str
    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The run ended. `containers` counts those it started; `stopped` says what ended it before its work was done."""

    at: str
    duration_s: float
    containers: int
    interrupted: bool = False
    stopped: str | None = None


Event = (
    RunStarted
    | Planned
    | WorkStarted
    | JobStarted
    | JobEnded
    | StepStarted
    | StepEnded
    | Progress
    | ImageReady
    | TrialEnded
    | CellEnded
    | RecipeFailed
    | RunEnded
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The fold of a run's events, from which every report is rendered; `images` are those that it used."""

    id: str
    started: str
    version: str
    folder: str
    plans: tuple[Plan, ...] = ()
    records: tuple[CellRecord, ...] = ()
    failed_recipes: tuple[RecipeFailed, ...] = ()
    duration_s: float = 0.0
    containers: int = 0
    interrupted: bool = False
    stopped: str | None = None
    ended: bool = False
    images: tuple[ImageReady, ...] = field(default=(), metadata={ABSENT: True})

    @property
    def has_internal_error(self) -> bool:
        """Whether a cell or a trial ended by an error of the factory itself."""
        return any("error" in (record.status, *(trial.outcome for trial in record.trials)) for record in self.records)

    @property
    def passed(self) -> bool:
        """Whether everything owed passed."""
        owed = sum(len(plan.cells) for plan in self.plans)
        return not self.failed_recipes and len(self.records) == owed and all(record.passed for record in self.records)
