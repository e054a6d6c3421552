"""Carry out one job, or say why it is blocked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar, assert_never

from factory.errors import EngineError, FactoryError, ImageError, InternalError, Interrupted, is_of_one_recipe
from factory.events.model import CellRecord, ImageReady, Status, TrialResult
from factory.events.model import Outcome as TrialOutcome
from factory.failure import Failure
from factory.farm.cell import build_cell
from factory.farm.jobs import BuildCell, Built, FitImage, ImageKey, Job, Key, MakeImage, Outcome, TryWheel
from factory.farm.judge import untouched
from factory.farm.programs import run_programs
from factory.images.age import old_age
from factory.images.ready import ReadyImage
from factory.redaction import redact
from factory.sessions.retry import once_more
from factory.sessions.services import Services
from factory.stages.against import older_wheel
from factory.stages.attempt import Candidate
from factory.stages.contents import contents_of
from factory.stages.fitting import fitted
from factory.stages.load import load_wheel
from factory.stages.reading import Readings
from factory.stages.requirement import SdistBuilder
from factory.stages.trial import TrialWork
from factory.tags import Interpreter
from factory.trials.subjects import Wanted
from factory.unexpected import internal_errors

_T = TypeVar("_T")
Done = Mapping[Key, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Carries out jobs with the services of a run; `make_image` finds, makes or pulls an image by its name."""

    services: Services
    make_image: Callable[[str], ReadyImage]
    today: date

    def perform(self, job: Job, done: Done) -> Outcome:
        """Carry out a job; `done` are the outcomes of what it needs.

        An error becomes the failure of this job alone, unless no other job could go on either.

        Raises:
            FactoryError: the engine, the store, the output folder or this machine's configuration is at fault.
            Interrupted: the run is being ended.
        """
        with self.services.recorder.job(str(job.key)):
            return self._performed(job, done)

    def _performed(self, job: Job, done: Done) -> Outcome:
        match job:
            case MakeImage():
                return self._contained(job, "image", lambda: self._make(job), _itself, is_ours=False)
            case FitImage():
                base = _image(done, ImageKey(job.fitting.image))
                return self._contained(job, "image", lambda: self._fit(job, base), _itself, is_ours=False)
            case BuildCell():
                return self._build(job, done)
            case TryWheel():
                work = self._trial_work(job, done)
                return self._contained(
                    job, "trial", lambda: self._try(job, work), lambda failure: _failed_trial(job, failure)
                )
            case _:
                assert_never(job)

    def _make(self, job: MakeImage) -> ReadyImage | Failure:
        def make() -> ReadyImage | Failure:
            with self.services.recorder.step(str(job.key), "image") as mark:
                ready = self.make_image(job.name)
                mark.outcome = "passed"
            self.services.recorder.emit(self._described(ready))
            return ready

        outcome = self._have(job, make)
        # An engine that loses images will lose the next, too, unless it is only one recipe's that cannot be pulled.
        if isinstance(outcome, Failure) and not job.is_a_recipes:
            raise EngineError(outcome.message, hint=outcome.hint)
        return outcome

    def _described(self, image: ReadyImage) -> ImageReady:
        name, family = image.facts.name, image.facts.family
        old = old_age(name, image.made, self.today, family=family)
        return ImageReady(image=name, family=family, digest=image.identity, old=old)

    def _fit(self, job: FitImage, base: ReadyImage) -> ReadyImage | Failure:
        return self._have(job, lambda: fitted(self.services, base, job.fitting))

    def _have(self, job: MakeImage | FitImage, make: Callable[[], ReadyImage | Failure]) -> ReadyImage | Failure:
        """Make an image, a second time if the engine loses it.

        Raises:
            Interrupted: it was lost because the run is being ended, so that no cell is to fail by it.
        """
        outcome = once_more(self.services, str(job.key), make, lost=_itself, is_lost=_is_lost)
        if _is_lost(outcome) and self.services.memory.cancelled.is_set():
            raise Interrupted("interrupted")
        return outcome

    def _build(self, job: BuildCell, done: Done) -> Outcome:
        if job.image is None or job.cell.builder is None:
            failure = Failure(step="plan", message="no image here has the interpreter")
            return Built(record=CellRecord(cell=job.cell, status="unbuildable", failure=failure))
        image, loader = _image(done, job.image), None if job.loader is None else _image(done, job.loader)
        interpreter = job.cell.builder.interpreter

        def work() -> Built:
            if not job.cell.makes_wheel:
                return Built(record=run_programs(self.services, job.planned, job.cell, image))
            readings = Readings(store=self.services.memory.store, reader=self.services.reader)
            record = build_cell(self.services, job.planned, job.cell, interpreter, image, readings, self.today)
            return self._loaded(job, record, readings, loader)

        def failed(failure: Failure) -> Built:
            return _failed_build(job, failure)

        def retried() -> Built:
            return once_more(self.services, str(job.key), work, lost=failed, is_lost=_is_lost_build)

        return self._contained(job, "build", retried, failed, is_ours=image.own is not None)

    def _loaded(self, job: BuildCell, record: CellRecord, readings: Readings, loader: ReadyImage | None) -> Built:
        """Read the contents of a wheel that passed, and let the loader of the oldest libc resolve it."""
        if record.wheel is None or record.after is None or not record.passed:
            return Built(record=record)
        services, wheel = self.services, record.wheel
        held = contents_of(services.memory, readings, wheel, record.after, _wanted(job))
        if isinstance(held, Failure):
            return Built(record=replace(record, status=held.ended, failure=held))
        # Where nothing emulates the wheel's machine, the loader is not brought either; the trials say why.
        if loader is None or loader.facts.platform.arch != job.cell.platform.arch:
            return Built(record=record, contents=held)
        recipe = job.planned.recipe
        outcome, from_store = load_wheel(
            services, str(job.key), wheel, held, loader, project=recipe.name, excluded=recipe.repair.exclude
        )
        if isinstance(outcome, Failure):
            record = replace(record, status=outcome.ended, failure=outcome)
        elif not from_store:
            record = replace(record, seconds={**record.seconds, "load": outcome.duration_s}, from_store=False)
        return Built(record=record, contents=held)

    def _trial_work(self, job: TryWheel, done: Done) -> TrialWork:
        cell, image, builder = (done[need] for need in job.needs)
        if not (isinstance(cell, Built) and isinstance(image, ReadyImage) and isinstance(builder, ReadyImage)):
            raise TypeError(f"{job.key} needs a built cell and two ready images")
        if cell.record.wheel is None or cell.contents is None:
            raise AssertionError(f"{job.cell.address} passed without a wheel")
        sdists = SdistBuilder(
            services=self.services,
            subject=str(job.key),
            spec=job.planned.recipe.build,
            image=builder,
            added=() if job.cell.builder is None else job.cell.builder.packages,
            interpreter=job.trial.interpreter,
        )
        candidate = Candidate(
            services=self.services,
            planned=job.planned,
            cell=job.cell,
            interpreter=job.trial.interpreter,
            image=image,
            wheel=cell.record.wheel,
            contents=cell.contents,
            older=older_wheel(self.services, job.planned.recipe, job.cell, cell.record.wheel, job.trial.interpreter),
        )
        return TrialWork(candidate=candidate, sdists=sdists)

    def _try(self, job: TryWheel, work: TrialWork) -> TrialResult:
        return once_more(
            self.services, str(job.key), work.work, lost=work.failed, is_lost=lambda result: result.outcome == "lost"
        )

    def _contained(
        self, job: Job, step: str, work: Callable[[], _T], failed: Callable[[Failure], _T], *, is_ours: bool = True
    ) -> _T:
        """Do a job's work; where it raises for a reason of its own, return what `failed` makes of the failure.

        `is_ours` says that the job's image is one of ours and was here: if it is gone, the run stops.
        """
        try:
            with internal_errors():
                return work()
        except InternalError as error:
            recorder = self.services.recorder
            log = recorder.log(str(job.key), "internal-error", self._safe(error.traceback))
            hint = f"please report it, with {recorder.folder / log}"
            return failed(Failure(step=step, message=self._safe(error.message), ended="error", log=log, hint=hint))
        except FactoryError as error:
            if (is_ours and isinstance(error, ImageError)) or not is_of_one_recipe(error):
                raise
            return failed(Failure(step=step, message=error.message, hint=error.hint))

    def _safe(self, text: str) -> str:
        """Take credentials out of a text; the recorder takes out the values of `build.pass-env`."""
        return redact(text, self.services.host.secrets)


