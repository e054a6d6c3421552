"""Work that was lost is done once more, when the engine answers again; other failures are not."""

from collections.abc import Callable

import pytest

from factory.engine.faults import SilentError
from factory.errors import EngineError, FactoryError, ImageError
from factory.failure import Failure
from factory.sessions.retry import once_more
from tests.doubles.run import World


def done(world: World, *results: str | FactoryError) -> tuple[str, int]:
    """Do work that ends with each of these results in turn; return the last result, and how often it was done."""
    left = list(results)

    def work() -> str:
        result = left.pop(0)
        if isinstance(result, FactoryError):
            raise result
        return result

    with world.recorder() as recorder:
        services = world.services(recorder)
        result = once_more(services, "subject", work, lost=message_of, is_lost=lambda ended: ended.startswith("lost"))
    return result, len(results) - len(left)


def message_of(failure: Failure) -> str:
    return f"lost: {failure.message}"


def test_work_that_is_not_lost_is_done_once(world: World) -> None:
    assert done(world, "failed", "passed") == ("failed", 1)
    assert world.engine.waits == 0


@pytest.mark.parametrize("lost", ["lost", EngineError("the engine refused")])
def test_work_that_is_lost_is_done_once_more_when_the_engine_answers(world: World, lost: str | FactoryError) -> None:
    assert done(world, lost, "passed") == ("passed", 2)
    assert world.engine.waits == 1


def test_work_that_is_lost_twice_is_lost(world: World) -> None:
    assert done(world, "lost", EngineError("the engine refused"), "passed") == ("lost: the engine refused", 2)


def test_work_that_is_lost_by_the_end_of_the_run_is_not_done_again(world: World) -> None:
    world.cancelled.set()

    assert done(world, "lost", "passed") == ("lost", 1)


@pytest.mark.parametrize("kind", [ImageError, SilentError])
def test_a_missing_image_and_a_silent_engine_are_raised_at_once(
    world: World, kind: Callable[[str], FactoryError]
) -> None:
    with pytest.raises(EngineError, match="it is gone"):
        done(world, kind("it is gone"), "passed")
