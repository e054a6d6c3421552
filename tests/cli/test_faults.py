"""A fault of the factory's own, in the program: one recipe or wheel ends by it, with exit code 70, and no other."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.program import RECIPE, Ended, Program, write_project
from tests.faults import with_fault
from tests.makers.wheels import make_wheel

pytestmark = pytest.mark.thorough

SARIF = json.loads((Path(__file__).parents[1] / "data/sarif-schema-2.1.0.json").read_text())


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    write_project(tmp_path)
    (tmp_path / "faulty").mkdir()
    write_project(tmp_path / "faulty", RECIPE.replace("name: demo", "name: faulty"))
    (tmp_path / "faulty.yaml").write_text(RECIPE.replace("demo", "faulty").replace("path: .", "path: faulty"))
    return Program(folder=tmp_path)


def wheel_in(folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    return str(make_wheel(folder))


def run_with(factory: Program, place: str, function: str, *arguments: str, fault: str = "recursion") -> Ended:
    return factory.shell(*with_fault(place, function, "faulty", fault), *arguments)


@pytest.mark.parametrize("fault", ["recursion", "key"])
def test_a_fault_while_one_recipe_is_planned_leaves_the_others_with_keep_going(factory: Program, fault: str) -> None:
    arguments = ("plan", "faulty.yaml", "recipe.yaml", "--keep-going", "--ids")

    ended = run_with(factory, "factory.cli.plan", "plan_recipe", *arguments, fault=fault)

    assert ended.code == 70
    assert [line.partition("/")[0] for line in ended.stdout.splitlines()] == ["demo", "demo"]
    assert "factory: faulty.yaml: internal error: " in ended.stderr
    assert "Traceback (most recent call last)" in ended.stderr
    assert ended.stderr.splitlines()[-1] == "  hint: please report it, with the traceback"


def test_a_fault_while_one_recipe_is_planned_stops_the_others_without(factory: Program) -> None:
    ended = run_with(factory, "factory.cli.plan", "plan_recipe", "plan", "faulty.yaml", "recipe.yaml", "--ids")

    assert (ended.code, ended.stdout) == (70, "")


def test_a_fault_while_one_recipe_is_read_leaves_the_others_with_keep_going(factory: Program) -> None:
    arguments = ("plan", "faulty.yaml", "recipe.yaml", "--keep-going", "--ids")

    ended = run_with(factory, "factory.recipe.parse", "parse_recipe", *arguments)

    assert ended.code == 70
    assert len(ended.stdout.splitlines()) == 2
    assert "factory: faulty.yaml: internal error: RecursionError" in ended.stderr


def test_a_fault_of_any_command_ends_it_with_70_and_is_no_bare_traceback(factory: Program) -> None:
    ended = factory.shell(*with_fault("factory.cli.audit", "run_explain", "faulty", "key"), "explain", "faulty")

    assert ended.code == 70
    assert ended.stderr.splitlines()[-2:] == [
        "factory: internal error: KeyError: 'nobody-expected-this'",
        "  hint: please report it, with the traceback",
    ]


@pytest.mark.parametrize("wheels", [("faulty",), ("faulty", "good"), ("good", "faulty")])
def test_a_fault_while_one_wheel_is_judged_leaves_the_others(factory: Program, wheels: tuple[str, ...]) -> None:
    paths = [wheel_in(factory.folder / name) for name in wheels]

    ended = run_with(factory, "factory.cli.audit", "read_wheel", "audit", "--json", *paths)
    document = json.loads(ended.stdout)

    assert ended.code == 70
    assert [row["wheel"] for row in document["audits"]] == [path for path in paths if "/good/" in path]
    assert [row["wheel"] for row in document["unjudged"]] == [path for path in paths if "/faulty/" in path]
    assert document["unjudged"][0]["message"].startswith("internal error: RecursionError")
    assert "Traceback (most recent call last)" in ended.stderr


def test_sarif_says_that_a_wheel_could_not_be_judged(factory: Program) -> None:
    paths = [wheel_in(factory.folder / name) for name in ("faulty", "good")]

    ended = run_with(factory, "factory.cli.audit", "read_wheel", "audit", "--sarif", *paths)
    document = json.loads(ended.stdout)

    jsonschema.validate(document, SARIF)
    (invocation,) = document["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("internal error: RecursionError")
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == paths[0]
