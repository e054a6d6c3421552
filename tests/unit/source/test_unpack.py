"""An sdist is read as a hostile archive."""

import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from factory.errors import SourceError
from factory.source.tree import SourceLimits
from factory.source.unpack import unpack
from tests.budgets import within_cpu
from tests.makers.sources import TOP, make_demo, make_sdist, make_zip, member

Member = tuple[tarfile.TarInfo, bytes]


def link(name: str, target: str) -> Member:
    return member(f"{TOP}/{name}", type=tarfile.SYMTYPE, linkname=target)


def test_a_tree_has_the_files_below_the_top_folder(tmp_path: Path) -> None:
    sdist = make_demo(tmp_path, {"a.txt": b"A", "src/b.txt": b"BB"})

    tree = unpack(sdist)

    assert {file.path: content for file, content in tree.contents()} == {"a.txt": b"A", "src/b.txt": b"BB"}
    assert [file.path for file, _ in tree.contents("src")] == ["src/b.txt"]
    assert tree.read("src/b.txt") == b"BB"
    assert tree.read("src") is None


def test_only_the_executable_bit_of_a_mode_is_kept(tmp_path: Path) -> None:
    sdist = make_sdist(tmp_path, [member(f"{TOP}/run", mode=0o6777), member(f"{TOP}/text", mode=0o600)])

    tree = unpack(sdist)

    assert {path: file.mode for path, file in tree.files.items()} == {"run": 0o755, "text": 0o644}


def test_the_epoch_is_the_newest_members_time(tmp_path: Path) -> None:
    sdist = make_sdist(tmp_path, [member(f"{TOP}/old", mtime=1_600_000_000), member(f"{TOP}/new", mtime=1_700_000_001)])

    tree = unpack(sdist)

    assert tree.epoch_s == 1_700_000_001
    assert tree.files["old"].mtime_s == 1_600_000_000


@pytest.mark.parametrize("mtime", [0, -5, float("nan"), float("-inf")])
def test_no_time_is_older_than_a_zip_can_carry(tmp_path: Path, mtime: float) -> None:
    sdist = make_sdist(tmp_path, [member(f"{TOP}/a", mtime=0, pax_headers={"mtime": str(mtime)})])

    tree = unpack(sdist)

    assert tree.epoch_s == tree.files["a"].mtime_s == 315_532_800


def test_digests_see_content_names_modes_and_the_epoch_and_no_other_time(tmp_path: Path) -> None:
    newest = member(f"{TOP}/newest", mtime=1_800_000_000)
    variants = {
        "first": [member(f"{TOP}/a", b"A"), newest],
        "older": [member(f"{TOP}/a", b"A", mtime=1_650_000_000), newest],
        "order": [newest, member(f"{TOP}/a", b"A")],
        "content": [member(f"{TOP}/a", b"B"), newest],
        "name": [member(f"{TOP}/b", b"A"), newest],
        "mode": [member(f"{TOP}/a", b"A", mode=0o755), newest],
        "epoch": [member(f"{TOP}/a", b"A"), member(f"{TOP}/newest", mtime=1_800_000_001)],
    }

    digests = {name: unpack(make_sdist(tmp_path, members)).digest for name, members in variants.items()}

    assert digests["first"] == digests["older"] == digests["order"]
    assert len(set(digests.values())) == 5


def test_links_inside_the_tree_become_copies(tmp_path: Path) -> None:
    sdist = make_sdist(
        tmp_path,
        [
            member(f"{TOP}/py/a.txt", b"A", mode=0o755),
            link("b.txt", "py/a.txt"),
            link("folder", "./py"),
            link("through", "folder/a.txt"),
            member(f"{TOP}/hard", type=tarfile.LNKTYPE, linkname=f"{TOP}/py/a.txt"),
        ],
    )

    tree = unpack(sdist)

    assert tree.paths == ("b.txt", "folder/a.txt", "hard", "py/a.txt", "through")
    assert {content for _, content in tree.contents()} == {b"A"}
    assert tree.files["b.txt"].executable


