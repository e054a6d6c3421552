"""A component of a release of Rust: read as a hostile archive, and laid out as its own installer would."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from factory.engine.api import FileEntry
from factory.errors import SourceError
from factory.images.rust_channel import Component
from factory.source.tree import Tree
from factory.untrusted import UntrustedTextError, decoded, excerpt

_FORMAT: Final = "3"  # of rust-installer's archives, which rustup compares, too
_LIST_BYTES: Final = 16 << 20
_MOST_FOLDERS: Final = 100  # the whole archive is looked through for each
_LEFT_OUT: Final = "share/"  # manuals and licences: nothing there compiles


def component_files(tree: Tree, component: Component) -> Iterator[FileEntry]:
    """Yield what a component installs, as it lies below Rust's own folder; the tree is below the archive's top folder.

    Raises:
        SourceError: it is not laid out as such archives are, or lacks something that its manifest names.
    """
    paths = list(_installed(tree, component))
    for path in paths:
        file, content = tree.files[f"{component.folder}/{path}"], tree.read(f"{component.folder}/{path}")
        yield FileEntry(path=PurePosixPath(path), content=content or b"", mode=file.mode)


def refuse_unusable(tree: Tree, component: Component) -> None:
    """Refuse a component that cannot be installed, before anything of it is.

    Raises:
        SourceError: as for `component_files`.
    """
    for _ in _installed(tree, component):
        pass


def _installed(tree: Tree, component: Component) -> Iterator[str]:
    name, folder = component.filename, component.folder
    if (said := _text(tree, "rust-installer-version", name).strip()) != _FORMAT:
        raise SourceError(f"{name} is of version {excerpt(said)} of rust-installer; {_FORMAT} is read")
    if folder not in _text(tree, "components", name).splitlines():
        raise SourceError(f"{name} holds no component {folder}")
    folders: list[str] = []
    for line in dict.fromkeys(_text(tree, f"{folder}/manifest.in", name).splitlines()):
        kind, _, path = line.partition(":")
        if kind == "dir" and len(folders) < _MOST_FOLDERS:
            folders.append(path)
        elif kind != "file" or f"{folder}/{path}" not in tree.files:
            raise SourceError(f"{name} lacks {excerpt(path)}, which its manifest.in names")
        elif not path.startswith(_LEFT_OUT):
            yield path
    for path in folders:
        below = f"{folder}/{path}/"
        if not path.startswith(_LEFT_OUT):
            yield from (name.removeprefix(f"{folder}/") for name in tree.files if name.startswith(below))


def _text(tree: Tree, path: str, archive: str) -> str:
    content = tree.read(path)
    if content is None:
        raise SourceError(f"{archive} has no {path}")
    try:
        return decoded(content, _LIST_BYTES)
    except UntrustedTextError as error:
        raise SourceError(f"{archive}: {path} {error}") from error
