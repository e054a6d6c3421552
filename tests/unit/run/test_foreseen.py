"""What a next run would make again, told before it, against what a run has really remembered."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from factory.digest import Digest
from factory.events.model import CellRecord
from factory.run.foreseen import Foresight
from tests.doubles.projects import HASHES, PLAIN, STABLE, WORDS, programs
from tests.doubles.run import TODAY, ToyTools, World


def foreseen(world: World, text: str, record: CellRecord, tools: Digest | None = None) -> dict[str, Sequence[str]]:
    """Tell of one cell; requirements are answered by the double, so that no document of them is remembered."""
    foresight = Foresight(
        tools=tools or ToyTools(files=(), store=world.store).digest,
        host=world.host,
        today=TODAY,
        document_of=lambda material: (
            None if (entry := world.store.peek(material.stage, material.key)) is None else entry.document
        ),
        file_name=lambda _: None,
    )
    planned = world.planned(text)
    cell = next(cell for cell in planned.plan.cells if cell.address == record.cell.address)
    told = foresight.told(planned.at(cell), cell, record)
    return {stage: clauses for stage, clauses in told if stage != "resolve"}


@pytest.mark.parametrize("text", [PLAIN, WORDS, STABLE, HASHES], ids=["plain", "words", "stable", "hashes"])
def test_nothing_is_foreseen_where_a_next_run_makes_nothing(world: World, text: str) -> None:
    world.engine.commands = programs
    run = world.run(text)
    assert run.passed
    again = world.run(text)

    assert all(record.status == "cached" for record in again.records)
    assert [foreseen(world, text, record) for record in run.records] == [{}] * len(run.records)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(
            "touch generated.c",
            "touch other.c",
            {"build": ("command 1: touch generated.c → touch other.c",)},
            id="before",
        ),
        pytest.param("COLOUR: blue", "COLOUR: red", {"build": ("variable: COLOUR: blue → red",)}, id="a variable"),
        pytest.param(
            "modules: [words.core]",
            "modules: [words.other]",
            {"audit": ('what is expected of the wheel: modules: ["words.core"] → ["words.other"]',)},
            id="a field of the audit",
        ),
    ],
)
def test_what_changes_in_a_recipe_is_foreseen(world: World, old: str, new: str, told: dict[str, Sequence[str]]) -> None:
    world.engine.commands = programs
    record = world.run(WORDS).records[0]

    assert foreseen(world, WORDS.replace(old, new), record) == told


def test_other_tools_are_foreseen_in_every_stage_that_uses_them(world: World) -> None:
    world.engine.commands = programs
    record = world.run(PLAIN).records[0]

    told = foreseen(world, PLAIN, record, Digest.of(b"newer"))

    assert set(told) == {"prepare", "build", "repair", "trial"}
    assert all(clause.startswith("the factory's own tools: ") for clauses in told.values() for clause in clauses)


def test_a_passed_variable_is_foreseen_without_its_value(world: World) -> None:
    world.engine.commands = programs
    record = world.run(WORDS).records[0]
    world.host = replace(world.host, variables={**world.host.variables, "TOKEN": "another-value"})

    (told,) = foreseen(world, WORDS, record)["build"]

    assert told == "variable TOKEN, which the recipe passes: another value"


def test_a_result_that_the_store_lost_is_foreseen(world: World) -> None:
    world.engine.commands = programs
    record = world.run(PLAIN).records[0]
    world.forget("build")

    assert foreseen(world, PLAIN, record) == {"build": ("the store no longer has the result",)}


def test_a_stage_whose_version_rose_is_foreseen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.engine.commands = programs
    record = world.run(PLAIN).records[0]
    monkeypatch.setattr("factory.run.foreseen.VERSIONS", {"repair": 99})

    (told,) = foreseen(world, PLAIN, record)["repair"]

    assert told.startswith("the factory's stage repair changed from version ")
    assert told.endswith(" to 99")
