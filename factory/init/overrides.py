"""cibuildwheel's overrides: those that apply to every build of the recipe replace its options."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from factory.init.cibuildwheel import Settings
from factory.init.model import Left
from factory.init.selectors import matches


def overridden(settings: Settings, identifiers: Iterable[str]) -> tuple[Settings, tuple[Left, ...]]:
    """Return the options that apply to all of these builds, and what applies to only some of them.

    An override that matches none of them is about other systems, and is ignored.
    """
    builds, left = tuple(identifiers), list[Left]()
    for override in settings.overrides:
        selectors = Settings(place=settings.place, options=override).words("select")
        what = f"{settings.place}.overrides: {' '.join(selectors)}"
        try:
            meant = sum(matches(selectors, identifier) for identifier in builds)
        except ValueError as error:
            left.append(Left(what=what, why=str(error)))
            continue
        if meant and meant == len(builds):
            settings = replace(settings, options=_laid_over(settings.options, override))
        elif meant:
            left.append(
                Left(
                    what=what,
                    why="it applies to only some of the builds; write it under overrides, or as a separate recipe",
                )
            )
    return settings, tuple(left)


def _laid_over(options: Mapping[str, object], override: Mapping[str, object]) -> Mapping[str, object]:
    rules = override.get("inherit")
    new = {name: value for name, value in override.items() if name not in ("select", "inherit")}
    for name, value in new.items():
        rule = rules.get(name) if isinstance(rules, dict) else None
        old = options.get(name)
        if rule == "append":
            new[name] = _joined(old, value)
        elif rule == "prepend":
            new[name] = _joined(value, old)
    return {**options, **new}


def _joined(first: object, second: object) -> object:
    """Join two values as cibuildwheel's `inherit` does: of tables the second wins, lists and texts are put together."""
    match first, second:
        case None, value:
            return value
        case value, None:
            return value
        case dict(), dict():
            return {**first, **second}
        case list(), list():
            return [*first, *second]
        case _:
            return f"{first} {second}"
