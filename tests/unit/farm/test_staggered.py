"""The order in which a run's builds and trials stand in line."""

import pytest

from factory.farm.threads import Job
from factory.farm.work import Result, staggered


def make_jobs(text: str) -> list[Job[Result]]:
    """Make jobs named by words; none of them is run here."""

    def never() -> Result:
        raise AssertionError

    return [Job(key=name, work=never) for name in text.split()]


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        pytest.param(1, "b1 b2 t1 b3 t2 u2 t3", id="one worker"),
        pytest.param(2, "b1 b2 b3 t1 t2 u2 t3", id="two workers"),
        pytest.param(8, "b1 b2 b3 t1 t2 u2 t3", id="more workers than cells"),
    ],
)
def test_a_cells_trials_stand_behind_the_builds_that_the_other_workers_could_begin(lead: int, expected: str) -> None:
    cells = [make_jobs("b1 t1"), make_jobs("b2 t2 u2"), make_jobs("b3 t3")]

    ordered = [job.key for job in staggered(cells, lead=lead)]

    assert " ".join(ordered) == expected


def test_without_cells_there_is_nothing_to_order() -> None:
    assert list(staggered([], lead=2)) == []
