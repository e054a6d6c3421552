"""The names of steps."""

from typing import get_args

from factory.steps import STEP_NAMES, StepName


def test_every_step_says_what_it_does() -> None:
    assert set(STEP_NAMES) == set(get_args(StepName))
    assert all(text.endswith(".") for text in STEP_NAMES.values())
