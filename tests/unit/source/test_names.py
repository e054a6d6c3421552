"""Names and links are counted where they are kept, and judged at a cost that their number bounds."""

from collections.abc import Iterable, Mapping

import pytest

from factory.errors import SourceError
from factory.source.names import Names, resolve_links
from factory.source.tree import Extent, SourceLimits, TreeFile
from tests.budgets import within_cpu, within_memory


def extents(paths: Iterable[str], size_bytes: int = 0) -> list[Extent]:
    return [
        Extent(offset=0, file=TreeFile(path=path, executable=False, mtime_s=0, size_bytes=size_bytes)) for path in paths
    ]


def resolved(paths: Iterable[str], links: Mapping[str, str], limits: SourceLimits | None = None) -> set[str]:
    return {
        extent.file.path for extent in resolve_links(extents(paths), links, Names("demo", limits or SourceLimits()))
    }


@pytest.mark.thorough
def test_a_tree_as_large_as_is_allowed_costs_seconds() -> None:
    """200 000 files, as deep as a kernel's, and links to files and folders of it."""
    names = Names("demo", SourceLimits(files=250_000))

    with within_cpu(20):
        paths = [
            names.path(f"top/drivers/net/vendor{number % 997}/part{number % 31}/{number}.c")
            for number in range(199_000)
        ]
        links = {names.path(f"links/{number}"): "top/drivers/net/vendor1/part1" for number in range(1000)}
        files = resolve_links(extents(paths), links, names)

    assert len(files) > 199_000


@pytest.mark.parametrize(
    ("limits", "names", "says"),
    [
        (SourceLimits(), ["a/" * 101 + "x"], "more than 100 folders deep"),
        (SourceLimits(components=10), ["a/b/c", "d/e/f", "g/h/i", "j/k/l"], "names of more than 10 parts in all"),
        (SourceLimits(names_bytes=10), ["abcdef", "ghijkl"], "names of more than 10 bytes in all"),
        (SourceLimits(name_bytes=4), ["ééé"], "a name of more than 4 bytes"),
        (SourceLimits(files=2), ["a", "a", "a"], "more than 2 files"),
    ],
    ids=["depth", "parts", "bytes", "name", "files"],
)
def test_names_are_counted_in_all(limits: SourceLimits, names: list[str], says: str) -> None:
    counted = Names("demo", limits)

    with pytest.raises(SourceError, match=says):
        list(map(counted.path, names))


def test_a_name_is_not_repeated_in_a_message_at_its_own_length() -> None:
    with pytest.raises(SourceError) as caught:
        Names("demo", SourceLimits()).path("/" + "\x01" * 1_000_000)

    assert len(caught.value.message) < 200


def test_the_target_of_a_link_is_counted_and_cut_off_as_names_are() -> None:
    names = Names("demo", SourceLimits(components=1000))

    with pytest.raises(SourceError, match="more than 4096 bytes"):
        names.target("a", "b/" * 3000)
    with pytest.raises(SourceError, match="names of more than 1000 parts"):
        names.target("a", "b/../" * 600)


def test_links_to_one_folder_are_followed_in_time_that_grows_with_them() -> None:
    """Ten thousand links beside ten thousand files: each link looks at its own folder alone."""
    paths = [f"other/{number}" for number in range(10_000)] + ["folder/x"]
    links = {f"link{number}": "folder" for number in range(10_000)}

    with within_cpu(5):
        files = resolved(paths, links)

    assert len(files) == 20_001


@pytest.mark.thorough
def test_copies_are_refused_while_they_are_made() -> None:
    paths = [f"folder/{number}" for number in range(10_000)]
    links = {f"link{number:05}": "folder" for number in range(10_000)}

    with within_memory(30 << 20), pytest.raises(SourceError, match="more than 20000 files"):
        resolved(paths, links, SourceLimits(files=20_000))


def test_copies_weigh_what_they_will_weigh_when_they_are_written() -> None:
    """A link costs no byte in the spool, and a gigabyte wherever the tree is written to."""
    names = Names("demo", SourceLimits(total_bytes=10_000))
    links = {f"link{number}": "big" for number in range(10)}

    with pytest.raises(SourceError, match="unpacks to more than 10000 bytes"):
        resolve_links(extents(["big"], 2000), links, names)


def test_files_that_share_their_content_weigh_each_for_itself() -> None:
    with pytest.raises(SourceError, match="unpacks to more than 10000 bytes"):
        resolve_links(extents(["a", "b", "c"], 4000), {}, Names("demo", SourceLimits(total_bytes=10_000)))


def test_links_through_links_are_followed_once_each() -> None:
    """Each of 5 000 links leads through forty others."""
    chain = {f"c{number}": f"c{number + 1}" for number in range(38)} | {"c38": "folder"}
    links = chain | {f"link{number}": "c0/x" for number in range(5000)}

    with within_cpu(5):
        files = resolved(["folder/x"], links)

    assert "link4999" in files


def test_a_chain_longer_than_linux_follows_never_ends() -> None:
    links = {f"c{number:03}": f"c{number + 1:03}" for number in range(60)} | {"c060": "folder"}

    with pytest.raises(SourceError, match="leads through more than 40 other links"):
        resolved(["folder/x"], links)


def test_links_that_double_themselves_are_refused_at_once() -> None:
    links = {f"l{number}": f"l{number + 1}/../l{number + 1}/l{number + 1}" for number in range(40)}

    with within_cpu(5), pytest.raises(SourceError):
        resolved(["x"], links | {"l40": "."})


def test_a_neighbour_whose_name_begins_alike_is_not_below_a_file() -> None:
    assert resolved(["a", "a.b", "a-b/c", "ab/c"], {}) == {"a", "a.b", "a-b/c", "ab/c"}


def test_what_lies_below_a_file_far_away_in_order_is_found() -> None:
    with pytest.raises(SourceError, match="members below a, which is not a folder"):
        resolved(["a", "a-1", "a.b", "a/z"], {})
