"""Recipes without one of their fields."""

from collections.abc import Mapping
from copy import deepcopy


def without(fields: Mapping[str, object], path: str) -> dict[str, object]:
    """Return a recipe's fields without one, whole or in a section; in a list, the number names the item."""
    left = deepcopy(dict(fields))
    section, _, name = path.partition(".")
    match left[section] if name else None:
        case dict() as mapping:
            del mapping[name]
        case list() as items:
            del items[int(name)]
        case _:
            del left[section]
    return left
