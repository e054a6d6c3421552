"""Packs a tree into an archive of an sdist's form (`.tar.gz`, one top folder), to be read back like any other."""

import gzip
import io
import tarfile
from pathlib import Path

from factory.source.tree import Tree


def pack(tree: Tree, path: Path, top: str) -> None:
    """Write a tree to a file below one top folder; the same tree gives the same bytes."""
    with (
        gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file, content in tree.contents():
            member = tarfile.TarInfo(f"{top}/{file.path}")
            member.size, member.mode, member.mtime = len(content), file.mode, tree.epoch_s
            archive.addfile(member, io.BytesIO(content))
