"""Checks the names and links of a source's members, and refuses those that are not safe."""

import posixpath
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from factory.errors import SourceError
from factory.source.tree import Extent, SourceLimits

_HOPS = 40  # as many as Linux follows before ELOOP, path_resolution(7)
_TARGET_BYTES = 4096  # PATH_MAX
_JOINERS = dict.fromkeys((0x200C, 0x200D))  # invisible, but part of emoji and of Persian words (UAX 31)


class Names:
    """Checks the names of a source's members, and counts what is kept of them: an archive can have endless names."""

    def __init__(self, subject: str, limits: SourceLimits, *, beyond: Callable[[str], str] = lambda _: "") -> None:
        """Count from nothing; `subject` is what messages call the source.

        `beyond` returns the hint for a link that leads out of the source, by the relative path to which it leads.
        """
        self.subject = subject
        self._beyond = beyond
        self.limits = limits
        self._count = self._bytes = self._components = 0

    def path(self, name: str) -> str:
        """Return a member's name as a clean relative path; empty for the root itself.

        Raises:
            SourceError: the name is absolute, leads out, has control characters, is not UTF-8, too long or too deep,
                or there are too many.
        """
        self._refuse_long(name, self.limits.name_bytes)
        shown = f"{self.subject} holds a member named {name!a}"
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/"):
            raise SourceError(f"{shown}, an absolute path")
        if ".." in parts:
            raise SourceError(f"{shown}, which leads out of the tree")
        if not name.translate(_JOINERS).isprintable():
            raise SourceError(f"{shown}, which contains control characters or is not UTF-8")
        if len(parts) > self.limits.folders + 1:
            raise SourceError(f"{self.subject} holds a member more than {self.limits.folders} folders deep")
        self._take(name)
        return "/".join(parts)

    def target(self, path: str, target: str) -> str:
        """Return where a symbolic link at `path` points, relative to the tree's root; empty for the root itself.

        Raises:
            SourceError: it points out of the tree, or is longer than Linux lets a link be.
        """
        self._refuse_long(target, _TARGET_BYTES)
        self._count_text(target)
        joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if target.startswith("/") or joined == ".." or joined.startswith("../") or not target:
            message = f"{self.subject}: the link {path} points to {target!a}, outside of the tree"
            raise SourceError(message, hint=self._beyond(joined))
        return "" if joined == "." else joined

    def copy(self, path: str) -> str:
        """Count the path of a copy that a link makes, and return it.

        Raises:
            SourceError: it is too long or too deep, or there are too many.
        """
        self._refuse_long(path, self.limits.name_bytes)
        if path.count("/") > self.limits.folders:
            raise SourceError(
                f"{self.subject} holds a link whose copies lie more than {self.limits.folders} folders deep"
            )
        self._take(path)
        return path

    def _take(self, name: str) -> None:
        self._count += 1  # folders, and members that replace earlier ones, cost time too
        if self._count > self.limits.files:
            raise SourceError(f"{self.subject} holds more than {self.limits.files} files")
        self._count_text(name)

    def _count_text(self, text: str) -> None:
        self._bytes += len(text.encode(errors="surrogatepass"))
        self._components += text.count("/") + 1
        if self._bytes > self.limits.names_bytes:
            raise SourceError(f"{self.subject} holds names of more than {self.limits.names_bytes} bytes in all")
        if self._components > self.limits.components:
            raise SourceError(f"{self.subject} holds names of more than {self.limits.components} parts in all")

    def _refuse_long(self, name: str, most_bytes: int) -> None:
        if len(name) > most_bytes or len(name.encode(errors="surrogatepass")) > most_bytes:
            raise SourceError(f"{self.subject} holds a member with a name of more than {most_bytes} bytes")


