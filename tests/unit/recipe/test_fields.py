"""The table of fields: its examples read, and the reference shows it."""

from datetime import date

import pytest

from factory.form.document import Mapping, compose
from factory.form.kinds import Place
from factory.form.lines import source_of
from factory.form.problems import Problems
from factory.form.records import walk
from factory.recipe.lifetimes import LIFETIMES, supported
from factory.recipe.sections.overrides import WholeRecipe
from factory.recipe.sections.whole import TOP
from tools.recipe_table import REFERENCE, rendered

FIELDS = {name: field for name, field in walk(TOP) if not isinstance(field.kind, WholeRecipe)}


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_of_a_field_reads(name: str) -> None:
    field, problems = FIELDS[name], Problems()
    tree = compose(source_of(field.example, "example"), problems)
    assert isinstance(tree, Mapping)
    (entry,) = tree.entries

    value = field.kind.read(entry.value, Place(name, problems))

    assert entry.key == field.name
    assert problems.in_order() == ()
    assert value is not None


def test_the_reference_shows_the_table_as_it_is() -> None:
    """`python -m tools.generated` rewrites it."""
    assert REFERENCE.read_text(encoding="utf-8") == rendered()


@pytest.mark.parametrize(
    ("today", "minors"),
    [
        (date(2026, 9, 30), [10, 11, 12, 13, 14]),
        (date(2026, 10, 1), [10, 11, 12, 13, 14, 15]),
        (date(2026, 11, 1), [11, 12, 13, 14, 15]),
        (date(2027, 11, 1), [12, 13, 14, 15]),
    ],
)
def test_supported_means_released_and_not_yet_ended(today: date, minors: list[int]) -> None:
    assert [interpreter.minor for interpreter in supported(today)] == minors


def test_lifetimes_are_in_order_and_last_about_five_years() -> None:
    """PEP 602: "after 18 months of full support, security fixes until five years after release"."""
    minors = [life.minor for life in LIFETIMES]

    assert minors == list(range(minors[0], minors[-1] + 1))
    assert all(1_800 < (life.last - life.first).days < 1_900 for life in LIFETIMES)
