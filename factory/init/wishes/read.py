"""What the build of a source asks of the system."""

from collections.abc import Iterator
from typing import Final

from factory.diagnoses.missing import Kind, Missing
from factory.init.wishes.descriptions import of_cmake, of_meson
from factory.init.wishes.headers import included
from factory.init.wishes.script import named_in
from factory.init.wishes.wish import Wish
from factory.project.files import Files
from factory.project.scripts import build_scripts

_MOST_WISHES: Final = 200
_RANKS: Final[tuple[Kind, ...]] = ("pkg-config", "cmake", "program", "library", "header")


def wishes(files: Files, backend: str) -> tuple[Wish, ...]:
    """Return what a build asks for, each once, the surest first; `backend` is the module that pyproject.toml names."""
    found: dict[Missing, Wish] = {}
    for wish in (*_of_scripts(files, backend), *of_meson(files, backend), *of_cmake(files, backend)):
        if len(found) < _MOST_WISHES:
            found.setdefault(wish.missing, wish)
    return tuple(sorted(found.values(), key=lambda wish: _RANKS.index(wish.missing.kind)))


def _of_scripts(files: Files, backend: str) -> Iterator[Wish]:
    for path, script in build_scripts(files, backend).items():
        yield from named_in(script, path)
        yield from included(files, path, script)
