"""The keys under which every user's store holds its results: a change of code that changes them is no accident."""

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from operator import attrgetter
from pkgutil import walk_packages
from typing import Any

import pytest

import factory
from factory import guests
from factory.codec import JSON
from factory.memory import ABSENT, KEY, Stage
from factory.stages.versions import VERSIONS
from tests.doubles import keys
from tests.doubles.run import World

STAGES = sorted(VERSIONS.keys() - {*keys.HERE})


def every_stage() -> list[type[Stage[Any]]]:
    """Import the whole program, and return the classes of its stages."""
    for module in walk_packages(factory.__path__, f"{factory.__name__}."):
        if not module.name.startswith(f"{guests.__name__}."):  # they are programs, and run when they are imported
            import_module(module.name)
    # A dataclass with slots is a second class of the same name; the first may still be there.
    found = {stage.__qualname__: stage for stage in Stage.__subclasses__()}
    return [stage for _, stage in sorted(found.items()) if stage.__module__.startswith(f"{factory.__name__}.")]


@pytest.mark.parametrize("stage", every_stage(), ids=attrgetter("__qualname__"))
def test_every_stage_has_a_version_in_the_table_and_a_recorded_key_document(stage: type[Stage[Any]]) -> None:
    always = {field.metadata.get(KEY, field.name) for field in fields(stage) if ABSENT not in field.metadata}
    every = {field.metadata.get(KEY, field.name) for field in fields(stage)}

    inputs = keys.recorded_inputs(stage.NAME)

    assert VERSIONS[stage.NAME] == stage.VERSION
    assert any(always <= named <= every for named in inputs), "no recipe or function of tests/doubles/keys.py makes one"


@pytest.fixture(scope="module")
def made() -> Mapping[str, list[JSON]]:
    """Carry recipes out that reach every stage of a run."""
    return keys.made(keys.carry_out_all)


def test_the_recipes_reach_every_stage(made: Mapping[str, list[JSON]]) -> None:
    assert sorted(made.keys() - {*keys.HERE}) == STAGES


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
