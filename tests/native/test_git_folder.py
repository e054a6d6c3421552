"""A git working tree is read as git lists it."""

import os
import shutil
from pathlib import Path

import pytest

from factory.errors import SourceError
from factory.host import Host, read_host
from factory.recipe.model import PathSource
from factory.source.folder import read_folder
from factory.source.tree import SourceLimits, Tree
from tests.native.repositories import COMMITTED_S, git, make_repository


@pytest.fixture
def host() -> Host:
    return read_host()


def _read(folder: Path, host: Host) -> Tree:
    return read_folder(PathSource(path=folder), host)


def test_tracked_and_unignored_files_are_the_source(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"tracked": "1", "deleted": "2"})
    (root / ".gitignore").write_text("ignored\n")
    (root / "ignored").write_text("")
    (root / "new").write_text("")
    (root / "deleted").unlink()

    tree = _read(root, host)

    assert tree.paths == (".gitignore", "new", "tracked")


def test_what_an_earlier_build_left_is_no_source_whether_tracked_or_not(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"setup.py": "", "core.c": "", "core.o": "tracked"})
    (root / "build/lib.linux-x86_64-cpython-311").mkdir(parents=True)
    (root / "build/lib.linux-x86_64-cpython-311/core.so").write_text("untracked")

    tree = _read(root, host)

    assert tree.paths == ("core.c", "setup.py")
    assert tree.left_out == ("build/", "core.o")


def test_every_file_has_the_time_of_the_commit(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    (root / "new").write_text("")

    tree = _read(root, host)

    assert tree.epoch_s == COMMITTED_S
    assert {file.mtime_s for file in tree.files.values()} == {COMMITTED_S}


def test_two_clones_have_one_digest(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    git(tmp_path, "clone", str(root), "clone")

    assert _read(root, host) == _read(tmp_path / "clone", host)


def test_a_folder_of_a_repository_is_that_folder_alone(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"outside": "1"})
    (root / "inner").mkdir()
    (root / "inner/setup.py").write_text("")

    assert _read(root / "inner", host).paths == ("setup.py",)


def test_submodules_and_nested_repositories_belong_to_it(tmp_path: Path, host: Host) -> None:
    make_repository(tmp_path / "lib", {"code": "1"})
    root = make_repository(tmp_path / "r", {"a": "1"})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", str(tmp_path / "lib"), "vendored")
    make_repository(root / "nested", {"code": "1"})

    tree = _read(root, host)

    assert tree.paths == (".gitmodules", "a", "nested/code", "vendored/code")


def test_a_link_of_a_repository_becomes_a_copy(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    (root / "b").symlink_to("a")

    assert _read(root, host).read("b") == b"1"


def test_a_repositorys_configuration_runs_nothing(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    git(root, "config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    git(root, "config", "log.showSignature", "true")
    git(root, "config", "gpg.program", f"touch {tmp_path}/ran")

    _read(root, host)

    assert not (tmp_path / "ran").exists()


def test_a_broken_repository_is_named(tmp_path: Path, host: Host) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere")

    with pytest.raises(SourceError, match=f"git cannot list {tmp_path}: not a git repository"):
        _read(tmp_path, host)


def test_before_the_first_commit_files_keep_their_times(tmp_path: Path, host: Host) -> None:
    git(tmp_path, "init")
    (tmp_path / "a").write_text("")

    assert _read(tmp_path, host).epoch_s == int((tmp_path / "a").stat().st_mtime)


def test_an_index_that_lists_files_below_a_link_brings_nothing_from_where_it_leads(tmp_path: Path, host: Host) -> None:
    """The index of a folder that somebody made may say what it likes; git looks at no file of it."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private/secret").write_text("s")
    root = make_repository(tmp_path / "r", {"a": "1", ".gitignore": "link\n"})
    blob = git(root, "hash-object", "-w", "a")
    git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},link/secret")
    (root / "link").symlink_to(tmp_path / "private")

    with pytest.raises(SourceError, match="holds members below link, which is not a folder"):
        _read(root, host)


def test_names_are_counted_before_they_are_taken_apart(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {f"name{number}": "" for number in range(50)})

    with pytest.raises(SourceError, match="names of more than 100 bytes in all"):
        read_folder(PathSource(path=root), host, limits=SourceLimits(names_bytes=100))
    with pytest.raises(SourceError, match="holds more than 40 files"):
        read_folder(PathSource(path=root), host, limits=SourceLimits(files=40))


def test_repositories_do_not_nest_without_end(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    inner = root
    for _ in range(9):
        inner = make_repository(inner / "r", {"a": "1"})

    with pytest.raises(SourceError, match="repositories nest deeper than 8"):
        _read(root, host)


def test_repositories_in_a_source_are_counted(tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factory.source.folder._NESTED", 3)
    root = make_repository(tmp_path / "r", {"a": "1"})
    for number in range(4):
        make_repository(root / f"r{number}", {"a": "1"})

    with pytest.raises(SourceError, match="holds more than 3 repositories in it"):
        _read(root, host)

    shutil.rmtree(root / "r3")
    assert _read(root, host).paths == ("a", "r0/a", "r1/a", "r2/a")


def test_thousands_of_repositories_are_refused_before_git_is_asked_of_all(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    for number in range(300):
        shutil.copytree(root / ".git", root / f"r{number}/.git")

    with pytest.raises(SourceError, match="holds more than 256 repositories in it"):
        _read(root, host)


@pytest.mark.parametrize("waiting", ["core.excludesFile", ".gitignore"])
def test_git_that_waits_for_a_pipe_is_ended(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch, waiting: str
) -> None:
    monkeypatch.setattr("factory.source.folder._GIT_S", 1)
    root = make_repository(tmp_path / "r", {"a": "1"})
    inner = make_repository(root / "inner", {"a": "1"})
    os.mkfifo(inner / ".gitignore")
    if waiting == "core.excludesFile":
        (inner / ".gitignore").rename(inner / ".git/pipe")
        git(inner, "config", "core.excludesFile", str(inner / ".git/pipe"))

    with pytest.raises(SourceError, match=r"git did not list .*/r within 1 s; it was at .*/r/inner") as caught:
        _read(root, host)
    assert "named pipe" in caught.value.hint
