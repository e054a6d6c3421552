"""A wheel that Bazel builds: what its container is asked, once for each interpreter."""

import json
from pathlib import Path

import pytest

from tests.doubles.engine import Answer
from tests.doubles.looking import calls_of, failure_of, values
from tests.doubles.projects import BAZELS, TARGETS, instead, sources_of
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


def project(folder: Path, *, edit: str = "", build: str = "") -> str:
    """A recipe for a folder, of which a file holds the edit."""
    for name, text in sources_of("targets").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + (edit if name == "core.c" else ""), encoding="utf-8")
    asked = TARGETS.replace("interpreters: [cp311, cp313]", "interpreters: [cp313]") + build
    line = next(line for line in asked.splitlines() if line.startswith("source:"))
    return asked.replace(line, f"source: {{path: {json.dumps(str(folder))}}}")


def left(world: World) -> bytes | None:
    """What the last build by Bazel left in its cache."""
    return calls_of(world, "bazel")[-1].files.read(BAZELS)


def test_a_build_after_an_edit_begins_with_what_the_last_one_left(world: World, tmp_path: Path) -> None:
    world.run(project(tmp_path))
    world.run(project(tmp_path, edit="int edited;"))

    assert left(world) == b"++"


def test_another_project_has_a_cache_of_its_own(world: World, tmp_path: Path) -> None:
    world.run(project(tmp_path / "one"))
    world.run(project(tmp_path / "two", edit="int other;"))

    assert left(world) == b"+"


def test_another_interpreter_has_a_cache_of_its_own(world: World, tmp_path: Path) -> None:
    world.run(project(tmp_path))
    world.run(project(tmp_path).replace("cp313", "cp311"))

    assert left(world) == b"+"


def test_no_cache_builds_from_nothing_and_keeps_that(world: World, tmp_path: Path) -> None:
    world.run(project(tmp_path))
    world.fresh = True
    world.run(project(tmp_path, edit="int edited;"))
    first = left(world)
    world.fresh = False
    world.run(project(tmp_path, edit="int more;"))

    assert (first, left(world)) == (b"+", b"++")


def test_what_may_hold_secret_values_is_not_kept(world: World, tmp_path: Path) -> None:
    passed = "  pass-env: [TOKEN]\n"
    world.run(project(tmp_path, build=passed))
    world.run(project(tmp_path, build=passed, edit="int edited;"))

    assert left(world) == b"+"


def test_a_cache_that_grew_too_large_is_not_kept(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run(project(tmp_path))
    monkeypatch.setattr("factory.stages.bazel_cache.LIMIT_BYTES", 1)
    world.run(project(tmp_path, edit="int edited;"))
    monkeypatch.undo()
    world.run(project(tmp_path, edit="int more;"))

    assert left(world) == b"++", "what the first build left"
