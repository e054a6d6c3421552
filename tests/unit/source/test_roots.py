"""What a repository of this machine says of where it keeps things is read within bounds."""

import os
from pathlib import Path

import pytest

from factory.errors import SourceError
from factory.source.roots import refuse_outside
from tests.budgets import within_cpu


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    folder = tmp_path / "r.git/objects/info"
    folder.mkdir(parents=True)
    return folder.parent


def test_a_list_of_places_that_is_too_long_is_refused(tmp_path: Path, objects: Path) -> None:
    """Git would read on where the factory stopped."""
    (objects / "info/alternates").write_text("#\n" * (1 << 15) + "/etc\n")

    with pytest.raises(SourceError, match=r"alternates is larger than 65536 bytes"):
        refuse_outside(f"file://{tmp_path}/r.git", tmp_path)


def test_places_that_name_one_another_come_to_an_end(tmp_path: Path, objects: Path) -> None:
    (objects / "info/alternates").write_text("../objects\n" * 1000)

    with within_cpu(10), pytest.raises(SourceError, match="keeps its objects in more than 1000 folders"):
        refuse_outside(f"file://{tmp_path}/r.git", tmp_path)


def test_a_pipe_names_no_place(tmp_path: Path, objects: Path) -> None:
    os.mkfifo(objects / "info/alternates")

    refuse_outside(f"file://{tmp_path}/r.git", tmp_path)
