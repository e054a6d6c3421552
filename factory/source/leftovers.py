"""What an earlier build left in a source tree, known by names and by what lies beside them.

A folder counts as a build's where the tool that makes it left its mark, or where its name and place leave no doubt. A
`build` elsewhere than beside a project's own files may be source: vendored libraries keep their CMake files in one.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Final, Self

from factory.source.tree import Extent, Tree

PROJECT_FILES: Final = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})

_FOLDERS: Final = re.compile(
    r"\.factory|__pycache__|_skbuild|CMakeFiles|_cmake_test_compile|\.eggs|meson-(?:private|info|logs)|\.mesonpy-.*"
)
_MESON_MARKS: Final = frozenset({"meson-private", "meson-info", "meson-logs"})
_CARGO_MARKS: Final = frozenset({".rustc_info.json", "CACHEDIR.TAG"})
_BY_SETUPTOOLS: Final = re.compile(r"(?:lib|temp|bdist|scripts)[.-].+")
_FILES: Final = frozenset({"CMakeCache.txt", "cmake_install.cmake", ".ninja_log", ".ninja_deps"})
_EXTENSION: Final = re.compile(
    r"(?P<stem>[^.]+)\.(?:cpython-[\w-]+|pypy[\w-]+|cp[0-9][\w-]*|abi3t?|abi3\.abi3t)\.(?:so|pyd)"
)
_OBJECT: Final = re.compile(r"(?:lib)?(?P<stem>.+?)\.(?:o|lo|os|a|la|so(?:\.[0-9]+)*)")
_SOURCE: Final = re.compile(
    r"(?P<stem>.+)\.(?:c|cc|cpp|cxx|c\+\+|C|pyx|f|for|f77|f90|f95|f03|f08|F|F90|s|S|asm|m|mm|cu|rs|go|zig|d|nim)"
)
_RELEASED: Final = re.compile(r".+\.(?:whl|tar\.gz)|SHA256SUMS")
_TRANSLATED: Final = frozenset({"c", "cpp", "cxx"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Paths of a tree, sorted by whether an earlier build left them.

    `left_out` are the folders, with a `/` at their end, and the files that are left out; `old` are kept files that a
    build made all the same, because the recipe keeps them or because they are a translation of a source beside them.
    """

    kept: tuple[str, ...]
    old: frozenset[str]
    left_out: tuple[str, ...]


def cleaned(tree: Tree, keep: Sequence[str] = ()) -> Tree:
    """Return a tree without what an earlier build left in it, but for what the recipe keeps."""
    chosen = sort_out(tree.paths, keep)
    if not chosen.left_out and not chosen.old:
        return tree
    kept = frozenset(chosen.kept)
    extents = [_aged(extent, chosen.old) for extent in tree.extents if extent.file.path in kept]
    return Tree.of(tree.spool, extents, left_out=chosen.left_out)


def _aged(extent: Extent, old: AbstractSet[str]) -> Extent:
    return replace(extent, file=replace(extent.file, old=True)) if extent.file.path in old else extent


def sort_out(paths: Collection[str], keep: Sequence[str] = ()) -> Sorted:
    """Sort the clean paths of a source's files; `keep` are files and folders that stay, whatever made them."""
    is_sdist = "PKG-INFO" in paths
    below = _below_made_folders(paths, is_sdist=is_sdist)
    sources = _Sources.of(path for path in paths if path not in below)
    kept, old, left = [], set(), dict[str, None]()
    for path in paths:
        made = below.get(path) or (path if _is_made_file(path, sources, is_sdist=is_sdist) else "")
        if made and not is_kept(path, keep):
            left[made] = None
            continue
        kept.append(path)
        if made or (sources.has_translated(path) and not is_sdist):
            old.add(path)
    return Sorted(kept=tuple(kept), old=frozenset(old), left_out=tuple(left))


def is_kept(path: str, keep: Iterable[str]) -> bool:
    """Whether a path is one of those that a recipe keeps, or lies below one."""
    return any(path == name or path.startswith(f"{name}/") for name in keep)