def resolve_links(extents: Iterable[Extent], links: Mapping[str, str], names: Names) -> list[Extent]:
    """Replace each symbolic link by a copy of what it points to, a file or everything below a folder.

    Raises:
        SourceError: a link leads nowhere or into itself, a file lies below a link or below another file, or the copies
            exceed the size that a source may have.
    """
    files = {extent.file.path: extent for extent in extents}
    _refuse_members_below([*files, *links], names.subject)
    copies = _Copies(files, links, names)
    for path in sorted(links):
        for extent in copies.of(path):
            copies.resolved[extent.file.path] = extent
    return list(copies.resolved.values())


def _refuse_members_below(paths: Iterable[str], subject: str) -> None:
    """Refuse members below a file or a link: sorted with slashes first, they follow it directly."""
    ordered = sorted(path.replace("/", "\0") for path in paths)
    for path, following in pairwise(ordered):
        if following.startswith(f"{path}\0"):
            shown = path.replace("\0", "/")
            raise SourceError(f"{subject} holds members below {shown}, which is not a folder")


class _Copies:
    """Replaces links by copies, and counts the size of the copies meanwhile."""

    def __init__(self, files: Mapping[str, Extent], links: Mapping[str, str], names: Names) -> None:
        self.resolved = dict(files)
        self._files = files
        self._ordered = sorted(files)
        self._links = links
        self._names = names
        self._ends: dict[str, tuple[str, int]] = {}
        self._left_bytes = names.limits.total_bytes
        for extent in files.values():
            self._weigh(extent)

    def of(self, path: str) -> Iterator[Extent]:
        """Yield the copies that replace a link."""
        target, _ = self._end_of(path, path, 0)
        if target in self._files:
            yield self._copied(self._files[target], path)
            return
        prefix = f"{target}/" if target else ""
        if path.startswith(prefix):
            raise SourceError(f"{self._names.subject}: the link {path} points to a folder that it lies in")
        names = self._below(prefix)
        if (first := next(names, None)) is None:
            raise SourceError(f"{self._names.subject}: the link {path} points to {target}, which does not exist")
        for name in (first, *names):
            yield self._copied(self._files[name], f"{path}/{name[len(prefix) :]}")

    def _below(self, prefix: str) -> Iterator[str]:
        """Yield the files whose paths begin with a prefix: sorted, they are next to each other."""
        for index in range(bisect_left(self._ordered, prefix), len(self._ordered)):
            if not self._ordered[index].startswith(prefix):
                return
            yield self._ordered[index]

    def _end_of(self, path: str, first: str, hops: int) -> tuple[str, int]:
        """Follow a link, and links among its target's parents; return a path without links, and how many were followed.

        Each link is followed once: where it leads is remembered.
        """
        if path in self._ends:
            return self._ends[path]
        end, count = "", 1
        for part in self._links[path].split("/"):
            end = f"{end}/{part}" if end else part
            if end in self._links:
                self._refuse_endless(first, hops + count)
                end, followed = self._end_of(end, first, hops + count)
                count += followed
            self._refuse_endless(first, count)
            if len(end) > self._names.limits.name_bytes:
                raise SourceError(f"{self._names.subject}: the link {first} points to a path that is too long")
        self._ends[path] = (end, count)
        return end, count

    def _refuse_endless(self, path: str, hops: int) -> None:
        if hops > _HOPS:
            raise SourceError(f"{self._names.subject}: the link {path} leads through more than {_HOPS} other links")

    def _copied(self, extent: Extent, path: str) -> Extent:
        self._weigh(extent)
        return _renamed(extent, self._names.copy(path))

    def _weigh(self, extent: Extent) -> None:
        """Count a file's size: hard links and copies share their content in the spool, but each is written out."""
        self._left_bytes -= extent.file.size_bytes
        if self._left_bytes < 0:
            limit = self._names.limits.total_bytes
            raise SourceError(
                f"{self._names.subject} unpacks to more than {limit} bytes", hint="is this the right file?"
            )


def _renamed(extent: Extent, path: str) -> Extent:
    return Extent(offset=extent.offset, file=replace(extent.file, path=path))
