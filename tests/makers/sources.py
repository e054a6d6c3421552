"""Makers of sdists and small trees: each states only the fact that matters to its test."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from factory.source.tree import Extent, SourceLimits, Spool, Tree, TreeFile

TOP = "demo-1.0"
PYPROJECT = (
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "demo"\n'
)


class Files(dict[str, str]):
    """A tree as a dictionary of files."""

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self))

    def read(self, path: str) -> bytes | None:
        return self[path].encode() if path in self else None

    def size(self, path: str) -> int | None:
        content = self.read(path)
        return None if content is None else len(content)


def member(
    name: str, content: bytes = b"", *, mode: int = 0o644, mtime: float = 1_700_000_000, **attributes: object
) -> tuple[tarfile.TarInfo, bytes]:
    """Make one tar member; `attributes` are TarInfo's own, such as type and linkname."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), mode, mtime
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def make_sdist(folder: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]], filename: str = f"{TOP}.tar.gz") -> Path:
    """Write a .tar.gz of exactly these members."""
    path = folder / filename
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(gzip.compress(plain.getvalue(), mtime=0))
    return path


def make_demo(folder: Path, files: Mapping[str, bytes] | None = None, filename: str = f"{TOP}.tar.gz") -> Path:
    """Write a good sdist with these files below its top folder."""
    content = {"pyproject.toml": PYPROJECT.encode()} if files is None else files
    return make_sdist(folder, [member(f"{TOP}/{name}", data) for name, data in content.items()], filename)


def make_zip(folder: Path, fill: Callable[[zipfile.ZipFile], None]) -> Path:
    """Write a legacy .zip sdist that `fill` fills."""
    path = folder / f"{TOP}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    return path


def make_tree(files: Mapping[str, str]) -> Tree:
    """Make a tree of files with these texts, all of one time."""
    spool = Spool(SourceLimits())
    extents = []
    for path, text in files.items():
        offset, size_bytes = spool.add([text.encode()], path)
        file = TreeFile(path=path, executable=False, mtime_s=1_700_000_000, size_bytes=size_bytes)
        extents.append(Extent(offset=offset, file=file))
    return Tree.of(spool, extents)
