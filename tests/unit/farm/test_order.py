"""The order in which a run's builds and trials stand in line, by how long each is expected to take."""

from collections.abc import Mapping

import pytest

from factory.farm.graph import jobs_of
from factory.farm.jobs import BuildCell, TryWheel
from factory.farm.order import Estimates
from tests.doubles.projects import PLAIN, STABLE, WORDS
from tests.doubles.run import World

CP313 = "/cp313-cp313-manylinux_2_31_x86_64"


def order_of(world: World, seconds: Mapping[str, float], *texts: str, workers: int = 2) -> str:
    """Return the jobs in their order, as `a b a@`: for CPython 3.13 a recipe's name, and `@` for a trial."""
    recipes = [world.planned(text) for text in texts]
    jobs = jobs_of(recipes, workers=workers, estimates=Estimates.of(seconds))
    keys = [str(job.key) for job in jobs if isinstance(job, BuildCell | TryWheel)]
    return " ".join(key.replace(CP313, "").replace("@cp313", "@") for key in keys)


def toys(names: str) -> list[str]:
    return [PLAIN.replace("plain", name) for name in names.split()]


def lasting(**seconds: float) -> Mapping[str, float]:
    """Say how long builds took; each trial took one second."""
    cells = {f"{name}{CP313}": took for name, took in seconds.items()}
    return {**cells, **{f"{address}@cp313": 1.0 for address in cells}}


def test_the_longest_build_begins_first(world: World) -> None:
    assert order_of(world, lasting(a=5, b=7, c=60), *toys("a b c")) == "c b b@ a a@ c@"


def test_one_worker_tries_each_wheel_as_soon_as_it_is_there(world: World) -> None:
    assert order_of(world, lasting(a=5, b=7, c=60), *toys("a b c"), workers=1) == "c c@ b b@ a a@"


def test_a_build_goes_before_a_trial_where_the_run_would_end_later_otherwise(world: World) -> None:
    assert order_of(world, lasting(a=30, b=30, c=30), *toys("a b c")) == "a b c a@ b@ c@"


def test_without_memory_all_builds_are_alike(world: World) -> None:
    assert order_of(world, {}, *toys("a b c d")) == "a b a@ b@ c d c@ d@"


def test_a_cell_that_was_never_built_is_expected_to_take_what_others_of_its_recipe_took(world: World) -> None:
    known = {"words/cp311-cp311-manylinux_2_31_x86_64": 90.0, **lasting(a=60)}

    order = order_of(world, known, *toys("a"), WORDS)

    assert order.split()[:3] == ["words/cp311-cp311-manylinux_2_31_x86_64", "words", "a"]


def test_every_trial_comes_after_its_build(world: World) -> None:
    order = order_of(world, lasting(stable=1), STABLE, *toys("a b")).split()

    assert all(order.index(key.partition("@")[0]) < order.index(key) for key in order if "@" in key)


@pytest.mark.parametrize(
    ("subject", "expected_s"),
    [
        pytest.param("a/x", 4.0, id="remembered"),
        pytest.param("a/new", 6.0, id="the median of the recipe's builds"),
        pytest.param("a/new@cp313", 2.0, id="the median of the recipe's trials"),
        pytest.param("b/x", None, id="nothing is known of the recipe"),
        pytest.param("image:rust", 9.0, id="an image"),
        pytest.param("image:other", None, id="images say nothing of each other"),
    ],
)
def test_what_is_expected_is_what_is_remembered(subject: str, expected_s: float | None) -> None:
    known = {"a/x": 4.0, "a/y": 8.0, "a/x@cp313": 2.0, "image:rust": 9.0}

    assert Estimates.of(known).expected_s(subject) == expected_s
