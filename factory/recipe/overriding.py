"""A recipe with an override applied, as a cell or a trial sees it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from factory.recipe.model import Override, Recipe


def overridden(recipe: Recipe, override: Override) -> Recipe:
    """Return the recipe with the values that an override names in place of its own.

    A mapping is changed key by key, and keeps what the override does not name; a list is one value.
    """
    for path in override.paths:
        recipe = _copied(path, override, recipe)
    return recipe


def _copied(path: tuple[str, ...], source: Any, target: Any) -> Any:  # noqa: ANN401 -- a path leads through sections of any type
    """Return the target with the value that is at a path in the source."""
    name, rest = path[0], path[1:]
    if isinstance(target, Mapping):
        return MappingProxyType({**target, name: _copied(rest, source[name], target[name]) if rest else source[name]})
    value = getattr(source, name)
    return replace(target, **{name: _copied(rest, value, getattr(target, name)) if rest else value})
