"""Every field of the format is needed by a recipe or an example of ours, or by a test that is named for it."""

import pytest

from tools.shown_fields import PROVEN, README, REPOSITORY, fields, rendered, shown


@pytest.mark.parametrize("name", fields())
def test_a_field_is_in_a_recipe_of_ours_or_proven_by_a_test(name: str) -> None:
    assert shown()[name] or name in PROVEN


@pytest.mark.parametrize("name", PROVEN)
def test_the_test_that_proves_a_field_has_it_in_a_recipe(name: str) -> None:
    text = (REPOSITORY / "tests" / PROVEN[name]).read_text(encoding="utf-8")
    field = name.rpartition(".")[2]

    assert f'"{field}"' in text or f"{field}=" in text


def test_the_readme_says_where() -> None:
    """`python -m tools.generated` rewrites it."""
    assert README.read_text(encoding="utf-8") == rendered()
