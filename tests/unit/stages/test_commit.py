"""A git source: its revision is pinned once, and its commit is packed once."""

from factory.stages.commit import Pinned
from tests.doubles.projects import HASHES
from tests.doubles.run import COMMIT, World


def notes_of(world: World) -> tuple[str, ...]:
    return world.planned(HASHES).plan.notes


def test_a_commit_that_is_remembered_has_the_note_of_the_revision_by_which_it_was_asked_for(world: World) -> None:
    world.answers[Pinned] = Pinned(commit=COMMIT, notes=("main is a branch",))
    first = notes_of(world)
    world.forget("source")
    world.answers[Pinned] = Pinned(commit=COMMIT)
    second = notes_of(world)

    assert "main is a branch" in first
    assert "main is a branch" not in second


def test_a_revision_is_asked_for_once_and_again_with_update(world: World) -> None:
    world.planned(HASHES)
    world.answers[Pinned] = Pinned(commit="0" * 40, notes=("it moved",))
    remembered = notes_of(world)
    world.update = True
    updated = notes_of(world)

    assert "it moved" not in remembered
    assert "it moved" in updated


def test_another_commit_is_another_tree_in_the_store(world: World) -> None:
    world.planned(HASHES)
    world.answers[Pinned] = Pinned(commit="0" * 40)
    world.update = True

    world.planned(HASHES)

    assert len(world.remembered()["commit"]) == 2
