"""A draft to the text of a recipe that reads: what our own parser refuses becomes a comment with its words."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from factory.errors import Problem, RecipeError
from factory.form.records import NOT_YET
from factory.init.model import Draft, Found, Left, Value, shown
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
    """Write a draft, and take out what is refused until nothing is: each round takes out something."""
    while True:
        written = write(draft)
        try:
            recipe = parse_recipe(written.text.encode(), file, today=today)
        except RecipeError as error:
            draft = _without(draft, written, error.problems)
        else:
            cautions = tuple(found.caution for found in draft.found if found.caution)
            return Settled(text=written.text, recipe=recipe, left=draft.left, cautions=cautions)


def _without(draft: Draft, written: Written, problems: tuple[Problem, ...]) -> Draft:
    refused: dict[Found, list[Problem]] = defaultdict(list)
    for problem in problems:
        found = written.at(problem.span.line if problem.span else 0)
        if found is not None and not found.required:
            refused[found].append(problem)
    if not refused:
        raise RecipeError(f"the recipe of {draft.title} cannot be written", problems=problems)
    kept, left = [], list(draft.left)
    for found in draft.found:
        if found in refused:
            found, gone = _smaller(found, refused[found])  # noqa: PLW2901 -- the same field, with less in it
            left += gone
        if found.value != ():
            kept.append(found)
    return replace(draft, found=tuple(kept), left=tuple(left))


def _smaller(found: Found, problems: list[Problem]) -> tuple[Found, list[Left]]:
    """Take the refused items out of a list, or the whole value out of a field."""
    items = found.value if isinstance(found.value, tuple) else ()
    places = {int(match[1]): problem for problem in problems if (match := _ITEM.search(problem.field))}
    if not items or not places or max(places) >= len(items):
        return replace(found, value=()), [_left(found, found.value, problems[0])]
    kept = tuple(item for index, item in enumerate(items) if index not in places)
    return replace(found, value=kept), [_left(found, items[index], problem) for index, problem in places.items()]


def _left(found: Found, value: Value, problem: Problem) -> Left:
    why = problem.message if not problem.hint or NOT_YET in problem.message else f"{problem.message}; {problem.hint}"
    return Left(what=f"{found.dotted}: {shown(value)}", why=f"{why} ({found.why})" if found.why else why)
