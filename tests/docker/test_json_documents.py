"""What a real run writes is what the shipped schemas say."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.docker.command import Command

pytestmark = [pytest.mark.engine, pytest.mark.index]


def problems(name: str, document: object) -> list[str]:
    schema = json.loads((files("factory") / "schemas" / f"{name}-1.json").read_text(encoding="utf-8"))
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(document)]


def test_a_real_runs_json_its_events_and_the_audit_of_its_wheel_are_what_the_schemas_say(command: Command) -> None:
    recipe = command.recipe("markupsafe==3.0.4", audit={"modules": ["markupsafe._speedups"]})

    ran = command.build(recipe)

    document = json.loads((command.folder / "run.json").read_text())
    assert (ran.code, document["passed"]) == (0, True), ran.stderr
    assert problems("run", document) == []
    (events,) = (command.folder / ".factory" / "runs").glob("*/events.jsonl")
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    assert {"RunStarted", "Planned", "StepEnded", "CellEnded", "RunEnded"} <= {line["kind"] for line in lines}
    assert [problem for line in lines for problem in problems("event", line)] == []
    audited = command("audit", "--json", *(Path("dist") / name for name in command.wheels))
    assert problems("audit", json.loads(audited.stdout)) == []
