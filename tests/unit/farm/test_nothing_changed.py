"""What a second run does again after an edit: nothing where nothing changed, and never more than the edit asks for."""

from collections import Counter

import pytest

from factory.digest import Digest
from factory.project.read import read_project
from tests.doubles.looking import calls_of
from tests.doubles.projects import HASHES, PLAIN, STABLE, STEPS, WORDS
from tests.doubles.run import World

MANY = 20
REMEMBERED_FACTS = ("contents", "manifests", "project", "tree")


def done_by(world: World, *texts: str) -> tuple[Counter[str], int]:
    """Run recipes; count the commands in containers by their steps, and the archives that were read."""
    before = {step: len(calls_of(world, step)) for step in STEPS}
    started, read = len(world.engine.started), world.read
    assert world.run(*texts).passed
    done = Counter({step: len(calls_of(world, step)) - before[step] for step in STEPS})
    return +done + Counter({"container": len(world.engine.started) - started}), world.read - read


@pytest.mark.thorough
def test_forty_cells_of_which_none_changed_start_and_read_nothing(world: World) -> None:
    texts = [WORDS.replace("words", f"words{number}") for number in range(MANY)]
    world.run(*texts)

    done, read = done_by(world, *texts)

    assert (+done, read) == (Counter(), 0)


def test_no_source_is_parsed_and_no_wheel_is_read_where_nothing_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(WORDS, HASHES, PLAIN, STABLE)
    monkeypatch.setattr("factory.stages.tree.read_project", _refuse)
    monkeypatch.setattr("factory.stages.manifests.fetch_folder", _refuse)

    done, read = done_by(world, WORDS, HASHES, PLAIN, STABLE)

    assert (+done, read) == (Counter(), 0)


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("it was remembered")


def test_a_comment_in_a_recipe_does_nothing(world: World) -> None:
    world.run(WORDS)

    commented = WORDS.replace("platforms:", "# all that matter\nplatforms:")

    done, read = done_by(world, f"# why\n{commented}")

    assert (+done, read) == (Counter(), 0)


def test_an_edited_test_command_is_tried_and_builds_nothing(world: World) -> None:
    world.run(WORDS)

    done, _ = done_by(world, WORDS.replace("pytest {source}/tests", "pytest -x {source}/tests"))

    assert done["test"] == 2
    assert done["container"] == 2
    assert not any(done[step] for step in ("requirements", "build", "repair", "load"))


def test_an_edited_gate_rule_is_judged_anew_and_builds_and_tries_nothing(world: World) -> None:
    world.run(WORDS)
    judged = len(world.remembered()["audit"])

    done, read = done_by(world, WORDS.replace("until: 2027-01-01", "until: 2027-02-02"))

    assert +done == Counter()
    assert len(world.remembered()["audit"]) == 2 * judged
    assert read == judged


def test_a_gate_of_other_code_judges_every_wheel_anew_and_builds_and_tries_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run(WORDS)
    judged = len(world.remembered()["audit"])
    monkeypatch.setattr("factory.stages.audit.gate_identity", lambda: Digest.of(b"another gate"))

    done, _ = done_by(world, WORDS)

    assert +done == Counter()
    assert len(world.remembered()["audit"]) == 2 * judged


@pytest.mark.parametrize("stage", REMEMBERED_FACTS)
def test_a_damaged_fact_is_read_anew_and_reported(world: World, stage: str) -> None:
    world.run(HASHES)
    (damaged,) = (world.store.path / "ledger" / stage).iterdir()
    damaged.write_bytes(damaged.read_bytes()[:-1])

    done, read = done_by(world, HASHES)

    assert +done == Counter()
    assert any(text.startswith(f"{stage} ") and text.endswith("is damaged") for text in world.said)
    assert read == 1
    assert done_by(world, HASHES) == (Counter(), 0)


def test_a_remembered_tree_has_the_files_of_the_source(world: World) -> None:
    read, known = world.planned(PLAIN), world.planned(PLAIN)
    count = world.read

    assert (known.tree.digest, known.tree.epoch_s) == (read.tree.digest, read.tree.epoch_s)
    assert world.read == count
    assert (known.tree.paths, known.tree.extents) == (read.tree.paths, read.tree.extents)
    assert known.tree.read("pyproject.toml") == read.tree.read("pyproject.toml")
    assert read_project(known.tree) == known.project
    assert world.read == count + 1
