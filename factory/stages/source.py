"""A recipe's source as a tree: fetched once, kept in the store, patched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from time import monotonic
from typing import assert_never
from urllib.parse import urlsplit

from factory.codec import JSON
from factory.digest import Artifact
from factory.engine.api import FileEntry
from factory.host import Host
from factory.memory import Memory
from factory.recipe.model import GitSource, PathSource, Recipe, SdistSource, UrlSource
from factory.source.folder import read_folder
from factory.source.pack import pack
from factory.source.patches import patched, read_patches
from factory.source.tree import Tree
from factory.source.unpack import unpack_apart

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An archive in the store; `notes` are what people should know of it."""

    file: Artifact
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The commit that a revision named when it was asked for."""

    commit: str
    notes: tuple[str, ...] = ()


def tree_of(recipe: Recipe, memory: Memory, host: Host, say: Say) -> tuple[Tree, tuple[str, ...]]:
    """Return a recipe's source with its patches applied, and what people should know of where it came from.

    Raises:
        SourceError: the source cannot be had or read, or a patch does not apply.
    """
    patches = read_patches(recipe.source.patches)
    tree, notes = _unpatched(recipe, memory, host, say)
    if not patches:
        return tree, notes
    with memory.store.temp_folder() as folder:
        tree = patched(tree, patches, host, folder)
    return tree, (*notes, f"the source is patched by {', '.join(patch.name for patch in patches)}")


def _unpatched(recipe: Recipe, memory: Memory, host: Host, say: Say) -> tuple[Tree, tuple[str, ...]]:
    match recipe.source:
        case SdistSource() as ref:
            fetched = _sdist(ref, memory, host, say)
        case UrlSource() as ref:
            fetched = _archive(ref, memory, host, say)
        case GitSource() as ref:
            fetched = _commit(ref, memory, host, say)
        case PathSource() as ref:
            return read_folder(ref, host), ()
        case _:
            assert_never(recipe.source)
    with memory.store.lend(fetched.file) as path:
        return unpack_apart(path, memory.reader), fetched.notes


def _sdist(ref: SdistSource, memory: Memory, host: Host, say: Say) -> Fetched:
    inputs: dict[str, JSON] = {
        "sdist": f"{ref.name}=={ref.version}",
        "sha256": None if ref.sha256 is None else str(ref.sha256),
        "indexes": list(host.index_origins),
    }

    def make() -> Fetched:
        from factory.source.index import fetch_sdist  # noqa: PLC0415 -- reading indexes costs a start 0.6 s

        with memory.store.temp_folder() as folder:
            fetched = fetch_sdist(ref, host, folder, progress=_Download(f"{ref.name} {ref.version}", say))
            return Fetched(file=memory.store.put_file(fetched.path, fetched.filename), notes=fetched.notes)

    return memory.surely("source", inputs, Fetched, make)


def _archive(ref: UrlSource, memory: Memory, host: Host, say: Say) -> Fetched:
    """Fetch an archive once. The key holds its address: a digest alone gives nobody what others put into the store."""
    from factory.source.archive import fetch_archive, filename_of  # noqa: PLC0415 -- a start without needs no HTTP

    def make() -> Fetched:
        with memory.store.temp_folder() as folder:
            path = fetch_archive(ref, host, folder, progress=_Download(filename_of(ref.url), say))
            return Fetched(file=memory.store.put_file(path))

    return memory.surely("source", {"archive": ref.url, "sha256": str(ref.sha256)}, Fetched, make)


def _commit(ref: GitSource, memory: Memory, host: Host, say: Say) -> Fetched:
    """Pin the revision, and pack the commit's tree: the one is asked for again with `--update`, the other never is."""
    from factory.source import remote  # noqa: PLC0415 -- most recipes need none of it

    def ask() -> Pinned:
        with memory.store.temp_folder() as folder:
            found = remote.find_revision(ref, host, folder)
        note = f"{ref.rev} is a branch, at {found.commit} until --update" if found.kind == "branch" else ""
        return Pinned(commit=found.commit, notes=(note,) if note else ())

    pinned = memory.surely("source", {"git": ref.url, "rev": ref.rev}, Pinned, ask)

    def make() -> Fetched:
        say(f"fetching {ref.rev} ({pinned.commit[:12]})")
        with memory.store.temp_folder() as folder, memory.store.temp_folder() as packed:
            tree = remote.fetch_tree(ref.url, pinned.commit, host, folder, root=ref.root)
            path = packed / f"{pinned.commit[:12]}.tar.gz"
            pack(tree, path, path.name.removesuffix(".tar.gz"))
            return Fetched(file=memory.store.put_file(path), notes=pinned.notes)

    inputs: dict[str, JSON] = {"git": ref.url, "commit": pinned.commit}
    if urlsplit(ref.url).scheme == "file":  # its submodules may lie anywhere inside the root
        inputs["root"] = str(ref.root)
    fetched = memory.surely("commit", inputs, Fetched, make)
    return Fetched(file=fetched.file, notes=pinned.notes)


class _Download:
    """Turns counted bytes into a line of progress every two seconds: a short download says nothing."""

    _EVERY_S = 2.0

    def __init__(self, name: str, progress: Callable[[str], None]) -> None:
        self._name = name
        self._progress = progress
        self._said = monotonic()

    def __call__(self, done_bytes: int, total_bytes: int | None) -> None:
        if monotonic() - self._said >= self._EVERY_S:
            self._said = monotonic()
            whole = "" if total_bytes is None else f" of {total_bytes / 1e6:.1f}"
            self._progress(f"downloading {self._name}: {done_bytes / 1e6:.1f}{whole} MB")


def source_files(tree: Tree) -> Iterator[FileEntry]:
    """Yield a source tree's files as they are written into a container.

    All have one time: a file's own is in no key, and tools such as make decide by it what to do again.
    """
    for file, content in tree.contents():
        yield FileEntry(path=PurePosixPath(file.path), content=content, mode=file.mode, mtime_s=tree.epoch_s)
