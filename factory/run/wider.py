"""The folder above a source that holds what its crates need: a crate of a workspace, named without the workspace."""

import posixpath
from dataclasses import dataclass
from pathlib import Path

from factory.errors import FactoryError, PlanError
from factory.excerpt import listed
from factory.project.cargo import needs_beyond, read_crate
from factory.project.files import Reading
from factory.project.model import Project
from factory.recipe.model import PathSource, Recipe
from factory.recipe.roots import is_inside
from factory.recipe.wider import from_above
from factory.regular import open_regular

_MOST_ABOVE = 8
_MANIFEST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class _Below:
    """Files below a folder of this machine, read where they lie; what leads out of the folder is not there."""

    folder: Path
    paths: tuple[str, ...] = ()

    def read(self, path: str) -> bytes | None:
        if not is_inside(self.folder / path, self.folder):
            return None
        try:
            with open_regular(self.folder / path) as stream:
                return stream.read(_MANIFEST_BYTES + 1)
        except OSError:
            return None

    def size(self, path: str) -> int | None:
        content = self.read(path)
        return None if content is None else len(content)


def refuse_beyond(recipe: Recipe, project: Project) -> None:
    """Refuse a source whose crates need what lies outside of it, and name the folder that holds both.

    Raises:
        PlanError: they need it.
    """
    if not project.beyond:
        return
    raise PlanError(listed(project.beyond, most=3, by="; "), hint=_hint(recipe, project.cargo_manifest or ""))


def _hint(recipe: Recipe, manifest: str) -> str:
    source = recipe.source
    if not isinstance(source, PathSource):
        return "build from the repository, with the project's folder in it as source.subdir"
    folder = source.path.resolve()
    for above in (folder, *folder.parents)[1 : _MOST_ABOVE + 1]:
        if _holds_all(above, posixpath.join(folder.relative_to(above).as_posix(), manifest)):
            return from_above(recipe, source, above)
    return "name the folder that holds all of it as source.path, and the project's folder in it as source.subdir"


def _holds_all(above: Path, manifest: str) -> bool:
    """Whether a crate needs nothing outside of a folder; a manifest that cannot be read holds nothing."""
    try:
        return not any(needs_beyond(read_crate(Reading.of(_Below(above)), manifest)))
    except FactoryError:
        return False
