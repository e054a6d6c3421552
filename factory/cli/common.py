"""What several commands share: the recipes, the host, and the consoles."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from factory.catalogue import AUTO, FAMILIES
from factory.cli.options import BuildOptions, PlanOptions, ShellOptions
from factory.errors import OutputError, UsageError
from factory.host import Host, read_host, variable_names
from factory.recipe.parse import Loaded
from factory.run.load import load


def load_named(options: BuildOptions | PlanOptions | ShellOptions, *, keep_going: bool = False) -> Loaded:
    """Read the recipes that are named, else `./recipe.yaml`.

    Raises:
        RecipeError: one cannot be read; with `keep_going`, only if none can.
    """
    return load(
        options.recipes or (_default(),),
        settings=options.settings,
        root=options.root,
        keep_going=keep_going,
    )


def host_of(options: BuildOptions | PlanOptions | ShellOptions) -> Host:
    """Read this machine, with the variables that the command line allows recipes to read.

    Raises:
        UsageError: something in its configuration is malformed.
    """
    host = read_host()
    return replace(host, pass_env=host.pass_env | variable_names(options.allow_env, "--allow-env"))


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
    if names == (AUTO,):
        return names
    for name in names:
        if name not in FAMILIES:
            hint = f"write auto alone, or some of {', '.join(FAMILIES)}, the best first"
            raise UsageError(f"{name!r} is not an image family", hint=hint)
    return names


def families_again(text: str) -> list[str]:
    """Return the flag that a next call needs for the same families."""
    return [] if text == AUTO else ["--families", text]


def allowed_again(names: Sequence[str]) -> list[str]:
    """Return the flags that a next call needs for recipes to read the same variables."""
    return [word for name in names for word in ("--allow-env", name)]


def root_again(root: Path | None) -> list[str]:
    """Return the flag that a next call needs for the same root."""
    return [] if root is None else ["--root", str(root)]


def write_output(path: Path, text: str, *, hint: str) -> None:
    """Write a file that the user named.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", hint=hint) from error


def replace_output(path: Path, text: str, *, hint: str) -> None:
    """Write a file that the user named at once: whoever reads it finds the old text or the new one.

    A link stays one, and a device or a pipe is written as it is.

    Raises:
        OutputError: it cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        write_output(path, text, hint=hint)
        return
    new = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    try:
        new.write_text(text, encoding="utf-8")
        if target.exists():
            new.chmod(target.stat().st_mode & 0o777)
        new.replace(target)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", hint=hint) from error
    finally:
        new.unlink(missing_ok=True)


def out() -> Console:
    """Return the console for data; its width is the terminal's, or wide enough for any tag in a pipe."""
    return _console(stderr=False)


def err() -> Console:
    """Return the console for progress and logs."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=200)
