"""Keys say whether anything changed."""

import math
from collections.abc import Mapping

import pytest

from factory.codec import JSON
from factory.keys import document, key


def test_the_order_of_fields_does_not_change_a_key() -> None:
    assert key({"a": 1, "b": {"c": 2, "d": 3}}) == key({"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, id="the order of a list"),
        pytest.param({"a": "1"}, {"a": 1}, id="text and number"),
        pytest.param({"a": None}, {}, id="null and absent"),
        pytest.param({"a": True}, {"a": 1}, id="true and one"),
        pytest.param({"a": "é"}, {"a": "e\u0301"}, id="two spellings of one letter"),
    ],
)
def test_whatever_can_be_told_apart_has_its_own_key(one: Mapping[str, JSON], other: Mapping[str, JSON]) -> None:
    assert key(one) != key(other)


def test_stage_and_version_are_part_of_the_key() -> None:
    keys = {key(document(stage, version, {})) for stage in ("build", "repair") for version in (1, 2)}

    assert len(keys) == 4


@pytest.mark.parametrize("value", [b"bytes", {1: "number as a name"}, object()], ids=["bytes", "number name", "object"])
def test_what_is_not_json_has_no_key(value: JSON) -> None:
    with pytest.raises(TypeError):
        key({"a": value})


def test_a_number_that_json_cannot_write_has_no_key() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        key({"a": math.nan})
