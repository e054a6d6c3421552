"""Tar streams are rewritten and read without trust in what they name."""

import io
import tarfile
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.engine.api import FileEntry
from factory.engine.tarstream import ChunkReader, adopt, folder, pack, regular_files
from factory.errors import FactoryError

names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=200).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) < 250
)
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: PurePosixPath(*parts))
entries = st.builds(
    FileEntry,
    path=paths,
    content=st.binary(max_size=2000),
    mode=st.integers(0, 0o777),
    mtime_s=st.integers(0, 1 << 34),
)


@given(files=st.lists(entries, max_size=4), size=st.integers(1, 5000))
def test_reading_what_was_packed_gives_the_files_back(files: list[FileEntry], size: int) -> None:
    whole = folder("dist")[:-1024] + b"".join(pack(files, PurePosixPath("dist")))
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]

    came_out = list(regular_files(pieces, limit_bytes=1 << 20))

    assert came_out == files


@given(chunks=st.lists(st.binary(max_size=20)), sizes=st.lists(st.integers(0, 30)))
def test_a_stream_of_chunks_reads_like_a_file(chunks: list[bytes], sizes: list[int]) -> None:
    reader, file = ChunkReader(chunks), io.BytesIO(b"".join(chunks))

    assert [reader.read(size) for size in sizes] == [file.read(size) for size in sizes]


def make_archive(*names: str) -> list[bytes]:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            tar.addfile(member)
    return [spool.getvalue()]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("dist/../../x", id="dots"),
        pytest.param("../x", id="leading-dots"),
    ],
)
def test_an_engine_that_names_a_file_outside_is_not_believed(name: str) -> None:
    with pytest.raises(FactoryError, match="no name of a file below"):
        list(regular_files(make_archive("dist/", name), limit_bytes=10))


def test_a_member_that_takes_a_links_place_is_a_folder_again() -> None:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, kind in (("a", tarfile.SYMTYPE), ("a", tarfile.DIRTYPE), ("a/b", tarfile.REGTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc" if kind == tarfile.SYMTYPE else ""
            tar.addfile(member)

    rewritten = b"".join(adopt([spool.getvalue()]))

    with tarfile.open(fileobj=io.BytesIO(rewritten)) as tar:
        assert [(member.name, member.type) for member in tar][-1] == ("a/b", tarfile.REGTYPE)
