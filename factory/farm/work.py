"""The jobs of a run: images, cells and trials, and which needs which."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TypeAlias, TypeVar

from factory.confined import Overrun
from factory.errors import EngineError, FactoryError, ImageError, InternalError, Interrupted, is_of_one_recipe
from factory.events.model import CellEnded, CellRecord, Outcome, Status, TrialEnded, TrialResult
from factory.failure import Failure
from factory.farm.cell import build_cell
from factory.farm.judge import judged
from factory.farm.threads import Job, run_jobs
from factory.images import ReadyImage
from factory.plan.model import Cell, Trial
from factory.planned import PlannedRecipe
from factory.process import end_all
from factory.recipe.model import AuditSpec, TestSpec
from factory.sessions.retry import once_more
from factory.sessions.services import Services
from factory.stages.fitting import Fitting, fitted, fitting_of
from factory.stages.load import load_wheel
from factory.stages.reading import Contents, contents
from factory.stages.trial import TrialWork
from factory.tags import Interpreter
from factory.unexpected import internal_errors
from factory.web.session import redact

Result: TypeAlias = ReadyImage | CellRecord | TrialResult | Failure
_T = TypeVar("_T")
MakeImage = Callable[[str], ReadyImage]

_IMAGE = "image:"


def carry_out(
    services: Services, planned_recipes: Sequence[PlannedRecipe], make_image: MakeImage, *, workers: int, today: date
) -> None:
    """Do everything the planned_recipes owe; what happened is in the recorder's events.

    Raises:
        FactoryError: what stops the run; cells that were finished before are recorded.
    """
    cells = [(planned.at(cell), cell) for planned in planned_recipes for cell in planned.plan.cells]
    by_address = {cell.address: (planned, cell) for planned, cell in cells}
    session = _Shop(services=services, make_image=make_image, today=today, cells=by_address)
    jobs = [session.image_job(name) for name in _images(cells)]
    jobs += [session.fitting_job(each) for each in _fittings(cells)]
    jobs += staggered([session.jobs(planned, cell) for planned, cell in cells], lead=workers)
    run_jobs(
        jobs,
        workers=workers,
        cancelled=services.memory.cancelled,
        passed=_passed,
        blocked=session.blocked,
        on_cancel=lambda: _end(services),
    )


def staggered(cells: Sequence[Sequence[Job[Result]]], *, lead: int) -> Iterator[Job[Result]]:
    """PlannedRecipe each cell's build and trials: trials stand behind the builds of the next `lead` cells.

    Builds are the long jobs. With all of them last, or one of them, the other workers would have nothing to do; with
    all of them first, an interrupted run would have no wheel that is finished.
    """
    for number, (build, *_) in enumerate(cells):
        yield build
        if number >= lead:
            yield from cells[number - lead][1:]
    for _, *trials in cells[max(0, len(cells) - lead) :]:
        yield from trials


def _end(services: Services) -> None:
    """End tools of ours and containers at the same time: neither has to wait for the other's grace."""
    tools = threading.Thread(target=end_all)
    tools.start()
    services.engine.kill_run()
    tools.join()


def _images(cells: Sequence[tuple[PlannedRecipe, Cell]]) -> Sequence[str]:
    """Return every image that is needed, build images first."""
    builders = [cell.image for _, cell in cells]
    loaders = [cell.loader for _, cell in cells if cell.image is not None]
    trials = [trial.image for _, cell in cells for trial in cell.trials]
    return [name for name in dict.fromkeys([*builders, *loaders, *trials]) if name is not None]


def _fittings(cells: Sequence[tuple[PlannedRecipe, Cell]]) -> Sequence[Fitting]:
    """Return how build images are fitted; cells that ask for the same share it."""
    wanted = (fitting_of(cell) for _, cell in cells)
    return list(dict.fromkeys(each for each in wanted if each is not None and each.is_needed))


def _passed(result: Result) -> bool:
    match result:
        case Failure():
            return False
        case CellRecord():
            return result.passed
        case TrialResult():
            return result.outcome == "passed"
        case _:
            return True


