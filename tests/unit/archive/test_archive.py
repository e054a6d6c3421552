import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.archive import LIMITS, ArchiveLimits, Flaw, Member, open_archive
from factory.digest import Digest
from tests.corpus.sample import Pipe

Fill = Callable[[zipfile.ZipFile], None]


def _archive(folder: Path, fill: Fill) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    return path


def _read(path: Path, limits: ArchiveLimits = LIMITS) -> tuple[dict[str, bytes], list[Member], list[Flaw]]:
    contents: dict[str, bytes] = {}
    members: list[Member] = []

    def take(member: Member, content: bytearray) -> None:
        members.append(member)
        contents[member.name] = bytes(content)

    with open_archive(path, limits) as archive:
        archive.visit(take, lambda _name, head, _size: head == b"keep")
        return contents, members, archive.flaws


def _flaws(path: Path, limits: ArchiveLimits = LIMITS) -> list[tuple[str, str]]:
    return [(flaw.kind, flaw.member) for flaw in _read(path, limits)[2]]


def _info(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_members_are_digested_and_only_wanted_contents_are_kept(tmp_path: Path) -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr("a/", "")
        archive.writestr("a/kept", b"keep this")
        archive.writestr("a/gone", b"let this go")

    contents, members, flaws = _read(_archive(tmp_path, fill))

    assert contents == {"a/kept": b"keep this", "a/gone": b""}
    assert [(m.name, m.size_bytes, m.digest) for m in members] == [
        ("a/kept", 9, Digest.of(b"keep this")),
        ("a/gone", 11, Digest.of(b"let this go")),
    ]
    assert not flaws


def _two(first: str, second: str) -> Fill:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr(first, b"1")
        archive.writestr(second, b"2")

    return fill


NAMES = {
    "traversal": ("../x", "name"),
    "traversal inside": ("a/../../x", "name"),
    "absolute": ("/etc/x", "name"),
    "drive": ("C:/x", "name"),
    "backslash": ("a\\x", "name"),
    "empty part": ("a//x", "name"),
    "dot part": ("./x", "name"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_unpackers_disagree_on_is_a_flaw(case: str, tmp_path: Path) -> None:
    name, kind = NAMES[case]

    assert _flaws(_archive(tmp_path, _two("a", name))) == [(kind, name)]


@pytest.mark.parametrize("name", ["a..b", "...", "ab:", "é/ü", "a.dist-info/x"])
def test_an_odd_but_harmless_name_is_none(name: str, tmp_path: Path) -> None:
    assert _flaws(_archive(tmp_path, _two("a", name))) == []


def test_a_name_that_differs_in_case_only_is_a_flaw(tmp_path: Path) -> None:
    assert _flaws(_archive(tmp_path, _two("a", "A"))) == [("case", "a")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_a_flaw(tmp_path: Path) -> None:
    assert _flaws(_archive(tmp_path, _two("a", "a"))) == [("duplicate", "a")]


def test_a_name_with_a_nul_is_judged_whole(tmp_path: Path) -> None:
    path = _archive(tmp_path, _two("a", "b_c"))
    path.write_bytes(path.read_bytes().replace(b"b_c", b"b\0c"))

    assert ("name", "b\0c") in _flaws(path)


def test_a_link_is_a_flaw_and_is_not_read(tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr(_info("link", stat.S_IFLNK | 0o777), "/etc/passwd"))

    contents, _, flaws = _read(path)

    assert contents == {}
    assert [(flaw.kind, flaw.message) for flaw in flaws] == [
        ("special", "is a symbolic link; a wheel may hold only files and folders")
    ]


def test_a_method_that_not_every_installer_unpacks_is_a_flaw(tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr("x", b"x", zipfile.ZIP_BZIP2))

    assert _flaws(path) == [("method", "x")]


def test_an_encrypted_member_is_a_flaw(tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr("x", b"x"))
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\1\2") + 8, 1)
    path.write_bytes(content)

    assert _flaws(path) == [("mismatch", "x"), ("encrypted", "x")]


def test_a_wrong_checksum_is_a_flaw(tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr("x", b"content", zipfile.ZIP_STORED))
    path.write_bytes(path.read_bytes().replace(b"content", b"changed"))

    contents, _, flaws = _read(path)

    assert contents == {}
    assert [(flaw.kind, flaw.message) for flaw in flaws] == [
        ("unreadable", "cannot be read: its checksum is a3f33dfa; fec530a9 is declared")
    ]


@pytest.mark.parametrize(
    "content", [b"", b"no zip", b"PK\5\6" + b"\xff" * 18], ids=["empty", "text", "end record only"]
)
def test_what_is_no_archive_has_no_members_and_a_flaw(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)

    contents, _, flaws = _read(path)

    assert contents == {}
    assert [(flaw.kind, flaw.member) for flaw in flaws] == [("unreadable", "")]


BOUNDS = {
    "one member": (ArchiveLimits(member_bytes=9), [("too-large", "big")]),
    "all together": (ArchiveLimits(total_bytes=13), [("too-large", "small")]),
    "count": (ArchiveLimits(members=1), [("too-large", "")]),
    "just enough": (ArchiveLimits(member_bytes=10, total_bytes=15, members=2), []),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_what_is_above_a_limit_is_not_read(case: str, tmp_path: Path) -> None:
    limits, expected = BOUNDS[case]

    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr("big", b"0123456789")
        archive.writestr("small", b"01234")

    assert _flaws(_archive(tmp_path, fill), limits) == expected


def test_a_ratio_is_no_flaw_of_a_small_member(tmp_path: Path) -> None:
    assert _flaws(_archive(tmp_path, lambda archive: archive.writestr("zeros", bytes(1 << 20)))) == []


def test_a_large_member_that_is_nearly_nothing_packed_is_not_inflated(tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr("zeros", bytes(1 << 20)))

    assert _flaws(path, ArchiveLimits(ratio_bytes=1 << 19)) == [("too-large", "zeros")]


def test_bytes_before_and_after_the_archive_are_flaws(tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr("x", b"x"))
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes() + b"more")

    contents, _, flaws = _read(path)

    assert set(contents) == {"x"}
    assert [(flaw.kind, flaw.message) for flaw in flaws] == [
        ("padding", "10 bytes precede the archive"),
        ("padding", "4 bytes follow the archive"),
    ]


def test_bytes_between_members_are_a_flaw(tmp_path: Path) -> None:
    path = _archive(tmp_path, _two("a", "b"))
    content = path.read_bytes()
    second, central, end = content.index(b"PK\3\4", 4), content.index(b"PK\1\2"), content.index(b"PK\5\6")
    last = content.rindex(b"PK\1\2")
    moved = bytearray(content[:second] + b"hidden" + content[second:])
    struct.pack_into("<I", moved, last + 6 + 42, second + 6)
    struct.pack_into("<I", moved, end + 6 + 16, central + 6)
    path.write_bytes(moved)

    assert _flaws(path) == [("padding", "b")]


def test_members_that_share_their_bytes_are_not_read(tmp_path: Path) -> None:
    path = _archive(tmp_path, _two("a", "b"))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rindex(b"PK\1\2") + 42, 0)
    path.write_bytes(content)

    contents, _, flaws = _read(path)

    assert contents == {}
    assert {flaw.kind for flaw in flaws} >= {"overlap", "mismatch"}


@pytest.mark.parametrize("field", [8, 14, 18, 22, 30], ids=["method", "checksum", "packed", "size", "name"])
def test_a_local_header_that_says_otherwise_is_a_flaw(field: int, tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr("x", b"x"))
    content = bytearray(path.read_bytes())
    content[field] ^= 1
    path.write_bytes(content)

    assert ("mismatch", "x") in _flaws(path)


@pytest.mark.parametrize(
    ("method", "kind"), [(zipfile.ZIP_STORED, "stored-descriptor"), (zipfile.ZIP_DEFLATED, "descriptor")]
)
def test_a_size_behind_the_content_is_a_flaw(method: int, kind: str, tmp_path: Path) -> None:
    stream, path = Pipe(), tmp_path / "a.zip"
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("x", b"x")
        archive.writestr("y", b"y")
    path.write_bytes(stream.getvalue())

    assert _flaws(path) == [(kind, "x"), (kind, "y")]


def test_a_large_archives_end_record_is_read(tmp_path: Path) -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        with archive.open("x", "w", force_zip64=True) as member:
            member.write(b"keep x")

    contents, _, flaws = _read(_archive(tmp_path, fill))

    assert (contents, flaws) == ({"x": b"keep x"}, [])


MODES = {"000": (stat.S_IFREG, "mode"), "setuid": (0o104755, "mode"), "anybody's": (0o100666, "world-writable")}


@pytest.mark.parametrize("case", MODES)
def test_rights_that_nobody_wants_restored_are_flaws(case: str, tmp_path: Path) -> None:
    mode, kind = MODES[case]

    assert _flaws(_archive(tmp_path, lambda archive: archive.writestr(_info("x", mode), b"x"))) == [(kind, "x")]


def test_a_date_that_does_not_exist_is_a_flaw(tmp_path: Path) -> None:
    path = _archive(tmp_path, lambda archive: archive.writestr("x", b"x"))
    content = bytearray(path.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\1\2") + 14, 0)
    path.write_bytes(content)

    assert _flaws(path) == [("date", "x")]


def test_one_content_at_a_time_is_in_memory(tmp_path: Path) -> None:
    size = 8 << 20

    def fill(archive: zipfile.ZipFile) -> None:
        for index in range(4):
            archive.writestr(f"{index}", b"keep" + bytes(size), zipfile.ZIP_STORED)

    path = _archive(tmp_path, fill)
    tracemalloc.start()

    with open_archive(path) as archive:
        archive.visit(lambda _member, _content: None, lambda _name, head, _size: head == b"keep")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2 * size
