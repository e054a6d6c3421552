"""Tar archives are read as their writers meant them, and hostile ones at a cost that their size bounds."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from factory.errors import SourceError
from factory.source.tree import SourceLimits
from factory.source.unpack import unpack
from tests.budgets import within_cpu, within_memory
from tests.makers.sources import TOP, make_sdist, member


def header(name: str, size: int = 0, kind: bytes = b"0") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.USTAR_FORMAT)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def record(key: str, value: str) -> bytes:
    """Write a pax record: its length counts its own digits."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def extension(kind: bytes, content: bytes) -> bytes:
    return header("././@PaxHeader", len(content), kind) + padded(content)


def archive(folder: Path, *blocks: bytes) -> Path:
    path = folder / f"{TOP}.tar.gz"
    path.write_bytes(gzip.compress(b"".join(blocks) + bytes(1024), 1))
    return path


@pytest.mark.parametrize(
    "form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["ustar", "gnu", "pax"]
)
def test_every_form_is_read_as_its_writer_meant_it(tmp_path: Path, form: int) -> None:
    long = f"{'folder/' * 14}{'name' * 20}" if form == tarfile.USTAR_FORMAT else f"{'long' * 60}/naïve"
    members = [
        member(f"{TOP}/{long}", b"L", mode=0o755, mtime=1_700_000_000),
        member(f"{TOP}/folder", type=tarfile.DIRTYPE),
        member(f"{TOP}/link", type=tarfile.SYMTYPE, linkname="plain"),
        member(f"{TOP}/hard", type=tarfile.LNKTYPE, linkname=f"{TOP}/plain"[:100]),
    ]
    members.insert(0, member(f"{TOP}/plain", b"P" * 600))
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=form) as written:
        for info, content in members:
            written.addfile(info, io.BytesIO(content))
    path = tmp_path / f"{TOP}.tar.gz"
    path.write_bytes(gzip.compress(plain.getvalue(), 1))

    tree = unpack(path)

    assert set(tree.paths) == {long, "plain", "link", "hard"}
    assert tree.read("hard") == tree.read("plain") == b"P" * 600
    assert tree.read("link") == b"P" * 600
    assert tree.read(long) == b"L"
    assert tree.files[long].executable
    assert tree.epoch_s == 1_700_000_000


def test_numbers_of_gnu_that_need_no_digits_are_read(tmp_path: Path) -> None:
    """A time before 1970 is written in base 256, and so is what has no room in octal digits."""
    info, _ = member(f"{TOP}/a", mtime=-5)
    old = archive(tmp_path, info.tobuf(tarfile.GNU_FORMAT))

    assert unpack(old).epoch_s == 315_532_800


def test_what_an_archiver_says_of_all_members_is_heard(tmp_path: Path) -> None:
    """`git archive` writes the commit into a global header, and GNU tar may write times there."""
    records = record("comment", "0" * 40) + record("mtime", "1600000000")

    tree = unpack(archive(tmp_path, extension(b"g", records), header(f"{TOP}/a"), header(f"{TOP}/b")))

    assert tree.paths == ("a", "b")
    assert tree.epoch_s == 1_600_000_000


