"""Read recipes from files and folders."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from factory.audit import RULES
from factory.clock import today
from factory.errors import FactoryError, InternalError, RecipeError
from factory.recipe.parse import Loaded, load_recipes


def load(
    paths: Sequence[Path],
    *,
    settings: Sequence[str] = (),
    root: Path | None = None,
    keep_going: bool = False,
    day: date | None = None,
) -> Loaded:
    """Read recipes. `settings` are `KEY=VALUE` for all of them; their local files must lie below `root`.

    Raises:
        RecipeError: a recipe cannot be read; with `keep_going`, none can.
    """
    loaded = load_recipes(paths, overrides=settings, rules=frozenset(RULES), today=day or today(), root=root)
    if loaded.errors and not (keep_going and loaded.recipes):
        raise _joined(loaded.errors)
    return loaded


def _joined(errors: Sequence[FactoryError]) -> FactoryError:
    """Return one error for several; an internal one is returned alone, because its traceback belongs to it."""
    if len(errors) == 1:
        return errors[0]
    if internal := next((error for error in errors if isinstance(error, InternalError)), None):
        return internal
    problems = tuple(problem for error in errors for problem in error.problems)
    bare = [error for error in errors if not error.problems]
    message = "; ".join(error.message for error in bare) or f"{len(errors)} recipes cannot be read"
    return RecipeError(message, hint=bare[0].hint if bare else "", problems=problems)
