"""What the bad recipes say.

`python -m tests.unit.recipe.messages` rewrites every message, the reference's table and that of recipes/README.md; read
the diff as prose.
"""

from datetime import date
from pathlib import Path

from factory.errors import RecipeError
from factory.form.frames import render_problems
from factory.recipe.parse import parse_recipe

DATA = Path(__file__).parents[2] / "data" / "recipes"
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


def main() -> None:
    """Rewrite what is compared."""
    from tests.unit.recipe import reference, shown  # noqa: PLC0415 -- they need this module

    for recipe in BAD:
        recipe.with_suffix(".txt").write_text(message_of(recipe), encoding="utf-8")
    reference.REFERENCE.write_text(reference.rendered(), encoding="utf-8")
    shown.README.write_text(shown.rendered(), encoding="utf-8")


if __name__ == "__main__":
    main()
