"""Which variables of the caller a recipe may read, and how it is refused otherwise."""

import pytest

from factory.errors import PlanError
from factory.host import Host, read_host
from factory.recipe.model import BuildSpec, Override
from factory.stages.pass_env import passed_variables, require_allowed, require_passed, shown_values
from tests.doubles.projects import WORDS
from tests.doubles.run import World
from tests.makers.plans import make_recipe

TOKEN = BuildSpec(pass_env=("TOKEN",))


def host_with(**env: str) -> Host:
    return read_host(env)


def test_a_recipe_whose_names_are_allowed_passes() -> None:
    require_allowed(make_recipe(build=TOKEN), host_with(FACTORY_PASS_ENV="TOKEN"), "build")
    require_allowed(make_recipe(), host_with(TOKEN="value"), "build")


def test_a_name_in_an_override_wants_to_be_allowed_too() -> None:
    override = Override(select="cp313-*", span=None, paths=(("build", "pass_env"),), build=TOKEN)

    with pytest.raises(PlanError, match=r"asks for environment variables that are not allowed: TOKEN$") as caught:
        require_allowed(make_recipe(overrides=(override,)), host_with(TOKEN="s3cr3t-word"), "plan")

    assert "factory plan" in caught.value.hint
    assert "--allow-env TOKEN" in caught.value.hint
    assert "s3cr3t-word" not in caught.value.message + caught.value.hint


def test_a_name_is_given_to_no_build_that_was_not_asked_for_before() -> None:
    with pytest.raises(PlanError, match="not allowed"):
        passed_variables(TOKEN, host_with(TOKEN="value"))


def test_a_value_that_is_not_text_is_refused_without_quoting_it() -> None:
    with pytest.raises(PlanError, match=r"^the value of TOKEN is not UTF-8$"):
        passed_variables(TOKEN, host_with(TOKEN="s3cr3t\udcff", FACTORY_PASS_ENV="TOKEN"))


def test_a_variable_that_is_not_set_is_named_with_how_to_set_it() -> None:
    with pytest.raises(PlanError, match=r"^the environment has no TOKEN, which build.pass-env asks for$") as caught:
        passed_variables(TOKEN, host_with(FACTORY_PASS_ENV="TOKEN"))

    assert "TOKEN=… factory build" in caught.value.hint


def test_an_error_of_a_cells_variables_names_the_recipe(world: World) -> None:
    planned = world.planned(WORDS)

    assert require_passed(planned, world.host) == {"TOKEN": "t0ps3cret-word"}
    with pytest.raises(PlanError, match=r"words\.yaml: the environment has no TOKEN"):
        require_passed(planned, host_with(FACTORY_PASS_ENV="TOKEN"))


def test_values_that_are_too_short_to_be_hidden_are_named() -> None:
    assert shown_values({"CI": "1", "LEVEL": "3.1", "TOKEN": "s3cr3t", "EMPTY": ""}) == (
        "CI, LEVEL: shorter than 4 characters, so logs show the value"
    )
    assert shown_values({"TOKEN": "s3cr3t", "EMPTY": ""}) == ""
