"""Hints about what PyO3 lacks under the floor of a plan."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from packaging.version import Version

from factory.plan.gaps import GAPS, gap_notes
from factory.project.model import Pyo3, Pyo3Use, Usage
from factory.tags import Abi3Floor
from tests.makers.plans import make_plan, make_project, make_recipe


def notes(usage: Usage, floor: str, version: str | None = "0.29") -> list[str]:
    pyo3 = Pyo3(
        version=Version(version) if version else None,
        features=frozenset(),
        uses=(Pyo3Use(usage=usage, place="src/lib.rs:7"),),
    )
    return [*gap_notes(pyo3, Abi3Floor.parse(floor))]


@pytest.mark.parametrize(
    ("usage", "lacks", "has"),
    [
        ("text_signature", "cp39", "cp310"),
        ("dict", "cp38", "cp39"),
        ("weakref", "cp38", "cp39"),
        ("buffer", "cp310", "cp311"),
        ("native base", "cp311", "cp312"),
        ("immutable_type", "cp313", "cp314"),
    ],
)
def test_a_floor_that_lacks_what_is_used_is_noted_and_the_next_one_is_not(usage: Usage, lacks: str, has: str) -> None:
    (note,) = notes(usage, lacks)

    assert note.startswith(f"src/lib.rs:7: {GAPS[usage].what} needs an abi3 floor of {has} or newer; it is {lacks}: ")
    assert notes(usage, has) == []


@pytest.mark.parametrize(
    ("usage", "old", "new"), [("datetime", "0.24.2", "0.25.0"), ("native base", "0.27.2", "0.28.2")]
)
def test_a_pyo3_that_lacks_what_is_used_is_noted(usage: Usage, old: str, new: str) -> None:
    (note,) = notes(usage, "cp312", old)

    assert f"needs PyO3 {GAPS[usage].since} or newer under abi3; it is {old}" in note
    assert notes(usage, "cp312", new) == []


def test_both_are_named_where_both_are_too_old() -> None:
    (note,) = notes("native base", "cp39", "0.27.2")

    assert "needs PyO3 0.28 or newer and a floor of cp312 under abi3" in note


@pytest.mark.parametrize("version", ["0.28.0", "0.28.1"])
def test_releases_that_corrupt_memory_are_named(version: str) -> None:
    (note,) = notes("native base", "cp312", version)

    assert f"corrupts memory under abi3 with PyO3 {version} (PyO3#5823); update to 0.28.2 or newer" in note


def test_a_pyo3_without_a_lock_counts_as_the_newest() -> None:
    assert notes("datetime", "cp38", None) == []
    assert len(notes("dict", "cp38", None)) == 1


def test_a_plan_has_the_notes_of_its_lowest_floor() -> None:
    assert noted("cp38", listed="cp39 cp313") == ["src/lib.rs:7"]
    assert noted("cp39", listed="cp39 cp313") == []


def test_a_wheel_per_version_has_no_such_gap() -> None:
    assert noted(None, listed="cp39 cp313") == []


def noted(floor: str | None, *, listed: str) -> list[str]:
    project = make_project(backend="maturin", pyo3="0.29", floor=floor)
    assert project.pyo3 is not None
    used = replace(project.pyo3, uses=(Pyo3Use(usage="dict", place="src/lib.rs:7"),))
    return places(make_plan(make_recipe(listed), replace(project, pyo3=used)).notes)


def places(sentences: Iterable[str]) -> list[str]:
    return [sentence.partition(": ")[0] for sentence in sentences if sentence.startswith("src/")]
