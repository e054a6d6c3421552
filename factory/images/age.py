"""How old the packages of images are: their compilers, certificates and libraries have the state of one day."""

from datetime import date
from typing import Final

from factory.engine.api import HeldImage

MADE_LABEL: Final = "wheel-factory.made"
"""The day on which an image of ours was made: its other dates are the same in every image."""

MOST_DAYS: Final = 60
"""Certificate authorities and security fixes change within months; official images are made anew every week or two."""


_PINNED_ANEW: Final = "`factory image pin` pins today's"


def made_on(image: HeldImage) -> date | None:
    """Return the day on which an image was made; None where nobody says."""
    text = image.labels.get(MADE_LABEL, "")
    try:
        return date.fromisoformat(text) if text else image.created
    except ValueError:
        return None


def old_age(name: str, made: date | None, today: date, *, is_pulled: bool) -> str:
    """Say how old an image is and what takes its place; empty where it is young, or its age is unknown."""
    if made is None or (today - made).days <= MOST_DAYS:
        return ""
    renewed = _PINNED_ANEW if is_pulled else f"`factory image build {name} --update` makes it again"
    return f"{(today - made).days} days old; {renewed}"
