"""What --json writes is what the shipped schemas say, with nothing unlisted in it."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from factory import codec
from factory.audit import Audit, Expectation, audit
from factory.catalogue import Waiver
from factory.cli import main
from factory.digest import Digest
from factory.events.model import (
    CellEnded,
    Event,
    JobEnded,
    JobStarted,
    Planned,
    Progress,
    RecipeFailed,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
    TrialResult,
    WorkStarted,
)
from factory.events.recorder import Recorder
from factory.failure import Failure
from factory.plan.model import Skip
from factory.repair import Removed, Repair
from factory.report.documents import RunDocument, render_json
from factory.tags import Abi3Floor, Interpreter
from factory.wheel import read_wheel
from tests.makers.objects import make_module
from tests.makers.runs import make_artifact, make_cell, make_plan, make_record, make_run
from tests.makers.wheels import MODULE, make_wheel

NAMES = ("recipe", "plan", "run", "audit", "images", "event")
RECIPE = "factory: 1\nname: demo\nsource: {path: .}\ninterpreters: cp39..cp313\nplatforms: [manylinux_2_31_x86_64]\n"
PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACTORY_STORE", str(tmp_path / "store"))
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "demo.yaml").write_text(RECIPE)
    return folder / "demo.yaml"


def run_factory(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def problems(name: str, document: str) -> list[str]:
    validator = Draft202012Validator(json.loads(run_factory("schema", name).stdout))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(document))]


def audited(folder: Path) -> Audit:
    """A verdict with every part: a finding that stands, one that is waived, a floor and a platform."""
    path = make_wheel(folder, {MODULE: make_module(needed=["libpython3.11.so.1.0"], undefined=["a@GLIBC_2.34"])})
    waiver = Waiver(rule="libpython-linked", reason="it embeds", until=date(2030, 1, 1))
    verdict = audit(read_wheel(path), Expectation(waivers=(waiver,)), date(2026, 1, 1))
    assert {finding.waived is None for finding in verdict.findings} == {True, False}
    return replace(verdict, floor=Abi3Floor(9))


def eventful(verdict: Audit) -> list[Event]:
    """One event of each kind, with every field of what they hold filled."""
    wheel = make_artifact(b"x", "spam-1.0-cp313-cp313-manylinux_2_31_x86_64.whl")
    failure = Failure(step="trial", message="no", log="a.log", hint="mend it")
    trial = TrialResult(interpreter=Interpreter(13), image="trial", outcome="failed", failure=failure)
    repair = Repair(grafts=("spam.libs/a.so",), removed=(Removed(member=MODULE, needed="liba.so"),), tags=frozenset())
    cell = replace(make_cell(), floor=Abi3Floor(9), untried=(Interpreter(14, free_threaded=True),))
    skip = Skip(subject="cp310", reason="nobody", kind="recipe")
    plan = replace(make_plan(cell), skips=(skip,), notes=("a note",))
    record = replace(
        make_record("failed", cell=cell, wheel=wheel, failure=failure, trials=(trial,)),
        built=wheel,
        before=verdict,
        repair=replace(repair, tags=cell.wheel_tag.expanded),
        after=verdict,
        seconds={"build": 1.5},
    )
    at = "2026-01-01T00:00:00.000Z"
    return [
        RunStarted(run="r1", at=at, version="0", folder=".factory/runs/r1"),
        Planned(plan=plan),
        WorkStarted(at=at, workers=2),
        JobStarted(subject=cell.address, at=at),
        JobEnded(subject=cell.address, at=at),
        StepStarted(subject=cell.address, step="build", at=at),
        StepEnded(subject=cell.address, step="build", at=at, duration_s=1.0, outcome="passed"),
        Progress(subject="image:x", text="unpacking"),
        TrialEnded(address=f"{cell.address}@cp313", trial=trial),
        CellEnded(record=record),
        RecipeFailed(recipe="ham", message="no", hint="yes", exit_code=3),
        RunEnded(at=at, duration_s=2.0, containers=1),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(name: str) -> None:
    schema = json.loads(run_factory("schema", name).stdout)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_plan_writes_what_its_schema_says(recipe: Path) -> None:
    result = run_factory("plan", "--json", recipe)

    document = json.loads(result.stdout)
    assert problems("plan", result.stdout) == []
    assert document["plans"][0]["file"] == str(recipe)
    assert document["plans"][0]["skips"][0]["subject"].startswith("cp39")


def test_audit_writes_what_its_schema_says_and_a_finding_is_an_object(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {MODULE: make_module(needed=["libpython3.11.so.1.0"])})

    result = run_factory("audit", "--json", wheel)

    (only,) = json.loads(result.stdout)["audits"]
    assert result.exit_code == 1
    assert problems("audit", result.stdout) == []
    assert set(only["audit"]["findings"][0]) == {"rule", "severity", "subject", "message", "evidence", "waived"}


def test_a_run_with_everything_in_it_is_what_its_schema_says(tmp_path: Path) -> None:
    run = make_run(*eventful(audited(tmp_path))[1:])

    assert problems("run", render_json(RunDocument(passed=run.passed, run=run))) == []


def test_every_line_of_a_runs_events_is_what_the_schema_says(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run", lambda _: None) as recorder:
        for event in eventful(audited(tmp_path)):
            recorder.emit(event)

    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()

    assert len(lines) == 12
    assert [problem for line in lines for problem in problems("event", line)] == []


def test_a_field_that_no_schema_lists_is_refused() -> None:
    run = codec.dump(make_run())
    assert isinstance(run, dict)

    found_problems = problems("run", json.dumps({"schema": 1, "passed": True, "run": {**run, "surprise": 1}}))

    assert found_problems == ["$.run: Additional properties are not allowed ('surprise' was unexpected)"]


def test_a_digest_is_text_with_its_algorithm() -> None:
    assert codec.dump(Digest.of(b"")) == f"sha256:{Digest.of(b'').hex}"


def test_recipes_that_are_good_fit_the_schema_for_editors() -> None:
    validator = Draft202012Validator(json.loads(run_factory("schema").stdout))
    recipes = sorted((Path(__file__).parents[3] / "recipes").glob("*.yaml"))

    found_problems = {
        path.name: [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))]
        for path in recipes
    }

    assert recipes
    assert {name for name, messages in found_problems.items() if messages} == set()
