"""Frozen values as JSON, and the errors of JSON that is no such value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Literal

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.codec import ABSENT, INLINED, JSON, WRITTEN_AS, CodecError, dump, load
from factory.digest import Digest
from factory.tags import Abi3Floor, Interpreter, PlatformTag, WheelTag


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    radius: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    side: int
    centre: "Circle | Square | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    shape: Circle | Square
    shapes: Mapping[str, Circle | Square]
    size: tuple[int, int] = (1, 1)
    count: int | None = None
    mood: Literal["good", "bad"] = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    text: str = field(metadata={WRITTEN_AS: "name"})
    under: Square | None = field(metadata={INLINED: Square})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A record whose second field came later."""

    name: str
    year: int = field(default=0, metadata={ABSENT: True})


def box(kind: object) -> type:
    return dataclass(frozen=True)(type("Box", (), {"__annotations__": {"value": kind}}))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        pytest.param(Version, Version("1.0.post1"), "1.0.post1", id="version"),
        pytest.param(Requirement, Requirement("a[b]>1; os_name=='x'"), 'a[b]>1; os_name == "x"', id="requirement"),
        pytest.param(SpecifierSet, SpecifierSet(">=3.9,<4"), "<4,>=3.9", id="specifiers"),
        pytest.param(NormalizedName, NormalizedName("a-b"), "a-b", id="name"),
        pytest.param(Digest, Digest.of(b""), f"sha256:{Digest.of(b'').hex}", id="digest"),
        pytest.param(Interpreter, Interpreter(14, free_threaded=True), "cp314t", id="interpreter"),
        pytest.param(Abi3Floor, Abi3Floor(9), "cp39", id="floor"),
        pytest.param(PlatformTag, PlatformTag("musl", 1, 2, "x86_64"), "musllinux_1_2_x86_64", id="platform"),
        pytest.param(
            WheelTag, WheelTag.parse("cp39-abi3-manylinux_2_28_x86_64"), "cp39-abi3-manylinux_2_28_x86_64", id="tag"
        ),
        pytest.param(
            frozenset[Tag],
            frozenset({Tag("cp39", "abi3", "any"), Tag("cp38", "abi3", "any")}),
            ["cp38-abi3-any", "cp39-abi3-any"],
            id="set of tags, sorted",
        ),
        pytest.param(Path, Path("/a"), "/a", id="host path"),
        pytest.param(PurePosixPath, PurePosixPath("/a"), "/a", id="container path"),
        pytest.param(date, date(2027, 1, 1), "2027-01-01", id="date"),
        pytest.param(datetime, datetime(2027, 1, 1, tzinfo=UTC), "2027-01-01T00:00:00+00:00", id="time"),
        pytest.param(Colour, Colour.RED, "red", id="enum"),
        pytest.param(tuple[str, ...], ("b", "a"), ["b", "a"], id="tuple"),
        pytest.param(Mapping[str, tuple[str, ...]], {"a": ("b",)}, {"a": ["b"]}, id="mapping"),
        pytest.param(int | None, None, None, id="nothing"),
        pytest.param(Abi3Floor | None, Abi3Floor(9), "cp39", id="something"),
        pytest.param(float, 1, 1, id="whole number as a fraction"),
        pytest.param(Circle | Square, Circle(radius=1), {"kind": "Circle", "radius": 1}, id="member of a union"),
    ],
)
def test_each_type_has_one_json_form_and_comes_back(kind: object, value: object, expected: JSON) -> None:
    holder = box(kind)

    written = dump(holder(value))

    assert written == {"value": expected}
    assert json.loads(json.dumps(written)) == written
    assert load(written, holder) == holder(value)


def test_values_nest() -> None:
    picture = Picture(shape=Square(side=1, centre=Circle(radius=2)), shapes={"a": Circle(radius=3)}, count=4)

    assert load(json.loads(json.dumps(dump(picture))), Picture) == picture


@pytest.mark.parametrize(
    ("label", "written"),
    [
        pytest.param(Label(text="a", under=Square(side=1)), {"name": "a", "side": 1, "centre": None}, id="filled"),
        pytest.param(Label(text="a", under=None), {"name": "a", "side": None, "centre": None}, id="empty"),
    ],
)
def test_a_field_may_have_another_name_or_its_own_fields_in_its_place(label: Label, written: JSON) -> None:
    assert dump(label) == written
    assert load(written, Label) == label
    with pytest.raises(CodecError, match="required field missing"):
        load({"name": "a"}, Label)


def test_a_mapping_that_was_read_cannot_be_changed() -> None:
    picture = load(dump(Picture(shape=Circle(radius=1), shapes={})), Picture)

    assert isinstance(picture.shapes, MappingProxyType)


GOOD: Mapping[str, JSON] = {"shape": {"kind": "Circle", "radius": 1}, "shapes": {}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"count": "3"}, "'3' is not of type int @ value.count", id="text for a number"),
        pytest.param({"count": True}, "True is not of type int @ value.count", id="boolean for a number"),
        pytest.param({"sise": []}, "extra fields found (sise) @ value", id="unknown field"),
        pytest.param({"shape": {"kind": "Star"}}, "kind is 'Star', not one of Circle, Square @ value.shape", id="kind"),
        pytest.param({"shape": {"kind": "Circle"}}, "required field missing @ value.shape.radius", id="missing field"),
        pytest.param({"shape": 5}, "5 is not a table @ value.shape", id="no table"),
        pytest.param({"shapes": {"a": {"kind": "Circle", "radius": ""}}}, "value.shapes['a'].radius", id="deep below"),
    ],
)
def test_an_error_names_the_field(change: Mapping[str, JSON], message: str) -> None:
    with pytest.raises(CodecError) as caught:
        load({**GOOD, **change}, Picture)

    assert message in str(caught.value)


@pytest.mark.parametrize("json_value", [5, None, "text", []], ids=["number", "null", "text", "list"])
def test_what_is_no_table_is_no_record(json_value: JSON) -> None:
    with pytest.raises(CodecError, match="is not a table"):
        load(json_value, Picture)


@pytest.mark.parametrize("value", [object(), b"bytes", (object(),)], ids=["object", "bytes", "inside"])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        dump(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(Dated(name="a"), {"name": "a"}, id="as documents were before the field"),
        pytest.param(Dated(name="a", year=3), {"name": "a", "year": 3}, id="with the field"),
    ],
)
def test_a_field_that_came_later_is_absent_where_it_has_its_default(value: Dated, written: JSON) -> None:
    assert dump(value) == written
    assert dump(box(Dated)(value)) == {"value": written}
    assert load(written, Dated) == value
