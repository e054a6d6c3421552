"""What several commands share: the recipes, the host, and the consoles."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from factory.audit import RULES
from factory.catalogue import DEFAULT_FAMILIES, FAMILIES
from factory.cli.clock import today
from factory.cli.options import BuildOptions, PlanOptions
from factory.errors import FactoryError, InternalError, RecipeError, UsageError
from factory.host import Host, read_host, variable_names
from factory.recipe.parse import Loaded, load_recipes


def new_run_id() -> str:
    """Return a name that no other run has: when it began, and some random digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def load(options: BuildOptions | PlanOptions) -> Loaded:
    """Read the recipes that are named, else `./recipe.yaml`.

    Raises:
        RecipeError: one cannot be read; with --keep-going, only if none can.
    """
    paths = options.recipes or (_default(),)
    rules = frozenset(RULES)
    loaded = load_recipes(paths, overrides=options.settings, rules=rules, today=today(), root=options.root)
    if loaded.errors and not (options.keep_going and loaded.recipes):
        raise joined(loaded.errors)
    return loaded


def host_of(options: BuildOptions | PlanOptions) -> Host:
    """Read this machine, with the variables that the command line allows recipes to read.

    Raises:
        UsageError: something in its configuration is malformed.
    """
    host = read_host()
    return replace(host, pass_env=host.pass_env | variable_names(options.allow_env, "--allow-env"))


def joined(errors: Sequence[FactoryError]) -> FactoryError:
    """Return one error that says what several say; an internal one, which has a traceback, is returned alone."""
    if len(errors) == 1:
        return errors[0]
    if internal := next((error for error in errors if isinstance(error, InternalError)), None):
        return internal
    problems = tuple(problem for error in errors for problem in error.problems)
    bare = [error for error in errors if not error.problems]
    message = "; ".join(error.message for error in bare) or f"{len(errors)} recipes cannot be read"
    return RecipeError(message, hint=bare[0].hint if bare else "", problems=problems)


def _default() -> Path:
    path = Path("recipe.yaml")
    if not path.exists():
        raise UsageError(
            "no recipe was named, and there is no ./recipe.yaml",
            hint="name a recipe or a folder of recipes, or let `factory init` write one",
        )
    return path


def families(text: str) -> tuple[str, ...]:
    """Read `--families`.

    Raises:
        UsageError: a name is not an image family.
    """
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in FAMILIES:
            raise UsageError(f"{name!r} is not an image family", hint=f"known families: {', '.join(FAMILIES)}")
    return names


def families_again(text: str) -> list[str]:
    """Return the flag that a next call needs for the same families."""
    return [] if text == DEFAULT_FAMILIES else ["--families", text]


def allowed_again(names: Sequence[str]) -> list[str]:
    """Return the flags that a next call needs for recipes to read the same variables."""
    return [word for name in names for word in ("--allow-env", name)]


def root_again(root: Path | None) -> list[str]:
    """Return the flag that a next call needs for the same root."""
    return [] if root is None else ["--root", str(root)]


def out() -> Console:
    """Return the console for data; its width is the terminal's, or wide enough for any tag in a pipe."""
    return _console(stderr=False)


def err() -> Console:
    """Return the console for progress and logs."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=200)
