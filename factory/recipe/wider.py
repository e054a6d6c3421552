"""The source of a recipe that begins in a folder above, as a line to write."""

import posixpath
import shlex
from pathlib import Path

from factory.recipe.model import PathSource, Recipe
from factory.recipe.roots import default_root, is_inside, way_out


def from_above(recipe: Recipe, source: PathSource, above: Path) -> str:
    """Return what to write, so that a recipe's source is a folder above it, with the project's folder in that."""
    within = source.path.resolve().relative_to(above).as_posix()
    path = Path(posixpath.relpath(above, recipe.file.parent.resolve())).as_posix()
    root = default_root(recipe.file)
    more = "" if is_inside(above, root) else f"; {way_out(above, root)}"
    return f"write source: {{path: {_yaml(path)}, subdir: {_yaml(posixpath.join(within, source.subdir))}}}{more}"


def _yaml(path: str) -> str:
    return path.rstrip("/") if shlex.quote(path) == path else f'"{path}"'
