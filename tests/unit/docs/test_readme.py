"""The table of what was seen: every row has a subject, a command whose files are here, and what was seen."""

import re

import pytest

from tools.messages import DATA

REPOSITORY = DATA.parents[2]
SUBJECTS = (
    "per version", "abi3 wheel", "free-threaded", "abi3t", "libpython", "no interpreter", "old glibc",
    "another machine", "Windows", "musl", "Bazel", "PyPy",
)  # fmt: skip
_COMMAND = re.compile(r"`(?:factory build|pytest) \S[^`]*`")
_FILE = re.compile(r"(?:recipes|examples|tests)/[\w./-]+")


def rows() -> list[list[str]]:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text.partition("## What PyO3's chapter asks")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]


def test_the_table_has_a_row_for_each_subject() -> None:
    subjects = " ".join(row[0] for row in rows())

    assert [name for name in SUBJECTS if name not in subjects] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_says_what_was_seen_of_files_that_are_here(row: list[str]) -> None:
    _, command, seen = row

    assert seen
    assert _COMMAND.findall(command)
    for name in _FILE.findall(command):
        assert (REPOSITORY / name).exists()
