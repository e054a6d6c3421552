"""The root: the folder in which a recipe's paths, patches and repositories of this machine must lie."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from factory.errors import RecipeError
from factory.form.document import Entry, Mapping, Node, Scalar, Sequence
from factory.form.kinds import Place
from factory.form.problems import quote


def default_root(file: Path) -> Path:
    """Return the repository in which a recipe lies, or outside of any its own folder."""
    folder = _real(file).parent
    return _repository(folder) or folder


def refuse_way_out(file: Path, root: Path | None) -> None:
    """Refuse a recipe to which a link leads out of the repository, or else the folder, in which the link lies.

    Whoever laid the link may not be who may read what it leads to, and messages quote lines of recipes. A link to
    a folder counts only in a repository: elsewhere it is how this machine is set up.

    Raises:
        RecipeError: there is such a link, and the recipe does not lie in `root` either.
    """
    if "\0" in str(file) or (root is not None and is_inside(file, root)):
        return
    whole = file.absolute()
    for step in (whole, *whole.parents):
        if not step.is_symlink():
            continue
        folder = _real(step.parent)
        within = _repository(folder) or (folder if step == whole else None)
        if within is not None and not is_inside(step, within):
            real = shlex.quote(str(_real(file)))
            raise RecipeError(
                f"{file} is not read: the link {step} leads to {_real(step)}, outside of {within}",
                hint=f"name the recipe itself: {real}, or add --root {shlex.quote(str(widened(file, within)))}",
            )


def _repository(folder: Path) -> Path | None:
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


def is_inside(path: Path, root: Path) -> bool:
    """Whether a path lies in a folder, once every link on its way is followed."""
    return "\0" not in str(path) and _real(path).is_relative_to(_real(root))


def way_out(path: Path, root: Path) -> str:
    """Return what to type so that a path may be read: the nearest folder that contains it and the root."""
    if "\0" in str(path):
        return "a path cannot contain a NUL"
    return f"if the recipe may read it, add --root {shlex.quote(str(widened(path, root)))}"


def widened(path: Path, root: Path) -> Path:
    """Return the nearest folder that contains a path and the root."""
    target, inner = _real(path), _real(root)
    return next(folder for folder in (inner, *inner.parents) if target.is_relative_to(folder))


def confine(source: Entry, place: Place, folder: Path, root: Path) -> None:
    """Refuse what a recipe's source reads of this machine outside of the root; `folder` is the recipe's own."""
    if not isinstance(source.value, Mapping):
        return
    for entry in source.value.entries:
        for node, named in _named(entry):
            if not is_inside(path := folder / named, root):
                message = f"{quote(str(named))} is outside {_real(root)}, the folder that this recipe may read"
                place.at(source.key).at(entry.key).refuse(node.span, message, way_out(path, root))


def _named(entry: Entry) -> Iterator[tuple[Scalar, Path]]:
    """Yield the paths of this machine that a field of the source names."""
    match entry:
        case Entry(key="path", value=Scalar() as node):
            yield node, Path(node.text)
        case Entry(key="git", value=Scalar() as node) if urlsplit(node.text).scheme == "file":
            yield node, Path(unquote(urlsplit(node.text).path))
        case Entry(key="patches", value=Sequence(items=items)):
            yield from _scalars(items)


def _scalars(items: tuple[Node, ...]) -> Iterator[tuple[Scalar, Path]]:
    for node in items:
        if isinstance(node, Scalar):
            yield node, Path(node.text)


def _real(path: Path) -> Path:
    """Follow every link; unlike with `Path.resolve`, a loop of links is not an error on any Python."""
    return Path(os.path.realpath(path))
