"""Fetch a recipe's source, keep it in the store, and patch its tree."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import assert_never

from factory.digest import Digest
from factory.engine.api import FileEntry
from factory.errors import SourceError
from factory.excerpt import cut, listed
from factory.memory import ASKS_THE_WORLD, Stage
from factory.recipe.model import GitSource, PathSource, Recipe, SdistSource, SourceRef, UrlSource
from factory.recipe.wider import from_above
from factory.sessions.sources import DownloadProgress, Fetched, SourceServices
from factory.source.folder import read_folder
from factory.source.leftovers import cleaned, is_kept
from factory.source.patches import Patch, patched, read_patches
from factory.source.placeholders import placeholder_notes
from factory.source.tree import Tree
from factory.source.unpack import unpack_apart
from factory.stages.commit import fetch_commit
from factory.stages.tree import remembered_tree

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSdist(Stage[Fetched]):
    """The sdist of a release, from the indexes that this machine names."""

    # The three kinds of source share one name, so their versions rise together.
    NAME, VERSION, REDONE_BY = "source", 3, ASKS_THE_WORLD

    sdist: str
    sha256: Digest | None
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchArchive(Stage[Fetched]):
    """An archive by its URL and digest.

    With the digest alone, a recipe could name any URL and get an archive that it may not download itself.
    """

    NAME, VERSION, REDONE_BY = "source", 3, ASKS_THE_WORLD

    archive: str
    sha256: Digest


def tree_of(recipe: Recipe, services: SourceServices) -> tuple[Tree, tuple[str, ...]]:
    """Return a recipe's source with its patches applied, and what users should know about where it came from.

    Raises:
        SourceError: the source cannot be fetched or read, or a patch does not apply.
    """
    patches = read_patches(recipe.source.patches)
    named = (f"the source is patched by {', '.join(patch.name for patch in patches)}",) if patches else ()
    if isinstance(ref := recipe.source, PathSource):
        folder = read_folder(ref, services.host, wider=lambda above: from_above(recipe, ref, above))
        tree, notes = _finished(folder, ref, patches, services)
        fetched_notes: tuple[str, ...] = ()
    else:
        fetched = _fetched(ref, services)
        digests = tuple(Digest.of(patch.content) for patch in patches)
        tree, notes = remembered_tree(
            services.memory, fetched.file, ref.keep, digests, partial(_unpacked, fetched, ref, patches, services)
        )
        fetched_notes = fetched.notes
    if tree.left_out:
        services.say(_left(tree.left_out))
    return tree, (*fetched_notes, *notes, *named)


def _fetched(source: SdistSource | UrlSource | GitSource, services: SourceServices) -> Fetched:
    match source:
        case SdistSource():
            return _sdist(source, services)
        case UrlSource():
            return _archive(source, services)
        case GitSource():
            return fetch_commit(source, services)
        case _:
            assert_never(source)


def _unpacked(
    fetched: Fetched, source: SourceRef, patches: tuple[Patch, ...], services: SourceServices
) -> tuple[Tree, tuple[str, ...]]:
    with services.memory.store.lend(fetched.file) as path:
        tree = cleaned(unpack_apart(path, services.reader), source.keep)
    return _finished(tree, source, patches, services)


def _finished(
    tree: Tree, source: SourceRef, patches: tuple[Patch, ...], services: SourceServices
) -> tuple[Tree, tuple[str, ...]]:
    """Return a tree as it is built, and notes about its content."""
    _refuse_idle_keep(source, tree)
    left_out, notes = tree.left_out, tuple(placeholder_notes(tree))
    if left_out:
        keep = f"if it is source, keep it: source: {{keep: [{_named(left_out[0])}]}}"
        notes = (f"{_left(left_out)}; {keep}", *notes)
    if not patches:
        return tree, notes
    with services.memory.store.temp_folder() as folder:
        return patched(tree, patches, services.host, folder), notes


def _left(left_out: tuple[str, ...]) -> str:
    return f"what an earlier build left is left out of the source: {listed(left_out)}"


def _named(left_out: str) -> str:
    """Write a left-out path as a recipe's list has it."""
    path = cut(left_out.rstrip("/"))
    return path if _PLAIN.fullmatch(path) else json.dumps(path)


def _refuse_idle_keep(source: SourceRef, tree: Tree) -> None:
    for name in source.keep:
        if not any(is_kept(path, (name,)) for path in tree.paths):
            raise SourceError(
                f"source.keep names {name}, which is not in the source",
                hint="write it as it lies below the source's root; what git ignores is no part of a folder's source",
            )


def _sdist(ref: SdistSource, services: SourceServices) -> Fetched:
    store = services.memory.store

    def fetch() -> Fetched:
        from factory.source.index import fetch_sdist  # noqa: PLC0415 -- reading indexes costs a start 0.6 s

        with store.temp_folder() as folder:
            progress = DownloadProgress(f"{ref.name} {ref.version}", services.say)
            fetched = fetch_sdist(ref, services.host, folder, progress=progress)
            return Fetched(file=store.put_file(fetched.path, fetched.filename), notes=fetched.notes)

    stage = FetchSdist(
        sdist=f"{ref.name}=={ref.version}", sha256=ref.sha256, indexes=tuple(services.host.index_origins)
    )
    return services.memory.surely(stage, fetch)


def _archive(ref: UrlSource, services: SourceServices) -> Fetched:
    from factory.source.archive import fetch_archive, filename_of  # noqa: PLC0415 -- most commands need no HTTP

    store = services.memory.store

    def fetch() -> Fetched:
        with store.temp_folder() as folder:
            progress = DownloadProgress(filename_of(ref.url), services.say)
            return Fetched(file=store.put_file(fetch_archive(ref, services.host, folder, progress=progress)))

    return services.memory.surely(FetchArchive(archive=ref.url, sha256=ref.sha256), fetch)


def source_files(tree: Tree, *, left_out: Collection[str] = ()) -> Iterator[FileEntry]:
    """Yield a source tree's files as they are written into a container, but for those that are left out.

    All have the same time, but what was made from others has an earlier one: tools such as make decide by it what to do
    again, and no key holds the files' own times.
    """
    for file, content in tree.contents():
        if file.path in left_out:
            continue
        yield FileEntry(path=PurePosixPath(file.path), content=content, mode=file.mode, mtime_s=tree.time_s(file))
