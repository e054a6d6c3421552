"""How old an image is, by what says so, and from when on that is told."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from factory.catalogue import BOOTSTRAPPED, OFFICIAL, PINNED_FAMILY, RECIPE_FAMILY
from factory.engine.about import held_image
from factory.engine.api import HeldImage
from factory.images.age import MADE_LABEL, MOST_DAYS, is_old, made_on, old_age

TODAY = date(2026, 11, 30)
HELD = HeldImage(id="sha256:0", architecture="amd64", size_bytes=1, labels={}, env={})


@pytest.mark.parametrize(
    ("created", "made"),
    [
        ("2026-10-26T08:00:00.123456789Z", date(2026, 10, 26)),
        ("1970-01-01T00:00:00Z", None),
        ("1980-01-01T00:00:01Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_an_engine_says_when_an_image_was_made_unless_its_maker_hid_it(created: str, made: date | None) -> None:
    answer = {"Id": "sha256:0", "Architecture": "amd64", "Size": 1, "Config": None, "Created": created}

    assert held_image(answer).created == made


def test_a_label_of_ours_comes_before_the_engines_word() -> None:
    image = replace(HELD, labels={MADE_LABEL: "2026-09-01"}, created=date(2026, 1, 1))

    assert made_on(image) == date(2026, 9, 1)
    assert made_on(replace(image, labels={})) == date(2026, 1, 1)
    assert made_on(replace(image, labels={MADE_LABEL: "soon"})) is None


def test_an_image_is_old_after_sixty_days_and_the_command_fits_its_kind() -> None:
    young, old = TODAY - timedelta(MOST_DAYS), TODAY - timedelta(MOST_DAYS + 1)

    assert old_age("x", young, TODAY, family="trial") == ""
    assert old_age("x", None, TODAY, family="trial") == ""
    assert (is_old(young, TODAY), is_old(old, TODAY), is_old(None, TODAY)) == (False, True, False)
    said = [
        old_age(name, old, TODAY, family=family)
        for name, family in (
            ("trial-trixie", "trial"),
            ("lookalike-x", BOOTSTRAPPED),
            ("pypa-x", OFFICIAL),
            ("python:3.9-slim", PINNED_FAMILY),
            ("quay.io/a/b@sha256:0", RECIPE_FAMILY),
        )
    ]
    assert said == [
        "61 days old; `factory image build trial-trixie --update` makes it again",
        "61 days old; `factory image build lookalike-x --update` makes it again",
        "61 days old; `factory image pin` pins today's",
        "61 days old; `factory image pin --trial python:3.9-slim` pins today's",
        "61 days old; `factory image pin quay.io/a/b:TAG` prints today's, to be written into the recipe",
    ]
