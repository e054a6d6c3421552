"""Names and links of a source's members: what may be believed, and what is refused by name."""

import posixpath
from collections.abc import Iterable, Mapping

from factory.errors import SourceError
from factory.source.tree import Extent, Limits, TreeFile

_HOPS = 40  # as many as Linux follows before ELOOP, path_resolution(7)


def safe_path(name: str, archive: str, limits: Limits) -> str:
    """Return a member's name as a clean relative path; empty for the root itself.

    Raises:
        SourceError: the name is absolute, climbs, holds control characters, or is no UTF-8.
    """
    shown = f"{archive} holds a member named {name!a}"
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/"):
        raise SourceError(f"{shown}, an absolute path")
    if ".." in parts:
        raise SourceError(f"{shown}, which climbs out of the tree")
    if not name.isprintable():
        raise SourceError(f"{shown}, which holds control characters or is no UTF-8")
    if len(name.encode()) > limits.name_bytes:
        raise SourceError(f"{archive} holds a member with a name of more than {limits.name_bytes} bytes")
    return "/".join(parts)


def link_target(path: str, target: str, archive: str) -> str:
    """Return where a symbolic link at `path` points, relative to the tree's root; empty for the root itself.

    Raises:
        SourceError: it points out of the tree.
    """
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith("/") or joined == ".." or joined.startswith("../") or not target:
        raise SourceError(f"{archive}: the link {path} points to {target!a}, outside of the tree")
    return "" if joined == "." else joined


def resolve_links(extents: Iterable[Extent], links: Mapping[str, str], archive: str, limits: Limits) -> list[Extent]:
    """Replace each symbolic link by a copy of what it points to, a file or everything below a folder.

    Raises:
        SourceError: a link leads nowhere, into itself, or a file lies below a link or below another file.
    """
    files = {extent.file.path: extent for extent in extents}
    _refuse_members_below(files, {*files, *links}, archive)
    _refuse_members_below(links, {*files, *links}, archive)
    resolved = dict(files)
    for path in sorted(links):
        target = _follow(path, links, archive)
        for extent in _copies(path, target, files, archive):
            resolved[extent.file.path] = extent
        if len(resolved) > limits.files:
            raise SourceError(f"{archive} holds more than {limits.files} files")
    return list(resolved.values())


def _refuse_members_below(parents: Iterable[str], paths: set[str], archive: str) -> None:
    folders = {path[:cut] for path in paths for cut in range(len(path)) if path[cut] == "/"}
    for path in sorted(folders.intersection(parents)):
        raise SourceError(f"{archive} holds members below {path}, which is no folder")


def _follow(path: str, links: Mapping[str, str], archive: str) -> str:
    """Follow a link, and links among its target's parents, to a path that no link stands in."""
    target = links[path]
    for _ in range(_HOPS):
        link = next((prefix for prefix in _prefixes(target) if prefix in links), None)
        if link is None:
            return target
        target = posixpath.join(links[link], target[len(link) + 1 :]).rstrip("/")
    raise SourceError(f"{archive}: the link {path} never ends")


def _prefixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _copies(path: str, target: str, files: Mapping[str, Extent], archive: str) -> list[Extent]:
    if target in files:
        return [_renamed(files[target], path)]
    prefix = f"{target}/" if target else ""
    if path.startswith(prefix):
        raise SourceError(f"{archive}: the link {path} points to a folder that it lies in")
    below = [
        _renamed(extent, f"{path}/{name[len(prefix) :]}") for name, extent in files.items() if name.startswith(prefix)
    ]
    if not below:
        raise SourceError(f"{archive}: the link {path} points to {target}, which does not exist")
    return below


def _renamed(extent: Extent, path: str) -> Extent:
    file = extent.file
    return Extent(
        offset=extent.offset,
        file=TreeFile(path=path, executable=file.executable, mtime_s=file.mtime_s, size_bytes=file.size_bytes),
    )
