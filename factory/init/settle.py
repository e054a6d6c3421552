"""A draft to the text of a valid recipe: what our own parser refuses becomes a comment with its message."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from factory.errors import Problem, RecipeError
from factory.init.model import Draft, Entry, Left, Value, shown
from factory.init.write import Written, write
from factory.recipe.model import Recipe
from factory.recipe.parse import parse_recipe

_ITEM = re.compile(r"\[([0-9]+)\][^\[]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The text, the recipe it is, what was left out of it, and why it cannot be built yet; empty where it can.

    `cautions` are what must be said of the fields that were copied.
    """

    text: str
    recipe: Recipe
    left: tuple[Left, ...]
    refused: str = ""
    cautions: tuple[str, ...] = ()


def settle(draft: Draft, file: Path, today: date) -> Settled:
    """Write a draft, and remove what is refused until nothing is; each round removes something."""
    while True:
        written = write(draft)
        try:
            recipe = parse_recipe(written.text.encode(), file, today=today)
        except RecipeError as error:
            draft = _without(draft, written, error.problems)
        else:
            cautions = tuple(entry.caution for entry in draft.entries if entry.caution)
            return Settled(text=written.text, recipe=recipe, left=draft.left, cautions=cautions)


def _without(draft: Draft, written: Written, problems: tuple[Problem, ...]) -> Draft:
    refused: dict[Entry, list[Problem]] = defaultdict(list)
    for problem in problems:
        entry = written.at(problem.span.line if problem.span else 0)
        if entry is not None and not entry.required:
            refused[entry].append(problem)
    if not refused:
        raise RecipeError(f"the recipe of {draft.title} cannot be written", problems=problems)
    kept, left = [], list(draft.left)
    for entry in draft.entries:
        if entry in refused:
            entry, gone = _smaller(entry, refused[entry])  # noqa: PLW2901 -- the same field, with less in it
            left += gone
        if entry.value != ():
            kept.append(entry)
    return replace(draft, entries=tuple(kept), left=tuple(left))


def _smaller(entry: Entry, problems: list[Problem]) -> tuple[Entry, list[Left]]:
    """Remove the refused items from a list, or the whole value from a field."""
    items = entry.value if isinstance(entry.value, tuple) else ()
    places = {int(match[1]): problem for problem in problems if (match := _ITEM.search(problem.field))}
    if not items or not places or max(places) >= len(items):
        return replace(entry, value=()), [_left(entry, entry.value, problems[0])]
    kept = tuple(item for index, item in enumerate(items) if index not in places)
    return replace(entry, value=kept), [_left(entry, items[index], problem) for index, problem in places.items()]


def _left(entry: Entry, value: Value, problem: Problem) -> Left:
    why = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return Left(what=f"{entry.dotted}: {shown(value)}", why=f"{why} ({entry.why})" if entry.why else why)
