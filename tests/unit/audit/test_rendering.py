"""Descriptions that take docutils long: refused for their time, and what follows is not disturbed."""

import gc
import signal
from collections.abc import Iterator
from time import process_time

import pytest

from factory.audit.rendering import rst_problem
from tests.hostile_wheels import grid_table, nested_bullets

COSTLY = {
    "bullets": nested_bullets(4_000, 60),
    "columns": grid_table(1_900, 60),
    "fields": "".join(f":field{index}: text\n" for index in range(19_000)),
    "code": ".. code:: cpp\n\n" + f"  {'<' * 3000}\n" * 150,
}


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Collect no objects: what the timer's signal raises is lost in Hypothesis's callback of the collector."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.thorough
@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_a_description_that_takes_long_is_given_up(text: str) -> None:
    begun = process_time()

    assert rst_problem(text, cpu_s=0.25) == "rendering it takes more than 0.25 s of CPU time"
    assert process_time() - begun < 10


@pytest.mark.thorough
def test_no_timer_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGPROF)

    assert rst_problem(nested_bullets(4_000, 60))
    assert rst_problem("Title\n=====\n\n* text\n") == ""
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert signal.getsignal(signal.SIGPROF) == before