@pytest.mark.parametrize(
    ("blocks", "says"),
    [
        pytest.param([header(f"{TOP}/a")[:300]], "in the middle of a header", id="cut in a header"),
        pytest.param([header(f"{TOP}/a").replace(b"ustar", b"wrong")], "checksum", id="checksum"),
        pytest.param([extension(b"x", b"9 path=x\n"), header(f"{TOP}/a")], "it holds x", id="one letter"),
        pytest.param([extension(b"x", b"99 path=x\n"), header(f"{TOP}/a")], "record of a pax", id="long record"),
        pytest.param([extension(b"x", b"0 a=b\n"), header(f"{TOP}/a")], "record of a pax", id="no record"),
        pytest.param([extension(b"x", record("size", "-1")), header(f"{TOP}/a")], "as a size", id="size below zero"),
        pytest.param([extension(b"x", record("size", "9" * 5000)), header(f"{TOP}/a")], "as a size", id="endless size"),
        pytest.param([extension(b"x", record("mtime", "soon")), header(f"{TOP}/a")], "as a time", id="time"),
        pytest.param([extension(b"x", record("size", "9" * 30)), header(f"{TOP}/a")], "beyond the archive", id="size"),
        pytest.param([extension(b"x", record("GNU.sparse.major", "1")), header(f"{TOP}/a")], "sparse", id="sparse"),
        pytest.param([header(f"{TOP}/a", 1 << 20)], "beyond the archive", id="cut in a member"),
        pytest.param([header(f"{TOP}/a", 2 << 20, b"L")], "a header of 2097152 bytes", id="long name"),
    ],
)  # fmt: skip
def test_what_is_damaged_or_endless_is_refused(tmp_path: Path, blocks: list[bytes], says: str) -> None:
    path = tmp_path / f"{TOP}.tar.gz"
    path.write_bytes(gzip.compress(b"".join(blocks), 1))

    with pytest.raises(SourceError, match=says):
        unpack(path)


def test_headers_in_a_row_are_no_recursion(tmp_path: Path) -> None:
    chain = extension(b"x", record("path", f"{TOP}/last")) * 20_000

    with within_cpu(10):
        tree = unpack(archive(tmp_path, chain, header(f"{TOP}/a")))

    assert tree.paths == ("last",)


@pytest.mark.thorough
def test_a_global_header_is_not_copied_into_every_member(tmp_path: Path) -> None:
    """50 000 records before 5 000 members, each with a header of its own."""
    records = b"".join(record(f"key{number}", "x") for number in range(50_000))
    members = b"".join(extension(b"x", record("mtime", "1")) + header(f"{TOP}/{number}") for number in range(5000))
    path = archive(tmp_path, extension(b"g", records), members)

    with within_cpu(10):
        tree = unpack(path)

    assert len(tree.paths) == 5000


def test_headers_are_not_kept(tmp_path: Path) -> None:
    """A mebibyte of records before each of 60 members: what nobody asks for is let go."""
    records = record("comment", "x" * 1_000_000)
    members = b"".join(extension(b"x", records) + header(f"{TOP}/{number}") for number in range(60))
    path = archive(tmp_path, members)

    with within_memory(20 << 20):
        unpack(path)


@pytest.mark.thorough
def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    records = record("comment", "x" * 1_000_000)

    with pytest.raises(SourceError, match="its headers hold more than 67108864 bytes"):
        unpack(archive(tmp_path, extension(b"x", records) * 80, header(f"{TOP}/a")))


def test_a_small_archive_may_not_become_a_large_one(tmp_path: Path) -> None:
    """A megabyte of gzip can hold a gigabyte of zeros; honest sources shrink to a tenth."""
    sdist = make_sdist(tmp_path, [member(f"{TOP}/zeros", bytes(6_000_000))])

    with pytest.raises(SourceError, match="unpacks to more than"):
        unpack(sdist, limits=SourceLimits(ratio_bytes=1 << 20))


def test_thousands_of_folders_deep_cost_next_to_nothing(tmp_path: Path) -> None:
    """8 000 members 500 folders deep weigh 147 kB, and would have needed 2.4 GB."""
    members = [member(f"{TOP}/{number}/{'d/' * 450}x") for number in range(2000)]
    sdist = make_sdist(tmp_path, members)

    with within_memory(100 << 20), within_cpu(20), pytest.raises(SourceError, match="more than 100 folders deep"):
        unpack(sdist)


@pytest.mark.thorough
def test_members_of_gzip_without_content_cost_little_each(tmp_path: Path) -> None:
    """RFC 1952 lets a file be many members in a row."""
    sdist = make_sdist(tmp_path, [member(f"{TOP}/a", b"A")])
    sdist.write_bytes(gzip.compress(b"", 1) * 50_000 + sdist.read_bytes())

    with within_cpu(20):
        assert unpack(sdist).paths == ("a",)
