"""Plans on the official images, as they declare themselves: every interpreter is tried, on one image or another."""

import pytest

from factory.images.known import declared
from factory.plan.planner import plan
from tests.makers.plans import TODAY, make_project, make_recipe

NEW, OLD = "manylinux_2_28_x86_64", "manylinux2014_x86_64"


@pytest.mark.parametrize("platform", [NEW, "musllinux_1_2_x86_64"])
def test_no_interpreter_of_an_official_image_is_without_a_trial(platform: str) -> None:
    recipe = make_recipe("cp310 cp312 cp313 cp314t", platforms=platform)

    planned = plan(recipe, make_project(), declared(), families=("pypa",), today=TODAY)

    assert len(planned.cells) == 4
    assert [trial for cell in planned.cells for trial in cell.trials if trial.image is None] == []


def test_what_no_plain_image_has_is_tried_where_it_is_built_and_the_plan_says_how_to_have_one() -> None:
    recipe = make_recipe("cp310 cp313", platforms=NEW)

    planned = plan(recipe, make_project(), declared(), families=("pypa",), today=TODAY)

    where_built = {str(trial.interpreter): trial.where_built for cell in planned.cells for trial in cell.trials}
    assert where_built == {"cp310": True, "cp313": False}
    assert any("factory image pin --trial python:3.10-slim" in note for note in planned.notes)