def test_a_later_member_replaces_an_earlier_one_of_its_name(tmp_path: Path) -> None:
    sdist = make_sdist(tmp_path, [member(f"{TOP}/a", b"1"), member(f"./{TOP}//a", b"2")])

    assert unpack(sdist).read("a") == b"2"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        pytest.param([member(f"{TOP}/../../etc/cron")], "which leads out of the tree", id="climbing"),
        pytest.param([member("/etc/cron")], "an absolute path", id="absolute"),
        pytest.param([member(f"{TOP}/a\nb")], r"'demo-1.0/a\\nb', which contains control characters", id="newline"),
        pytest.param([member(f"{TOP}/\x1b[2J")], "control characters", id="escape-sequence"),
        pytest.param([member(f"{TOP}/" + "a/" * 600)], "more than 1024 bytes", id="long-name"),
        pytest.param([member(f"{TOP}/null", type=tarfile.CHRTYPE)], "null is a device", id="device"),
        pytest.param([member(f"{TOP}/pipe", type=tarfile.FIFOTYPE)], "a pipe", id="pipe"),
        pytest.param([member(f"{TOP}/disk", type=tarfile.BLKTYPE)], "disk is a device", id="block device"),
        pytest.param([member(f"{TOP}/holes", type=tarfile.GNUTYPE_SPARSE)], "a sparse file|broken", id="sparse"),
        pytest.param([member(f"{TOP}/a\rb")], "control characters", id="carriage-return"),
        pytest.param([member(f"{TOP}/a\u202eb")], "control characters", id="right-to-left"),
        pytest.param([member(f"{TOP}/\udcff")], "is not UTF-8", id="no-utf-8"),
        pytest.param([link("a", "/etc/passwd")], "outside of the tree", id="link-absolute"),
        pytest.param([link("a", "../../x")], "outside of the tree", id="link-climbing"),
        pytest.param([link("a", "../b")], "does not exist", id="link-above-the-top"),
        pytest.param([link("a", "gone")], "does not exist", id="link-dangling"),
        pytest.param([link("a", "a")], "leads through more than 40 other links", id="link-to-itself"),
        pytest.param([link("a/b", ".")], "that it lies in", id="link-to-its-folder"),
        pytest.param(
            [link("a", "b"), link("b", "a")],
            "leads through more than 40 other links",
            id="links-in-a-ring",
        ),
        pytest.param(
            [member(f"{TOP}/c/x"), link("a", "c"), member(f"{TOP}/a/b")],
            "members below demo-1.0/a, which is not a folder",
            id="member-through-a-link",
        ),
        pytest.param([member(f"{TOP}/a"), member(f"{TOP}/a/b")], "below demo-1.0/a", id="member-below-a-file"),
        pytest.param(
            [member(f"{TOP}/a", type=tarfile.LNKTYPE, linkname="../etc/passwd")], "leads out", id="hard-link-climbing"
        ),
        pytest.param(
            [member(f"{TOP}/a", type=tarfile.LNKTYPE, linkname="later")],
            "which is not a file before it",
            id="hard-link-forward",
        ),
        pytest.param([member("one/a"), member("two/a")], "it holds one, two", id="two-top-folders"),
        pytest.param([member("setup.py")], "must hold one top folder", id="no-top-folder"),
        pytest.param([], "it holds nothing", id="empty"),
    ],
)
def test_a_member_that_does_not_belong_is_refused_by_name(tmp_path: Path, members: list[Member], says: str) -> None:
    sdist = make_sdist(tmp_path, members)

    with pytest.raises(SourceError, match=says):
        unpack(sdist)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        pytest.param(SourceLimits(total_bytes=50_000), "unpacks to more than 50000 bytes", id="bytes"),
        pytest.param(SourceLimits(files=2), "more than 2 files", id="files"),
    ],
)
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, limits: SourceLimits, says: str) -> None:
    sdist = make_demo(tmp_path, {"a": bytes(100_000), "b": b"", "c": b""})

    with pytest.raises(SourceError, match=says):
        unpack(sdist, limits=limits)


@pytest.mark.parametrize(
    "members",
    [
        [member(f"{TOP}/{number}", type=tarfile.DIRTYPE) for number in range(60)],
        [member(f"{TOP}/same") for _ in range(60)],
    ],
    ids=["folders", "one name again and again"],
)
def test_members_that_leave_no_file_count_as_well(tmp_path: Path, members: list[Member]) -> None:
    with pytest.raises(SourceError, match="more than 50 files"):
        unpack(make_sdist(tmp_path, members), limits=SourceLimits(files=50))


def test_names_that_a_shell_would_obey_are_names(tmp_path: Path) -> None:
    names = ["$(touch ran)", "`id`; rm -rf *", "-rf", "a b", "'\"", "|&<>", "naïve"]

    tree = unpack(make_demo(tmp_path, dict.fromkeys(names, b"")))

    assert set(tree.paths) == set(names)


def test_letters_that_are_joined_are_names(tmp_path: Path) -> None:
    """Emoji of several parts and words of Persian hold joiners, which are invisible."""
    names = {"\N{DIZZY FACE}\N{ZERO WIDTH JOINER}\N{DIZZY SYMBOL}", "\u0645\u06cc\N{ZERO WIDTH NON-JOINER}\u062e"}

    tree = unpack(make_sdist(tmp_path, [member(f"{TOP}/{name}") for name in names]))

    assert names <= tree.files.keys()


def test_copies_made_by_links_count_as_files(tmp_path: Path) -> None:
    """Ten links to a folder of ten links to a folder … double a tree without a byte of content."""
    files = [member(f"{TOP}/real/{number}") for number in range(10)]
    links = [link(f"link{number}", "real") for number in range(10)]

    with pytest.raises(SourceError, match="more than 50 files"):
        unpack(make_sdist(tmp_path, [*files, *links]), limits=SourceLimits(files=50))


def test_a_header_as_large_as_memory_is_not_read(tmp_path: Path) -> None:
    sdist = make_sdist(tmp_path, [member(f"{TOP}/a", pax_headers={"comment": "x" * (2 << 20)})])

    with pytest.raises(SourceError, match="holds a header of"):
        unpack(sdist)


