"""What a source holds instead of files: pointers of Git LFS, and folders of submodules that nobody filled."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from factory import lfs
from factory.excerpt import listed
from factory.source.tree import Tree
from factory.untrusted import UntrustedTextError, decoded, parse_configuration

_MODULES: Final = ".gitmodules"
_MODULES_BYTES: Final = 1 << 20
_SUBMODULE: Final = re.compile(r"submodule .*", re.DOTALL)


def placeholder_notes(tree: Tree) -> Iterator[str]:
    """Yield a sentence for each kind of placeholder in a tree, with the files and what to do."""
    if pointers := [path for path in tree.paths if _is_pointer(tree, path)]:
        yield f"pointers of Git LFS lie where files are due: {listed(pointers)}; `git lfs pull` fetches the files"
    if empty := list(_empty_submodules(tree)):
        yield (
            f"submodules of the source are empty: {listed(empty)}; `git submodule update --init --recursive` fills "
            "them in a clone, and a source of git has them"
        )


def _is_pointer(tree: Tree, path: str) -> bool:
    return tree.files[path].size_bytes in lfs.SIZES and lfs.is_pointer(tree.read(path) or b"")


def _empty_submodules(tree: Tree) -> Iterator[str]:
    if tree.size(_MODULES) is None or (tree.size(_MODULES) or 0) > _MODULES_BYTES:
        return
    try:
        sections = parse_configuration(decoded(tree.read(_MODULES) or b"", _MODULES_BYTES))
    except UntrustedTextError:
        return  # git itself reads it where submodules are fetched, and says what is wrong
    for name, section in sections.items():
        path = section.get("path", "").strip("/")
        if _SUBMODULE.fullmatch(name) and path and not _is_filled(tree.paths, f"{path}/"):
            yield path


def _is_filled(paths: Sequence[str], prefix: str) -> bool:
    """Whether a file lies below a folder; the paths are in order."""
    place = bisect_left(paths, prefix)
    return place < len(paths) and paths[place].startswith(prefix)
