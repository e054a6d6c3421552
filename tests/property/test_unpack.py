"""Laws of reading hostile archives."""

import contextlib
import gzip
import io
import tarfile
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from factory.errors import SourceError
from factory.source.tree import SourceLimits
from factory.source.unpack import unpack
from tests.makers.sources import TOP, make_sdist, member

_TYPES = (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE)
_PARTS = st.sampled_from(["a", "b", "..", ".", "", "c\n"])
_NAMES = st.lists(_PARTS, min_size=1, max_size=4).map("/".join)


@st.composite
def _members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    name = draw(_NAMES)
    kind = draw(st.sampled_from(_TYPES))
    content = draw(st.binary(max_size=20)) if kind == tarfile.REGTYPE else b""
    return member(f"{TOP}/{name}", content, type=kind, linkname=draw(_NAMES))


@given(st.lists(_members(), max_size=8))
def test_an_archive_gives_clean_relative_paths_or_a_source_error(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sdist = make_sdist(Path(folder), members)
        try:
            tree = unpack(sdist, limits=SourceLimits(files=100))
        except SourceError:
            return
    for path, file in tree.files.items():
        assert not {"", ".", ".."} & set(path.split("/"))
        assert path.isprintable()
        assert len(tree.read(path) or b"") == file.size_bytes
    folders = {path.rpartition("/")[0] for path in tree.paths}
    assert not folders & set(tree.paths)


@given(st.data())
def test_damaged_bytes_give_a_tree_or_a_source_error(data: st.DataObject) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in (
            member(f"{TOP}/a", b"A"),
            member(f"{TOP}/{'b' * 120}", b"B", pax_headers={"mtime": "1.5"}),
        ):
            archive.addfile(info, io.BytesIO(content))
    damaged = bytearray(plain.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{TOP}.tar.gz"
        path.write_bytes(gzip.compress(bytes(damaged), 1))
        with contextlib.suppress(SourceError):
            unpack(path, limits=SourceLimits(total_bytes=1 << 20, files=100))


@given(st.binary(max_size=400), st.sampled_from([".tar.gz", ".zip"]))
def test_any_bytes_give_a_source_error(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"demo-1.0{suffix}"
        path.write_bytes(gzip.compress(content, 1) if suffix == ".tar.gz" else b"PK\x05\x06" + content)
        try:
            unpack(path)
        except SourceError:
            return
    raise AssertionError("noise is no source")