@pytest.mark.parametrize("keep", [0.2, 0.9])
def test_a_truncated_archive_is_called_broken(tmp_path: Path, keep: float) -> None:
    sdist = make_demo(tmp_path, {"a": bytes(range(256)) * 300, "b": b"B"})
    sdist.write_bytes(sdist.read_bytes()[: int(sdist.stat().st_size * keep)])

    with pytest.raises(SourceError, match="is broken"):
        unpack(sdist)


def test_what_is_no_archive_is_called_broken(tmp_path: Path) -> None:
    page = tmp_path / "demo-1.0.tar.gz"
    page.write_bytes(b"<html>please log in</html>")

    with pytest.raises(SourceError, match=r"demo-1.0.tar.gz is broken"):
        unpack(page)


def test_other_formats_are_refused_by_rule(tmp_path: Path) -> None:
    """PEP 625: the file name of an sdist must end in .tar.gz."""
    with pytest.raises(SourceError, match=r"neither .tar.gz nor .zip") as caught:
        unpack(tmp_path / "demo-1.0.tar.bz2")

    assert "PEP 625" in caught.value.hint


def _zip_entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (2024, 2, 29, 12, 0, 0))
    info.external_attr = mode << 16
    return info


def test_a_legacy_zip_is_read_alike(tmp_path: Path) -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr(_zip_entry(f"{TOP}/run", stat.S_IFREG | 0o755), b"R")
        archive.writestr(_zip_entry(f"{TOP}/link", stat.S_IFLNK | 0o777), b"run")
        archive.writestr(f"{TOP}/folder/", b"")

    tree = unpack(make_zip(tmp_path, fill))

    assert tree.paths == ("link", "run")
    assert tree.read("link") == b"R"
    assert tree.files["run"].executable
    assert tree.epoch_s == 1_709_208_000


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        pytest.param(_zip_entry("../a", stat.S_IFREG), "leads out", id="climbing"),
        pytest.param(_zip_entry(f"{TOP}/a", stat.S_IFCHR), "a device", id="device"),
        pytest.param(_zip_entry("/a", stat.S_IFREG), "an absolute path", id="absolute"),
        pytest.param(_zip_entry(f"{TOP}/a\nb", stat.S_IFREG), "control characters", id="newline"),
    ],
)
def test_a_zip_is_no_safer(tmp_path: Path, entry: zipfile.ZipInfo, says: str) -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr(entry, b"")

    with pytest.raises(SourceError, match=says):
        unpack(make_zip(tmp_path, fill))


def test_a_zip_bomb_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    fill: Callable[[zipfile.ZipFile], None] = lambda archive: archive.writestr(f"{TOP}/a", bytes(10_000_000))  # noqa: E731 -- one line says it

    with pytest.raises(SourceError, match="unpacks to more than"):
        unpack(make_zip(tmp_path, fill), limits=SourceLimits(total_bytes=1_000_000))


def make_overlapping_zip(folder: Path, copies: int) -> Path:
    """Make a zip that lists its only member again and again."""
    sdist = make_zip(folder, lambda archive: archive.writestr(f"{TOP}/a", bytes(100_000)))
    content = sdist.read_bytes()
    start = content.index(b"PK\1\2")
    entry = content[start : content.index(b"PK\5\6")]
    count = min(copies, 0xFFFF)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(entry) * copies, start, 0)
    sdist.write_bytes(content[:start] + entry * copies + end)
    return sdist


def test_members_of_a_zip_that_overlap_are_refused_before_they_are_inflated(tmp_path: Path) -> None:
    """One block of packed zeros, listed thousands of times, would unpack to as many."""
    with pytest.raises(SourceError, match="some of its members overlap"):
        unpack(make_overlapping_zip(tmp_path, 50))


@pytest.mark.thorough
def test_a_zip_of_more_members_than_the_form_has_numbers_for_is_refused(tmp_path: Path) -> None:
    sdist = make_overlapping_zip(tmp_path, 100_000)

    with within_cpu(20), pytest.raises(SourceError, match="more than 65536 members"):
        unpack(sdist)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2], ids=["lzma", "bzip2"])
def test_what_needs_a_dictionary_of_gigabytes_is_not_unpacked(tmp_path: Path, method: int) -> None:
    path = tmp_path / f"{TOP}.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(f"{TOP}/a", b"a" * 1000)

    with pytest.raises(SourceError, match="another method than store and deflate"):
        unpack(path)


def test_a_zip_whose_content_is_not_what_its_directory_says_is_broken(tmp_path: Path) -> None:
    sdist = make_zip(tmp_path, lambda archive: archive.writestr(f"{TOP}/a", b"content"))
    content = bytearray(sdist.read_bytes())
    crc = content.index(b"PK\1\2") + 16
    content[crc] ^= 1
    sdist.write_bytes(content)

    with pytest.raises(SourceError, match=r"is broken: its member '.*/a' cannot be read: its checksum is"):
        unpack(sdist)
