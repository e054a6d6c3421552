"""System packages by the package managers that the images have: names of others are told, and are not in the recipe."""

from collections.abc import Iterable, Iterator, Sequence

from factory.image_facts import ImageFacts
from factory.init.model import Carried, Entry, Left, shown

_SYSTEM = ("build", "system")
_SAME_NAMES = {"yum": "dnf"}


def managers_of(images: Sequence[ImageFacts], families: Sequence[str]) -> frozenset[str]:
    """Return the recipe's names of the package managers that build images of these families have."""
    named = (image.packages for image in images if image.role == "build" and image.family in families[:1])
    return frozenset(_SAME_NAMES.get(manager, manager) for manager in named if manager is not None)


def for_managers(carried: Iterable[Carried], managers: frozenset[str]) -> Iterator[Carried]:
    """Pass everything on, but lists of packages only where every manager of the images has one: a plan needs each."""
    everything = tuple(carried)
    listed = {item.field[2] for item in everything if isinstance(item, Entry) and item.field[:2] == _SYSTEM}
    missing = sorted(managers - listed)
    for item in everything:
        if not missing or not isinstance(item, Entry) or item.field[:2] != _SYSTEM:
            yield item
        else:
            lines = ", ".join(f"{manager}: […]" for manager in missing)
            why = f"the images here have {', '.join(missing)}: write build: {{system: {{{lines}}}}} with its names"
            yield Left(what=f"{item.dotted}: {shown(item.value)} ({item.why})", why=why)
