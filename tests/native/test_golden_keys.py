"""The keys of what is made by a program or fetched from a server: `sh` writes what a compiler would."""

from collections.abc import Mapping

import pytest

from factory.codec import JSON
from tests.doubles import keys


@pytest.fixture(scope="module")
def made() -> Mapping[str, list[JSON]]:
    return keys.made_here()


@pytest.mark.parametrize("stage", keys.HERE)
def test_a_stage_has_the_key_documents_of_every_users_store(stage: str, made: Mapping[str, list[JSON]]) -> None:
    assert made[stage] == keys.recorded(stage), keys.CHANGED.format(stage=stage)
