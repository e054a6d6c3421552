"""Refuses repositories of this machine that lie outside of the recipe's root, or keep their objects there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from factory.errors import SourceError
from factory.recipe.roots import is_inside, way_out
from factory.regular import open_regular

_POINTER_BYTES: Final = 1 << 16
_MOST_PLACES: Final = 1000
_BORROWING: Final = 5  # as deep as git follows alternates


def refuse_outside(url: str, root: Path | None) -> None:
    """Refuse a repository of this machine that lies outside of the root, or keeps its objects outside.

    Raises:
        SourceError: it does.
    """
    parts = urlsplit(url)
    if parts.scheme != "file" or root is None:
        return
    for count, path in enumerate(_places(Path(unquote(parts.path)))):
        if count == _MOST_PLACES:
            raise SourceError(f"{url} keeps its objects in more than {_MOST_PLACES} folders")
        if not is_inside(path, root):
            raise SourceError(f"{url} leads to {path}, outside of {root}", hint=way_out(path, root))


def _places(path: Path) -> Iterator[Path]:
    """Yield where git would look for a repository of this name, and where those places point to.

    A `.git` may be a link, or a file that names another folder, and objects may be borrowed (gitrepository-layout(5)).
    """
    for named in (path, path / ".git", path.with_name(f"{path.name}.git"), path.with_name(f"{path.name}.git") / ".git"):
        yield named
        pointed = _lines(named, "gitdir: ") if named.is_file() else [str(named)]
        for folder in (named.parent / line for line in pointed):
            yield folder
            for common in (folder, *(folder / line for line in _lines(folder / "commondir"))):
                yield common
                yield from _objects(common / "objects", _BORROWING)


def _objects(folder: Path, deep: int) -> Iterator[Path]:
    yield folder
    if deep:
        for line in _lines(folder / "info/alternates"):
            yield from _objects(folder / line, deep - 1)


def _lines(path: Path, prefix: str = "") -> list[str]:
    """Return the paths in a small file of git's; nothing if there is no such file."""
    if not path.is_file():
        return []
    try:
        with open_regular(path) as stream:
            content = stream.read(_POINTER_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _POINTER_BYTES:
        raise SourceError(f"{path} is larger than {_POINTER_BYTES} bytes")
    text = content.decode(errors="surrogateescape")
    return [line.removeprefix(prefix) for line in text.splitlines() if line.startswith(prefix) and line[:1] != "#"]
