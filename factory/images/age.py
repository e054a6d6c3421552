"""How old the packages of images are: their compilers, certificates and libraries have the state of one day."""

from datetime import date
from typing import Final

from factory import catalogue
from factory.engine.api import HeldImage

MADE_LABEL: Final = "wheel-factory.made"
"""The day on which an image of ours was made: its other dates are the same in every image."""

MOST_DAYS: Final = 60
"""Certificate authorities and security fixes change within months; official images are made anew every week or two."""


def made_on(image: HeldImage) -> date | None:
    """Return the day on which an image was made; None where nobody says."""
    text = image.labels.get(MADE_LABEL, "")
    try:
        return date.fromisoformat(text) if text else image.created
    except ValueError:
        return None


def is_old(made: date | None, today: date) -> bool:
    """Whether an image is older than its packages should be; no image is whose age is unknown."""
    return made is not None and (today - made).days > MOST_DAYS


def old_age(name: str, made: date | None, today: date, *, family: str) -> str:
    """Say how old an image is and what takes its place; empty where it is young, or its age is unknown."""
    if made is None or not is_old(made, today):
        return ""
    return f"{(today - made).days} days old; {_renewed(name, family)}"


def _renewed(name: str, family: str) -> str:
    match family:
        case catalogue.OFFICIAL:
            return "`factory image pin` pins today's"
        case catalogue.PINNED_FAMILY:
            return f"`factory image pin --trial {name}` pins today's"
        case catalogue.RECIPE_FAMILY:
            return f"`factory image pin {name.partition('@')[0]}:TAG` prints today's, to be written into the recipe"
        case _:
            return f"`factory image build {name} --update` makes it again"
