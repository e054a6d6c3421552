"""A folder without version control is read whole, but for what only machines made."""

from pathlib import Path

import pytest

from factory.errors import SourceError
from factory.host import Host, read_host
from factory.recipe.model import PathSource
from factory.source.folder import read_folder
from factory.source.tree import SourceLimits


@pytest.fixture
def host() -> Host:
    return read_host({})


def _write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def test_junk_is_left_out_by_its_marks(tmp_path: Path, host: Host) -> None:
    _write(tmp_path, "setup.py", "src/a.c", "src/build/keep.c", "target.c")
    _write(tmp_path, "env/pyvenv.cfg", "cache/CACHEDIR.TAG", "target/CACHEDIR.TAG", "target/x.o", "dist/a.whl")

    tree = read_folder(PathSource(path=tmp_path), host)

    assert tree.paths == ("setup.py", "src/a.c", "src/build/keep.c", "target.c")


def test_a_tree_does_not_change_with_its_folder(tmp_path: Path, host: Host) -> None:
    _write(tmp_path, "setup.py")
    tree = read_folder(PathSource(path=tmp_path), host)

    (tmp_path / "setup.py").write_text("changed")

    assert tree.read("setup.py") == b"setup.py"


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path, host: Host) -> None:
    _write(tmp_path, "setup.py")
    (tmp_path / "passwords").symlink_to("/etc/passwd")

    with pytest.raises(SourceError, match="the link passwords points to '/etc/passwd', outside of the tree"):
        read_folder(PathSource(path=tmp_path), host)


@pytest.mark.parametrize(
    ("path", "says"), [("gone", "there is no folder"), ("empty", "holds no files")], ids=["missing", "empty"]
)
def test_a_folder_that_gives_nothing_is_named(tmp_path: Path, host: Host, path: str, says: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(SourceError, match=says):
        read_folder(PathSource(path=tmp_path / path), host)


def test_a_folder_without_end_is_refused(tmp_path: Path, host: Host) -> None:
    _write(tmp_path, "d/" * 101 + "x")

    with pytest.raises(SourceError, match="folders nested deeper than a source may have"):
        read_folder(PathSource(path=tmp_path), host)


def test_a_folder_of_many_bytes_is_refused_before_any_is_read(tmp_path: Path, host: Host) -> None:
    _write(tmp_path, "setup.py")
    with (tmp_path / "weights.bin").open("wb") as stream:
        stream.truncate(1 << 43)  # without content: reading it takes hours, and no disk holds a copy

    with pytest.raises(SourceError, match=r"Its largest file, weights\.bin, has 8796093022208") as caught:
        read_folder(PathSource(path=tmp_path), host)

    assert caught.value.hint == "exclude in .gitignore what is not source, or name a smaller folder"


def test_files_are_counted_while_they_are_listed(tmp_path: Path, host: Host) -> None:
    _write(tmp_path, "a", "b", "c")

    with pytest.raises(SourceError, match="holds more than 2 files"):
        read_folder(PathSource(path=tmp_path), host, limits=SourceLimits(files=2))