def blocked(job: Job, missing: Done) -> Outcome:
    """Return the outcome of a job that cannot begin; `missing` are the outcomes of its needs that did not pass."""
    match next(iter(missing.values())):
        case Failure() as failure:
            return _blocked_by(job, failure)
        case Built() if isinstance(job, TryWheel):
            return untouched(job.trial, "blocked")
        case outcome:
            raise AssertionError(f"{job.key} needs images or a cell, which cannot have ended by {outcome!r}")


def _blocked_by(job: Job, failure: Failure) -> Outcome:
    """Return the outcome of a job whose image is missing."""
    match job:
        case MakeImage() | FitImage():
            return failure
        case BuildCell():
            # The step that made the image failed; the cell itself did not begin.
            status: Status = "blocked" if failure.ended == "failed" else failure.ended
            return Built(record=CellRecord(cell=job.cell, status=status, failure=failure))
        case TryWheel():
            outcome: TrialOutcome = "blocked" if failure.ended == "failed" else failure.ended
            return replace(untouched(job.trial, outcome), failure=failure)
        case _:
            assert_never(job)


def _wanted(job: BuildCell) -> Mapping[Interpreter, Wanted]:
    """Return what the recipe says about each trial of a cell."""
    recipes = {attempt.trial.interpreter: attempt.planned.recipe for attempt in job.tries}
    return {interpreter: Wanted.of(recipe.audit, recipe.test) for interpreter, recipe in recipes.items()}


def _image(done: Done, key: Key) -> ReadyImage:
    image = done[key]
    if not isinstance(image, ReadyImage):
        raise TypeError(f"{key} is not an image")
    return image


def _failed_build(job: BuildCell, failure: Failure) -> Built:
    return Built(record=CellRecord(cell=job.cell, status=failure.ended, failure=failure))


def _failed_trial(job: TryWheel, failure: Failure) -> TrialResult:
    return replace(untouched(job.trial, failure.ended), failure=failure)


def _itself(failure: Failure) -> ReadyImage | Failure:
    return failure


def _is_lost(outcome: ReadyImage | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.ended == "lost"


def _is_lost_build(built: Built) -> bool:
    return built.record.status == "lost"
