"""An error of the factory itself ends the job in which it occurred, of whatever kind, and no other."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from factory.engine.faults import SilentError
from factory.errors import EngineError, FactoryError, ImageError, PlanError, SourceError, StoreError
from factory.events.model import CellRecord, Run
from factory.failure import Failure
from tests.doubles.projects import PLAIN, instead
from tests.doubles.run import World
from tests.makers.plans import make_trial_image

GOOD = PLAIN.replace("plain", "good")
BAD = PLAIN.replace("plain", "bad").replace("cp313", "cp311") + "build: {system: {apt: [libbad-dev]}}\n"
BUILDER = "lookalike-manylinux_2_31_x86_64"
BAD_TRIAL = "trial-manylinux_2_36_x86_64"
STEPS = {"fitting": "packages", "build": "build", "trial": "import"}


@pytest.fixture
def world(world: World) -> World:
    """Give the two recipes only the build image and the loader's in common."""
    builders = [image for image in world.images if image.role == "build"]
    tried = {"cp39": "manylinux_2_31_x86_64", "cp311": "manylinux_2_36_x86_64", "cp313": "manylinux_2_41_x86_64"}
    world.images = (*builders, *(make_trial_image(held, platform) for held, platform in tried.items()))
    return world


@pytest.fixture
def make(world: World) -> "Make":
    """Make a run in which one kind of job raises something for the recipe `bad`."""

    def made(kind: str, error: Exception) -> Callable[[], Run]:
        if kind == "image":
            world.lost_images[BAD_TRIAL] = error
        else:
            label = "image:" if kind == "fitting" else "bad/"
            world.engine.commands = instead(STEPS[kind], error, of=label)
        return lambda: world.run(GOOD, BAD)

    return made


Make = Callable[[str, Exception], Callable[[], Run]]


def records(run: Run) -> dict[str, CellRecord]:
    return {record.cell.recipe: record for record in run.records}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        pytest.param("image", f"image:{BAD_TRIAL}", id="an image"),
        pytest.param("fitting", f"image:{BUILDER}+", id="a fitting"),
        pytest.param("build", "bad/cp311-cp311-manylinux_2_31_x86_64", id="a build"),
        pytest.param("trial", "bad/cp311-cp311-manylinux_2_31_x86_64/@cp311", id="a trial"),
    ],
)
@pytest.mark.parametrize("error", [KeyError("a"), RecursionError("too deep"), MemoryError()])
def test_a_fault_ends_its_own_cell_alone_and_leaves_its_traceback(
    make: Make, world: World, kind: str, subject: str, error: Exception
) -> None:
    run = make(kind, error)()

    assert {name: record.status for name, record in records(run).items()} == {"good": "passed", "bad": "error"}
    failure = records(run)["bad"].failure
    assert failure is not None
    assert failure.ended == "error"
    assert failure.message.startswith(f"internal error: {type(error).__name__}")
    assert failure.log.startswith(f"logs/{subject}")
    assert failure.log.endswith("internal-error.log")
    assert "Traceback (most recent call last)" in (world.evidence / failure.log).read_text()
    assert failure.log in failure.hint
    assert run.has_internal_error
    assert not run.passed


def test_a_fault_of_a_trial_is_its_own_outcome(make: Make) -> None:
    run = make("trial", KeyError("a"))()

    assert [trial.outcome for trial in records(run)["bad"].trials] == ["error"]
    assert [trial.outcome for trial in records(run)["good"].trials] == ["passed"]


def test_the_traceback_keeps_what_no_log_may_show(make: Make, world: World) -> None:
    error = ValueError("cannot read https://user:pa55-w0rd@index.example/simple/")

    failure = records(make("build", error)())["bad"].failure

    assert failure is not None
    assert failure.message == "internal error: ValueError: cannot read https://index.example/simple/"
    assert "pa55-w0rd" not in (world.evidence / failure.log).read_text()


@pytest.mark.parametrize("error", [SourceError("a lock that is no lock"), PlanError("a"), FactoryError("git is slow")])
def test_what_is_wrong_with_one_source_does_not_end_the_others(make: Make, error: FactoryError) -> None:
    run = make("build", error)()

    assert {name: record.status for name, record in records(run).items()} == {"good": "passed", "bad": "failed"}
    assert records(run)["bad"].failure == Failure(step="build", message=error.message)
    assert not run.has_internal_error


@pytest.mark.parametrize("error", [ImageError("the registry does not have it"), EngineError("the pull broke")])
def test_an_image_that_only_a_recipe_names_is_that_recipes_fault(world: World, error: EngineError) -> None:
    pin = "registry.example/image@sha256:" + "ab" * 32
    builder = next(image for image in world.images if image.name == BUILDER)
    world.images = (*world.images, replace(builder, name=pin, family="recipe"))
    world.lost_images[pin] = error

    run = world.run(GOOD, f"{BAD}images: {{manylinux_2_31_x86_64: '{pin}'}}\n")

    statuses = {name: record.status for name, record in records(run).items()}
    assert statuses["good"] == "passed"
    assert statuses["bad"] in ("blocked", "lost")
    failure = records(run)["bad"].failure
    assert failure is not None
    assert failure.message == error.message


@pytest.mark.parametrize("error", [StoreError("the disk is full"), SilentError("the engine is silent")])
@pytest.mark.parametrize("kind", ["image", "fitting"])
def test_what_ends_all_work_still_stops_the_run(make: Make, kind: str, error: FactoryError) -> None:
    with pytest.raises(type(error), match=error.message):
        make(kind, error)()
