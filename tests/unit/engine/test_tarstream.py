"""Tar streams are rewritten and read without trust in what they name."""

import io
import tarfile
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory.engine.api import FileEntry, StreamEntry
from factory.engine.tarstream import ChunkReader, folder, pack, regular_files
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


@pytest.mark.thorough
@given(files=st.lists(entries, max_size=4), size=st.integers(1, 5000))
def test_reading_what_was_packed_gives_the_files_back(files: list[FileEntry], size: int) -> None:
    whole = folder("dist")[:-1024] + b"".join(pack(files, PurePosixPath("dist")))
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]

    came_out = [entry.whole() for entry in regular_files(pieces, limit_bytes=1 << 20)]

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
    with pytest.raises(FactoryError, match="does not name a file below"):
        list(regular_files(make_archive("dist/", name), limit_bytes=10))


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../x", "..", "."])
def test_a_file_does_not_go_in_outside_its_folder(name: str) -> None:
    with pytest.raises(FactoryError, match="does not name a file below"):
        list(pack([FileEntry(path=PurePosixPath(name), content=b"")], PurePosixPath("dist")))


@pytest.mark.parametrize(
    "tar",
    [
        pytest.param([b"this is no tar" * 100], id="no tar"),
        pytest.param([b"".join(pack([FileEntry(path=PurePosixPath("a"), content=b"x" * 5000)]))[:2000]], id="cut off"),
        pytest.param([], id="empty"),
    ],
)
def test_an_archive_that_is_not_whole_is_refused(tar: list[bytes]) -> None:
    with pytest.raises(FactoryError, match="tar stream is incomplete or damaged"):
        [entry.whole() for entry in regular_files(tar, limit_bytes=10_000)]


@pytest.mark.parametrize("pieces", [[b"abc"], [b"abc", b"defg"]], ids=["fewer", "more"])
def test_a_stream_that_is_not_as_long_as_it_says_does_not_go_in(pieces: list[bytes]) -> None:
    entry = StreamEntry(path=PurePosixPath("a"), size_bytes=5, pieces=pieces)

    with pytest.raises(FactoryError, match="its header says 5"):
        list(pack([entry]))
