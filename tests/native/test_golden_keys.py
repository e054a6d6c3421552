"""The keys of interpreters that are compiled: `sh` writes what a compiler would."""

import pytest

from tests.doubles import keys


@pytest.mark.parametrize("stage", keys.HERE)
def test_a_stage_has_the_key_documents_of_every_users_store(stage: str) -> None:
    made = keys.made(keys.compile_one)

    assert made[stage] == keys.recorded(stage), keys.CHANGED.format(stage=stage)
