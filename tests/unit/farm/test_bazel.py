"""A wheel that Bazel builds: what its container is asked, once for each interpreter."""

import json

import pytest

from tests.doubles.engine import Answer
from tests.doubles.looking import calls_of, failure_of, values
from tests.doubles.projects import TARGETS, instead
from tests.doubles.run import World


def test_bazel_is_run_once_for_each_interpreter_and_no_hook_is_called(world: World) -> None:
    run = world.run(TARGETS)

    built = calls_of(world, "bazel")
    orders = [json.loads(call.argv[-1]) for call in built]
    assert {record.status for record in run.records} == {"passed"}
    assert sorted(order["abi_tag"] for order in orders) == ["cp311", "cp313"]
    assert [call for step in ("requirements", "build") for call in calls_of(world, step)] == []
    assert values(built, "PYTHON_BIN_PATH") == {"/work/env/bin/python"}


def test_the_recipe_says_what_is_built_and_what_the_wheel_says_of_itself(world: World) -> None:
    world.run(TARGETS)

    order = json.loads(calls_of(world, "bazel")[0].argv[-1])
    assert (order["target"], order["options"], order["module"]) == ("//:core", ["--config=release"], "targets.core")
    assert (order["name"], order["version"], order["packages"]) == ("targets", "1.0", [])


def test_a_second_run_starts_no_container(world: World) -> None:
    world.run(TARGETS)
    before = len(world.engine.started)

    again = world.run(TARGETS)

    assert {record.status for record in again.records} == {"cached"}
    assert len(world.engine.started) == before


@pytest.mark.parametrize(
    ("output", "message"),
    [
        pytest.param(
            "ERROR: /work/source/x/BUILD:2:1: syntax error at 'newline': expected ,\n"
            "ERROR: Skipping '//x': no such target '//x:x': target 'x' not declared in package 'x'\n",
            "ERROR: /work/source/x/BUILD:2:1: syntax error at 'newline': expected ,",
            id="a BUILD file that cannot be read",
        ),
        pytest.param(
            "ERROR: /work/source/BUILD:4:8: Executing genrule //:core failed (Exit 1) bash failed\n\nnot today\n"
            "Target //:core failed to build\n",
            "ERROR: /work/source/BUILD:4:8: Executing genrule //:core failed (Exit 1) bash failed",
            id="an action that fails",
        ),
    ],
)
def test_bazels_own_failure_is_told_by_its_first_error(output: str, message: str, world: World) -> None:
    world.engine.commands = instead("bazel", *[Answer(code=1, output=output)] * 2)

    records = world.run(TARGETS).records

    assert {failure_of(record).message for record in records} == {message}