@dataclass(slots=True, kw_only=True)
class _Shop:
    """The results that jobs share: images that are ready, and each cell's record while its trials come in.

    `contents` says by a cell's address what its wheel holds, `unfitted` says by an image's name why there is none. Each
    job's work runs inside `internal_errors()`.
    """

    services: Services
    make_image: MakeImage
    today: date
    cells: Mapping[str, tuple[PlannedRecipe, Cell]]
    images: dict[str, ReadyImage] = field(default_factory=dict)
    unfitted: dict[str, Failure] = field(default_factory=dict)
    records: dict[str, CellRecord] = field(default_factory=dict)
    contents: dict[str, Contents] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def image_job(self, name: str) -> Job[Result]:
        def work() -> ReadyImage | Failure:
            broken = partial(self._unfit, name)
            return self._fenced(key, "image", partial(self._image, name), broken, own=not _is_a_recipes(name))

        key = f"image:{name}"
        return Job(key=key, work=work)

    def fitting_job(self, fitting: Fitting) -> Job[Result]:
        def work() -> ReadyImage | Failure:
            broken, own = partial(self._unfit, fitting.name), not _is_a_recipes(fitting.image)
            return self._fenced(key, "fitting", partial(self._fit, fitting), broken, own=own)

        key = f"image:{fitting.name}"
        return Job(key=key, work=work, needs=(f"image:{fitting.image}",))

    def jobs(self, planned: PlannedRecipe, cell: Cell) -> list[Job[Result]]:
        fitting = fitting_of(cell)
        images = [] if fitting is None else [fitting.name, cell.loader]
        needs = tuple(f"image:{name}" for name in images if name is not None)
        build: Job[Result] = Job(key=cell.address, work=partial(self._build, planned, cell), needs=needs)
        tried = [trial for trial in cell.trials if trial.image is not None]
        return [build, *(self._trial_job(planned, cell, trial) for trial in tried)]

    def blocked(self, job: Job[Result], needs: tuple[str, ...]) -> Result:
        """Say why: of a cell, that its image is not here; of a trial that, or what its cell's record says already."""
        if job.key in self.cells:
            return self._blocked(*self.cells[job.key], self._why(needs[0]))
        if job.key.startswith(_IMAGE):
            return self._unfit(job.key.removeprefix(_IMAGE), self._why(needs[0]))
        address, _, name = job.key.partition("@")
        planned, cell = self.cells[address]
        if address in needs:
            return next(trial for trial in self.records[address].trials if str(trial.interpreter) == name)
        trial = next(trial for trial in cell.trials if str(trial.interpreter) == name)
        failure = self._why(needs[0])
        return self._tried(planned, cell, replace(_untouched(trial, failure.ended), failure=failure))

    def _why(self, need: str) -> Failure:
        """Say why an image that something needs is not here."""
        return self.unfitted[need.removeprefix(_IMAGE)]

    def _unfit(self, name: str, failure: Failure) -> Failure:
        self.unfitted[name] = failure
        return failure

    def _fenced(
        self, subject: str, step: str, work: Callable[[], _T], broken: Callable[[Failure], _T], *, own: bool = True
    ) -> _T:
        """Do a job's work. What goes wrong in it is the failure of its own subject, unless it stops every other, too.

        `own` says that the image is one of ours, whose absence does; one that only a recipe names is that recipe's.

        Raises:
            FactoryError: the engine, the store, the output folder or this machine's configuration is at fault.
            Interrupted: the run is being ended.
        """
        try:
            with internal_errors():
                return work()
        except InternalError as error:
            log = self.services.recorder.log(subject, "internal-error", self._safe(error.traceback))
            hint = f"please report it, with {self.services.recorder.folder / log}"
            return broken(Failure(step=step, message=self._safe(error.message), ended="error", log=log, hint=hint))
        except FactoryError as error:
            if (own and isinstance(error, ImageError)) or not is_of_one_recipe(error):
                raise
            return broken(Failure(step=step, message=error.message, hint=error.hint))

    def _safe(self, text: str) -> str:
        """Take credentials out of a fault's words; the recorder takes out what recipes read of the environment."""
        return redact(text, self.services.host.secrets)

    def _image(self, name: str) -> ReadyImage | Failure:
        subject = f"image:{name}"

        def make() -> ReadyImage | Failure:
            with self.services.recorder.step(subject, "image") as mark:
                ready = self.make_image(name)
                mark.outcome = "passed"
                return ready

        outcome = self._had(subject, make)
        if not isinstance(outcome, Failure):
            self.images[name] = outcome
        elif _is_a_recipes(name):
            return self._unfit(name, outcome)
        else:
            raise EngineError(outcome.message, hint=outcome.hint)
        return outcome

    def _fit(self, fitting: Fitting) -> ReadyImage | Failure:
        outcome = self._had(f"image:{fitting.name}", lambda: fitted(self.services, self.images[fitting.image], fitting))
        if isinstance(outcome, Failure):
            return self._unfit(fitting.name, outcome)
        self.images[fitting.name] = outcome
        return outcome

    def _had(self, subject: str, make: Callable[[], ReadyImage | Failure]) -> ReadyImage | Failure:
        """Make an image; what is lost while the run is being ended counts as never begun.

        Raises:
            Interrupted: the run is being ended.
        """
        outcome = once_more(self.services, subject, make, lost=_itself, is_lost=_is_lost)
        if _is_lost(outcome) and self.services.memory.cancelled.is_set():
            raise Interrupted("interrupted")
        return outcome

    def _build(self, planned: PlannedRecipe, cell: Cell) -> CellRecord:
        def broken(failure: Failure) -> CellRecord:
            return CellRecord(cell=cell, status=failure.ended, failure=failure)

        own = not _is_a_recipes(cell.image or "")
        record = self._fenced(cell.address, "build", partial(self._built, planned, cell), broken, own=own)
        return self._recorded(planned, cell, record)

    def _blocked(self, planned: PlannedRecipe, cell: Cell, failure: Failure) -> CellRecord:
        """Record a cell whose image could not be fitted; the fault is not its own."""
        failure = replace(failure, ended="blocked") if failure.ended == "failed" else failure
        return self._recorded(planned, cell, CellRecord(cell=cell, status=failure.ended, failure=failure))

    def _recorded(self, planned: PlannedRecipe, cell: Cell, record: CellRecord) -> CellRecord:
        if not record.passed:
            blocked = tuple(_untouched(trial, "blocked") for trial in cell.trials)
            record = replace(record, trials=blocked)
        else:
            record = replace(
                record, trials=tuple(_untouched(trial, "untried") for trial in cell.trials if not trial.image)
            )
        with self.lock:
            self.records[cell.address] = record
            if not self._interrupted(record.status):
                self._finish_if_complete(planned, cell)
        return record

    def _built(self, planned: PlannedRecipe, cell: Cell) -> CellRecord:
        """Build a cell, and let the loader of the oldest libc resolve its wheel."""
        fitting = fitting_of(cell)
        if fitting is None or cell.interpreter is None:
            failure = Failure(step="plan", message="no image here has the interpreter", ended="blocked")
            return CellRecord(cell=cell, status="unbuildable", failure=failure)
        image, interpreter = self.images[fitting.name], cell.interpreter
        return once_more(
            self.services,
            cell.address,
            lambda: self._loaded(planned, build_cell(self.services, planned, cell, interpreter, image, self.today)),
            lost=lambda failure: CellRecord(cell=cell, status="lost", failure=failure),
            is_lost=lambda record: record.status == "lost",
        )

    def _loaded(self, planned: PlannedRecipe, record: CellRecord) -> CellRecord:
        if record.wheel is None or record.after is None or not record.passed:
            return record
        held = contents(
            self.services.memory.store, self.services.reader, record.wheel, record.after, _trials(planned, record.cell)
        )
        if isinstance(held, Overrun):
            message = f"reading the wheel {held.reason}"
            failure = Failure(step="load", message=message, hint="please report it, with the wheel")
            return replace(record, status=failure.ended, failure=failure)
        self.contents[record.cell.address] = held
        if record.cell.loader is None:
            return record
        outcome, from_store = load_wheel(
            self.services,
            record.cell.address,
            record.wheel,
            held,
            self.images[record.cell.loader],
            excluded=planned.recipe.repair.exclude,
        )
        if isinstance(outcome, Failure):
            return replace(record, status=outcome.ended, failure=outcome)
        if from_store:
            return record
        return replace(record, seconds={**record.seconds, "load": outcome.duration_s}, from_store=False)

    def _trial_job(self, planned: PlannedRecipe, cell: Cell, trial: Trial) -> Job[Result]:
        return Job(
            key=f"{cell.address}@{trial.interpreter}",
            work=partial(self._try, planned, cell, trial),
            needs=(cell.address, f"image:{trial.image}"),
        )

    def _try(self, planned: PlannedRecipe, cell: Cell, trial: Trial) -> TrialResult:
        def work() -> TrialResult:
            work = self._trial_work(planned, cell, trial)
            return once_more(
                self.services,
                work.address,
                work.work,
                lost=work.failed,
                is_lost=lambda result: result.outcome == "lost",
            )

        def broken(failure: Failure) -> TrialResult:
            return replace(_untouched(trial, failure.ended), failure=failure)

        subject = f"{cell.address}@{trial.interpreter}"
        return self._tried(planned, cell, self._fenced(subject, "trial", work, broken))

    def _tried(self, planned: PlannedRecipe, cell: Cell, result: TrialResult) -> TrialResult:
        if self._interrupted(result.outcome):
            return result
        self.services.recorder.emit(TrialEnded(address=f"{cell.address}@{result.interpreter}", trial=result))
        with self.lock:
            record = self.records[cell.address]
            self.records[cell.address] = replace(record, trials=(*record.trials, result))
            self._finish_if_complete(planned, cell)
        return result

    def _trial_work(self, planned: PlannedRecipe, cell: Cell, trial: Trial) -> TrialWork:
        record = self.records[cell.address]
        if record.wheel is None or trial.image is None:
            raise AssertionError("a trial starts when its cell has a wheel and its image is ready")
        return TrialWork(
            services=self.services,
            planned=planned.at(cell, trial.interpreter),
            cell=cell,
            interpreter=trial.interpreter,
            image=self.images[trial.image],
            wheel=record.wheel,
            contents=self.contents[cell.address],
        )

    def _interrupted(self, outcome: Status | Outcome) -> bool:
        """Whether this came to nothing because the run is being ended: it then counts as never begun."""
        return outcome in ("lost", "error") and self.services.memory.cancelled.is_set()

    def _finish_if_complete(self, planned: PlannedRecipe, cell: Cell) -> None:
        """Say that a cell ended when its last trial has; the caller holds the lock."""
        record = self.records[cell.address]
        if len(record.trials) == len(cell.trials):
            ended = judged(record, may_be_untried=_may_be_untried(planned, cell))
            self.records[cell.address] = ended
            self.services.recorder.emit(CellEnded(record=ended))


def _is_a_recipes(image: str) -> bool:
    """Whether an image's name is a pin, by which only recipes name images."""
    return "@" in image


def _itself(failure: Failure) -> ReadyImage | Failure:
    return failure


def _is_lost(outcome: ReadyImage | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.ended == "lost"


def _trials(planned: PlannedRecipe, cell: Cell) -> Mapping[Interpreter, tuple[AuditSpec, TestSpec]]:
    """Return the recipe's words for each trial of a cell."""
    recipes = {trial.interpreter: planned.at(cell, trial.interpreter).recipe for trial in cell.trials if trial.image}
    return {interpreter: (recipe.audit, recipe.test) for interpreter, recipe in recipes.items()}


def _untouched(trial: Trial, outcome: Outcome) -> TrialResult:
    return TrialResult(interpreter=trial.interpreter, image=trial.image, outcome=outcome)


def _may_be_untried(planned: PlannedRecipe, cell: Cell) -> frozenset[Interpreter]:
    """Return the interpreters without which the wheel may go out although it is for them."""
    tried = (trial.interpreter for trial in cell.trials)
    return frozenset(one for one in tried if planned.at(cell, one).recipe.test.untried == "allow")
