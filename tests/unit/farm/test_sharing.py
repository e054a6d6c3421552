"""How many compile jobs each build of a run may have: together as many as there are processors."""

import pytest

from factory.farm.sharing import Sharing, share_of
from tests.doubles.looking import calls_of, values
from tests.doubles.projects import PLAIN
from tests.doubles.run import World


@pytest.mark.parametrize(
    ("others_s", "processors", "workers", "jobs"),
    [
        pytest.param([], 2, 2, 2, id="alone"),
        pytest.param([60], 2, 2, 1, id="one beside it"),
        pytest.param([60, 60, 60], 2, 2, 1, id="others wait for the worker of the one beside it"),
        pytest.param([5], 2, 2, 2, id="one that ends soon"),
        pytest.param([60, 60], 8, 8, 2, id="never more than all processors"),
        pytest.param([60, 60, 60], 8, 4, 2, id="an even share"),
        pytest.param([60] * 20, 8, 8, 1, id="as many builds as processors"),
        pytest.param([60] * 20, 16, 4, 4, id="fewer workers than processors"),
        pytest.param([60], 1, 2, 1, id="more workers than processors"),
    ],
)
def test_a_build_has_its_share_of_the_processors(
    others_s: list[float], processors: int, workers: int, jobs: int
) -> None:
    assert share_of(60, others_s, processors=processors, workers=workers) == jobs


def test_a_build_that_runs_counts_for_as_long_as_it_is_expected_to() -> None:
    now_s = [0.0]
    left_s = {"a": 60.0, "b": 60.0, "c": 60.0}
    sharing = Sharing(processors=2, workers=2, left_s=left_s, clock=lambda: now_s[0])

    with sharing.running("b"):
        with sharing.running("a"):
            assert (sharing.jobs_of("a"), sharing.jobs_of("b")) == (1, 1)
        now_s[0] = 58.0
        with sharing.running("c"):
            assert sharing.jobs_of("c") == 2, "b is almost at its end"


def test_cargo_and_cmake_are_told_and_no_key_knows(world: World) -> None:
    world.run(PLAIN)
    alone = calls_of(world, "build")
    world.fresh, world.workers = True, 1
    world.run(PLAIN.replace("platforms:", "build: {env: {CARGO_BUILD_JOBS: '7'}}\nplatforms:"))
    asked = calls_of(world, "build")[len(alone) :]

    assert (values(alone, "CARGO_BUILD_JOBS"), values(alone, "CMAKE_BUILD_PARALLEL_LEVEL")) == ({"2"}, {"2"})
    assert (values(asked, "CARGO_BUILD_JOBS"), values(asked, "CMAKE_BUILD_PARALLEL_LEVEL")) == ({"7"}, {"1"})
    assert not any(
        values(calls_of(world, step), "CARGO_BUILD_JOBS") - {None, "7"} for step in ("repair", "load", "import")
    )
    assert all("CMAKE_BUILD_PARALLEL_LEVEL" not in str(entry.document) for entry in world.remembered()["build"])
