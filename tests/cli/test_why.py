"""`factory why` as a process of its own, on runs and a store that the program's own code wrote."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from factory.codec import JSON
from factory.digest import Digest
from factory.events.model import CellEnded, CellRecord, RunStarted, TrialResult
from factory.events.recorder import Recorder
from factory.failure import Failure
from factory.keys import document, key
from factory.memory import Material
from factory.store import Store
from factory.tags import Interpreter
from tests.cli.program import Program
from tests.makers.runs import make_cell

OLD, NEW = (f"sha256:{digit * 64}" for digit in "ab")
CELL = make_cell()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


def remember(folder: Path, stage: str, version: int = 1, *, from_store: bool = False, **inputs: JSON) -> Material:
    asked = document(stage, version, inputs)
    with Store.open(folder / "store") as store:
        store.ledger_put(stage, key(asked), asked, None)
    return Material(stage=stage, key=key(asked), from_store=from_store)


def run(
    folder: Path, name: str, materials: Sequence[Material], trials: Sequence[TrialResult] = (), *, fresh: bool = False
) -> None:
    record = CellRecord(cell=CELL, status="passed", materials=tuple(materials), trials=tuple(trials))
    with Recorder(folder / ".factory" / "runs" / name, lambda _: None) as recorder:
        recorder.emit(RunStarted(run=name, at="", version="0", folder=name, fresh=fresh))
        recorder.emit(CellEnded(record=record))


def requirements(folder: Path) -> None:
    files: Mapping[str, JSON] = {
        "files": [
            {"filename": "setuptools-84.0-py3-none-any.whl", "digest": OLD, "size_bytes": 1},
            {"filename": "setuptools-84.1-py3-none-any.whl", "digest": NEW, "size_bytes": 1},
        ]
    }
    asked = document("resolve", 2, {"requirements": ["setuptools"]})
    with Store.open(folder / "store") as store:
        store.ledger_put("resolve", key(asked), asked, files)


def test_what_changed_since_the_run_before_is_told(program: Program, tmp_path: Path) -> None:
    requirements(tmp_path)
    before = [
        remember(tmp_path, "build", 2, source=OLD, requirements=[OLD]),
        remember(tmp_path, "repair", image=OLD, from_store=True),
    ]
    now = [
        remember(tmp_path, "build", 3, source=NEW, requirements=[NEW]),
        remember(tmp_path, "repair", image=OLD, from_store=True),
    ]
    trial = TrialResult(
        interpreter=Interpreter(13),
        image="trial",
        outcome="passed",
        materials=(remember(tmp_path, "trial", wheel=OLD),),
    )
    run(tmp_path, "20260101T000000Z-a", before)
    run(tmp_path, "20260102T000000Z-b", now, [trial])

    ended = program("why", CELL.id)

    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        f"{CELL.address}: made build, trial cp313 in 20260102T000000Z-b, compared with 20260101T000000Z-a",
        "  build: made",
        "    the factory's stage build changed from version 2 to 3",
        "    requirement setuptools 84.0 → 84.1",
        "    the source: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb",
        "  repair: from the store, nothing changed",
        "  trial cp313: made",
        "    nothing of the run before can be compared: it did not get this far",
        "",
    ]


@pytest.mark.parametrize(
    ("fresh", "told"),
    [
        (True, "    flag --no-cache"),
        (False, "    nothing changed: the store no longer had the result, or it was damaged"),
    ],
)
def test_what_was_made_again_of_the_same_is_told(program: Program, tmp_path: Path, fresh: bool, told: str) -> None:
    material = remember(tmp_path, "build", source=OLD)
    run(tmp_path, "20260101T000000Z-a", [material])
    run(tmp_path, "20260102T000000Z-b", [material], fresh=fresh)

    assert told in program("why").stdout.splitlines()


def test_that_a_build_begins_with_nothing_kept_is_no_change(program: Program, tmp_path: Path) -> None:
    run(tmp_path, "20260101T000000Z-a", [remember(tmp_path, "build", source=OLD, project=NEW)])
    run(tmp_path, "20260102T000000Z-b", [remember(tmp_path, "build", source=OLD)], fresh=True)

    assert program("why").stdout.splitlines()[1:3] == ["  build: made", "    flag --no-cache"]


def test_a_document_that_was_swept_out_of_the_store_is_named_as_missing(program: Program, tmp_path: Path) -> None:
    gone = Material(stage="build", key=Digest.of(b"gone"), from_store=False)
    run(tmp_path, "20260101T000000Z-a", [gone])
    run(tmp_path, "20260102T000000Z-b", [remember(tmp_path, "build", source=OLD)])

    assert "the store no longer has the document of the run before" in program("why").stdout


def test_a_failure_is_told_because_it_is_not_remembered(program: Program, tmp_path: Path) -> None:
    failed = CellRecord(cell=CELL, status="failed", failure=Failure(step="build", message="no compiler"))
    with Recorder(tmp_path / ".factory" / "runs" / "r", lambda _: None) as recorder:
        recorder.emit(RunStarted(run="r", at="", version="0", folder="r"))
        recorder.emit(CellEnded(record=failed))

    assert "  build failed: no compiler; failures are not remembered" in program("why").stdout.splitlines()


def test_a_cell_that_no_run_has_is_a_usage_error_and_a_run_that_cannot_be_read_is_named(
    program: Program, tmp_path: Path
) -> None:
    run(tmp_path, "20260101T000000Z-a", [])
    (tmp_path / ".factory" / "runs" / "20260102T000000Z-b").mkdir()
    (tmp_path / ".factory" / "runs" / "20260102T000000Z-b" / "events.jsonl").write_text("{}\n")

    ended = program("why", "cp27-*")

    assert ended.code == 2
    assert "left out: .factory/runs/20260102T000000Z-b: " in ended.stderr
    assert "no run below .factory/runs has a cell that cp27-* matches" in ended.stderr


RECIPE = """\
factory: 1
name: spam
source: {path: .}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
"""
SETUP = "from setuptools import *\nsetup(name='spam', version='1.0', ext_modules=[Extension('s', ['s.c'])])\n"


def test_a_plan_tells_what_a_next_run_would_make_again(program: Program, tmp_path: Path) -> None:
    for name, text in (("recipe.yaml", RECIPE), ("setup.py", SETUP), ("s.c", "")):
        (tmp_path / name).write_text(text)
    first = program("plan", "--why")
    run(tmp_path, "20260101T000000Z-a", [remember(tmp_path, "prepare", source=OLD, novel="kept")])

    again = program("plan", "--why")

    assert (first.code, again.code) == (0, 0)
    assert first.stdout.startswith(f"{CELL.address}: no run here has it")
    head, stage, clause, *rest = again.stdout.splitlines()
    assert head == f"{CELL.address}: would be made again, compared with 20260101T000000Z-a"
    assert stage == "  prepare"
    assert clause == "    the factory's stage prepare changed from version 1 to 3"
    assert rest[0].startswith("    the source: sha256:aaaaaaaaaaaa → sha256:")
    assert rest[1].startswith("not known before a run: ")


def test_a_plans_reasons_are_for_people(program: Program) -> None:
    ended = program("plan", "--why", "--json")

    assert ended.code == 2
    assert "--why cannot be combined with --ids or --json" in ended.stderr
