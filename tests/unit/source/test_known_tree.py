"""A tree whose digest is known reads its files when one is asked for, and only once."""

import pytest

from factory.digest import Digest
from factory.errors import SourceError
from factory.source.tree import Tree
from tests.makers.sources import make_tree


def test_a_known_tree_is_read_once_and_only_when_a_file_is_asked_for() -> None:
    whole, reads = make_tree({"a.txt": "one\n"}), list[int]()

    def read() -> Tree:
        reads.append(1)
        return whole

    known = Tree.known(whole.digest, epoch_s=whole.epoch_s, left_out=(), read=read)

    assert (known == whole, hash(known), reads) == (True, hash(whole), [])
    assert (known.paths, known.size("a.txt"), known.read("a.txt"), known.read("b")) == (("a.txt",), 4, b"one\n", None)
    assert [content for _, content in known.contents()] == [b"one\n"]
    assert reads == [1]


def test_a_source_that_reads_otherwise_than_before_is_refused() -> None:
    known = Tree.known(Digest.of(b"another"), epoch_s=0, left_out=(), read=lambda: make_tree({"a.txt": "one\n"}))

    with pytest.raises(SourceError, match=r"the source is [0-9a-f]{12}, and was [0-9a-f]{12} when it was first read"):
        known.read("a.txt")
