"""What the bad recipes say.

`python -m tools.generated` writes every message anew; read the diff as prose.
"""

from datetime import date
from pathlib import Path

from factory.errors import RecipeError
from factory.form.frames import render_problems
from factory.recipe.parse import parse_recipe

DATA = Path(__file__).parents[1] / "tests" / "data" / "recipes"
BAD = sorted((DATA / "bad").rglob("*.yaml"))
TYPES = DATA / "bad/types"
GOOD = sorted((DATA / "good").glob("*.yaml"))
RULES = frozenset({"libpython-linked", "abi3-symbol-above-floor", "wheel-too-large"})
TODAY = date(2026, 11, 22)


def message_of(recipe: Path) -> str:
    """Return everything a bad recipe is told; `.args` beside it holds what `--set` says, one a line."""
    args = recipe.with_suffix(".args")
    overrides = args.read_text(encoding="utf-8").splitlines() if args.exists() else []
    try:
        parse_recipe(recipe.read_bytes(), Path(recipe.name), overrides=overrides, rules=RULES, today=TODAY)
    except RecipeError as error:
        return f"{render_problems(error.problems)}\n{error.message}\n"
    raise AssertionError(f"{recipe.name} is a good recipe")


def rewrite() -> None:
    """Write every message anew."""
    for recipe in BAD:
        recipe.with_suffix(".txt").write_text(message_of(recipe), encoding="utf-8")
