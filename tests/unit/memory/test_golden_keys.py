"""The keys under which every user's store holds its results: a change of code that changes them is no accident."""

from collections.abc import Mapping

import pytest

from factory.codec import JSON
from tests.doubles import keys
from tests.doubles.run import NUMBERED_STAGES, World

MADE_BY_IMAGES = {"probe", "facts"}
ENTERS_NO_LEDGER = {"image"}
STAGES = sorted({*NUMBERED_STAGES, *MADE_BY_IMAGES} - ENTERS_NO_LEDGER)


@pytest.fixture(scope="module")
def made() -> Mapping[str, list[JSON]]:
    """Carry recipes out that reach every stage of a run."""
    return keys.made(keys.carry_out_all)


def test_the_recipes_reach_every_stage(made: Mapping[str, list[JSON]]) -> None:
    assert sorted(made) == STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_the_key_documents_of_every_users_store(made: Mapping[str, list[JSON]], stage: str) -> None:
    assert made[stage] == keys.recorded(stage), keys.CHANGED.format(stage=stage)


def test_the_tool_bundle_has_the_digest_of_every_users_store(world: World) -> None:
    digest = keys.bundle(world)

    assert digest == keys.BUNDLE.read_text(encoding="ascii").strip(), (
        "the layout or a program of the tool bundle changed: every user's builds, repairs and trials are made again; "
        "`python -m tests.doubles.keys` records it"
    )


@pytest.mark.thorough
def test_a_run_looks_in_the_engine_for_what_every_user_has_there(world: World) -> None:
    named = keys.in_the_engine(world)

    assert named == keys.recorded(keys.ENGINE.stem), (
        "the names of volumes or the labels of prepared images changed: every user's are made again, and the old ones "
        "are left behind; `python -m tests.doubles.keys` records them"
    )
