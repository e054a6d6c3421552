"""A fault of the factory's own ends the job that met it, whatever kind of job, and no other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
from packaging.utils import NormalizedName

from factory.audit import Audit
from factory.digest import Artifact
from factory.engine.api import Engine
from factory.engine.faults import SilentError
from factory.errors import EngineError, FactoryError, ImageError, PlanError, SourceError, StoreError
from factory.events.model import CellRecord, Planned, Run, RunStarted, TrialResult
from factory.events.recorder import Recorder
from factory.failure import Failure
from factory.farm import work
from factory.farm.work import carry_out
from factory.host import read_host
from factory.images import ReadyImage
from factory.memory import Memory
from factory.plan.model import Cell, Preparation
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.stages.fitting import Fitting
from factory.stages.reading import Contents
from factory.stages.trial import TrialWork
from factory.store import Store
from factory.tool_bundle import ToolBundle
from tests.makers.plans import make_recipe
from tests.makers.runs import make_artifact, make_cell, make_plan

TODAY = date(2026, 11, 29)
PREPARATION = Preparation(manager=None, packages=(), before_all=("true",))


class NoEngine:
    """An engine that nothing is asked of, but to end."""

    def kill_run(self) -> None:
        return


@dataclass
class Factory:
    """Two recipes, `good` and `bad`, of one cell with one trial each, and what is done instead of real work."""

    services: Services
    recorder: Recorder
    wheel: Artifact
    bad: Callable[[str], None]
    bad_builder: str = "builder"

    def cell(self, name: str) -> Cell:
        cell = make_cell("cp313-cp313-manylinux_2_31_x86_64", name)
        trials = tuple(replace(trial, image=f"trial-{name}") for trial in cell.trials)
        preparation = PREPARATION if name == "bad" else None
        image = self.bad_builder if name == "bad" else "builder"
        return replace(cell, image=image, loader=None, trials=trials, preparation=preparation)

    def run(self) -> Run:
        planned = []
        self.recorder.emit(RunStarted(run="r", at="", version="", folder="r"))
        for name in ("good", "bad"):
            recipe = replace(make_recipe("cp313"), name=cast("NormalizedName", name))
            plan = make_plan(self.cell(name), recipe=name)
            nothing = cast("Any", None)  # no work looks at the tree and the project
            planned.append(PlannedRecipe(recipe=recipe, tree=nothing, project=nothing, plan=plan))
            self.recorder.emit(Planned(plan=plan))
        carry_out(self.services, planned, self.make_image, workers=2, today=TODAY)
        return self.recorder.run()

    def make_image(self, name: str) -> ReadyImage:
        if name == ("trial-bad" if self.bad_builder == "builder" else self.bad_builder):
            self.bad("image")
        return cast("ReadyImage", object())

    def fit(self, _hands: Services, base: ReadyImage, _fitting: Fitting) -> ReadyImage:
        self.bad("fitting")
        return base

    def build(self, _hands: Services, _order: PlannedRecipe, cell: Cell, *_: object) -> CellRecord:
        if cell.recipe == "bad":
            self.bad("build")
        return CellRecord(cell=cell, status="passed", wheel=self.wheel, after=Audit(rulings=(), findings=()))

    def trial(self, trial: TrialWork) -> TrialResult:
        if trial.cell.recipe == "bad":
            self.bad("trial")
        return TrialResult(interpreter=trial.interpreter, image="trial", outcome="passed")


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Exception], Factory]]:
    """Make a factory in which one kind of job raises something for the recipe `bad`."""
    with Store.open(tmp_path / "store") as store, Recorder(tmp_path / "run", lambda _: None) as recorder:

        def made(kind: str, error: Exception) -> Factory:
            def bad(at: str) -> None:
                if at == kind:
                    raise error

            services = Services(
                engine=cast("Engine", NoEngine()),
                memory=Memory(store=store, cancelled=Event()),
                host=read_host({}),
                recorder=recorder,
                tools=cast("ToolBundle", None),
                helper=lambda: pytest.fail("no container has a network here"),
            )
            wheel = make_artifact(b"", "good-1.0-cp313-cp313-manylinux_2_31_x86_64.whl")
            factory = Factory(services=services, recorder=recorder, wheel=wheel, bad=bad)
            monkeypatch.setattr(work, "build_cell", factory.build)
            monkeypatch.setattr(work, "fitted", factory.fit)
            monkeypatch.setattr(work, "contents", lambda *_: cast("Contents", None))
            monkeypatch.setattr(TrialWork, "work", lambda trial: factory.trial(trial))  # noqa: PLW0108 -- a function of the class gets the trial
            return factory

        yield made


def records(run: Run) -> dict[str, CellRecord]:
    return {record.cell.recipe: record for record in run.records}


def recurse() -> None:
    recurse()


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        pytest.param("image", "image:trial-bad", id="an image"),
        pytest.param("fitting", "image:builder+", id="a fitting"),
        pytest.param("build", "bad/cp313-cp313-manylinux_2_31_x86_64", id="a build"),
        pytest.param("trial", "bad/cp313-cp313-manylinux_2_31_x86_64/@cp313", id="a trial"),
    ],
)
@pytest.mark.parametrize("error", [KeyError("a"), RecursionError("too deep"), MemoryError()])
def test_a_fault_ends_its_own_cell_alone_and_leaves_its_traceback(
    make: Callable[[str, Exception], Factory], tmp_path: Path, kind: str, subject: str, error: Exception
) -> None:
    run = make(kind, error).run()

    assert {name: record.status for name, record in records(run).items()} == {"good": "passed", "bad": "error"}
    failure = records(run)["bad"].failure
    assert failure is not None
    assert failure.ended == "error"
    assert failure.message.startswith(f"internal error: {type(error).__name__}")
    assert failure.log.startswith(f"logs/{subject}")
    assert failure.log.endswith("internal-error.log")
    assert "Traceback (most recent call last)" in (tmp_path / "run" / failure.log).read_text()
    assert failure.log in failure.hint
    assert run.has_internal_error
    assert not run.passed


def test_a_fault_of_a_trial_is_its_own_outcome(make: Callable[[str, Exception], Factory]) -> None:
    run = make("trial", KeyError("a")).run()

    assert [trial.outcome for trial in records(run)["bad"].trials] == ["error"]
    assert [trial.outcome for trial in records(run)["good"].trials] == ["passed"]


def test_the_traceback_keeps_what_no_log_may_show(make: Callable[[str, Exception], Factory], tmp_path: Path) -> None:
    error = ValueError("cannot read https://user:pa55-w0rd@index.example/simple/")

    failure = records(make("build", error).run())["bad"].failure

    assert failure is not None
    assert failure.message == "internal error: ValueError: cannot read https://index.example/simple/"
    assert "pa55-w0rd" not in (tmp_path / "run" / failure.log).read_text()


@pytest.mark.parametrize("error", [SourceError("a lock that is no lock"), PlanError("a"), FactoryError("git is slow")])
def test_what_is_wrong_with_one_source_does_not_end_the_others(
    make: Callable[[str, Exception], Factory], error: FactoryError
) -> None:
    run = make("build", error).run()

    assert {name: record.status for name, record in records(run).items()} == {"good": "passed", "bad": "failed"}
    assert records(run)["bad"].failure == Failure(step="build", message=error.message)
    assert not run.has_internal_error


@pytest.mark.parametrize("error", [ImageError("the registry does not have it"), EngineError("the pull broke")])
def test_an_image_that_only_a_recipe_names_is_that_recipes_fault(
    make: Callable[[str, Exception], Factory], error: EngineError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NoEngine, "await_answer", lambda _: None, raising=False)
    factory = make("image", error)
    factory.bad_builder = "registry.example/image@sha256:" + "ab" * 32

    run = factory.run()

    statuses = {name: record.status for name, record in records(run).items()}
    assert statuses["good"] == "passed"
    assert statuses["bad"] in ("blocked", "lost")
    failure = records(run)["bad"].failure
    assert failure is not None
    assert failure.message == error.message


@pytest.mark.parametrize("error", [StoreError("the disk is full"), SilentError("the engine is silent")])
@pytest.mark.parametrize("kind", ["image", "fitting"])
def test_what_ends_all_work_still_stops_the_run(
    make: Callable[[str, Exception], Factory], kind: str, error: FactoryError
) -> None:
    with pytest.raises(type(error), match=error.message):
        make(kind, error).run()