def leads_to_kept(folder: str, keep: Iterable[str]) -> bool:
    """Whether something in a folder may be kept: it is kept itself, or one that is lies below it."""
    kept = tuple(keep)
    return is_kept(folder, kept) or any(name.startswith(f"{folder}/") for name in kept)


def is_made_folder(
    name: str, children: AbstractSet[str], siblings: AbstractSet[str], *, in_sdist: bool = False
) -> bool:
    """Whether a build made a folder, by its name, the names in it, and the names beside it.

    An sdist's `*.egg-info` is its own: setuptools reads there which files belong to the package.
    """
    if name.endswith(".egg-info"):
        return not in_sdist
    if _FOLDERS.fullmatch(name):
        return True
    if "CMakeCache.txt" in children and "CMakeLists.txt" not in children:
        return True
    if children & _MESON_MARKS and "meson.build" not in children:
        return True
    if name == "build":
        return _is_build(children, siblings)
    if name == "dist":
        return bool(siblings & PROJECT_FILES) and all(map(_RELEASED.fullmatch, children))
    return name == "target" and _is_target(children, siblings)


def _is_build(children: AbstractSet[str], siblings: AbstractSet[str]) -> bool:
    """Tell setuptools' folder, and what else builds put beside a project's files, from a package called build."""
    if children & {"__init__.py", *PROJECT_FILES}:
        return False
    return bool(siblings & PROJECT_FILES) or any(_BY_SETUPTOOLS.fullmatch(child) for child in children)


def _is_target(children: AbstractSet[str], siblings: AbstractSet[str]) -> bool:
    return "mod.rs" not in children and ("Cargo.toml" in siblings or bool(children & _CARGO_MARKS))


def _below_made_folders(paths: Iterable[str], *, is_sdist: bool) -> dict[str, str]:
    """Return the paths below folders that builds made, each with the topmost such folder."""
    found: dict[str, str] = {}
    todo = [("", sorted(paths, key=lambda path: path.replace("/", "\0")))]  # a folder's paths follow one another
    while todo:
        prefix, inside = todo.pop()
        groups = {name: list(group) for name, group in groupby(inside, partial(_next_part, len(prefix)))}
        for name, group in groups.items():
            folder = f"{prefix}{name}/"
            if group[0] == folder[:-1]:
                continue
            children = {_next_part(len(folder), path) for path in group}
            if is_made_folder(name, children, groups.keys(), in_sdist=is_sdist):
                found.update(dict.fromkeys(group, folder))
            else:
                todo.append((folder, group))
    return found


def _next_part(start: int, path: str) -> str:
    return path[start:].partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """Where sources of compiled languages lie, what they are called, and which of them Cython translates."""

    folders: frozenset[str]
    stems: frozenset[str]
    translated: frozenset[str]

    @classmethod
    def of(cls, paths: Iterable[str]) -> Self:
        folders, stems, translated = set(), set(), set()
        for path in paths:
            folder, name = posixpath.split(path)
            if match := _SOURCE.fullmatch(name):
                folders.add(folder)
                stems.add(match["stem"])
            if name.endswith(".pyx"):
                translated.add(path.removesuffix(".pyx"))
        return cls(folders=frozenset(folders), stems=frozenset(stems), translated=frozenset(translated))

    def has_translated(self, path: str) -> bool:
        """Whether a file is what Cython makes of a source beside it."""
        stem, _, language = path.rpartition(".")
        return language in _TRANSLATED and stem in self.translated


def _is_made_file(path: str, sources: _Sources, *, is_sdist: bool) -> bool:
    folder, name = posixpath.split(path)
    if name in _FILES or _EXTENSION.fullmatch(name):
        return True
    if name.endswith(".egg-info"):
        return not is_sdist
    match = _OBJECT.fullmatch(name)
    return match is not None and (folder in sources.folders or match["stem"] in sources.stems)
