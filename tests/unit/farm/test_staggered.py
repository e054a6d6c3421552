"""The order in which a run's builds and trials stand in line."""

import pytest

from factory.farm.graph import staggered


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        pytest.param(1, "b1 b2 t1 b3 t2 u2 t3", id="one worker"),
        pytest.param(2, "b1 b2 b3 t1 t2 u2 t3", id="two workers"),
        pytest.param(8, "b1 b2 b3 t1 t2 u2 t3", id="more workers than cells"),
    ],
)
def test_a_cells_trials_come_after_the_builds_that_the_other_workers_could_begin(lead: int, expected: str) -> None:
    cells = [str.split("b1 t1"), str.split("b2 t2 u2"), str.split("b3 t3")]

    ordered = list(staggered(cells, lead=lead))

    assert " ".join(ordered) == expected


def test_without_cells_there_is_nothing_to_order() -> None:
    assert list(staggered(list[list[str]](), lead=2)) == []
