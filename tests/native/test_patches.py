"""Patches: applied exactly, as a whole, within the tree, to files alone."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from factory.errors import SourceError
from factory.host import Host, read_host
from factory.source.patches import Patch, patched, read_patches
from factory.source.tree import SourceLimits, Tree
from factory.source.unpack import unpack
from tests.budgets import within_cpu, within_memory
from tests.makers.sources import TOP, make_demo, make_sdist, member

FILES = {
    "a.txt": b"one\ntwo\nthree\n",
    "src/b.txt": b"b\n",
    'src/nä "q\\.txt': b"n\n",
    ".git/config": b"[core]\nfsmonitor = touch ran\n",
}


@pytest.fixture
def host() -> Host:
    return read_host({"PATH": "/usr/bin:/bin"})


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return unpack(make_demo(tmp_path, FILES))


def apply(tree: Tree, folder: Path, host: Host, *texts: str) -> Tree:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return patched(
        tree, [Patch(name=f"{n}.patch", content=text.encode()) for n, text in enumerate(texts, 1)], host, work
    )


def diff(path: str, before: str, after: str) -> str:
    """Write a patch of one line."""
    return f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{before}\n+{after}\n"


def new(path: str, mode: str = "100644", content: str = "x") -> str:
    header = f"diff --git a/{path} b/{path}\nnew file mode {mode}\n"
    return f"{header}--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{content}\n"


def test_patches_are_applied_in_order(tmp_path: Path, host: Host, tree: Tree) -> None:
    made = apply(tree, tmp_path, host, diff("src/b.txt", "b", "c"), diff("src/b.txt", "c", "d"))

    assert made.read("src/b.txt") == b"d\n"
    assert made.epoch_s == tree.epoch_s
    assert made.digest != tree.digest
    assert {path for path in made.paths if made.read(path) != tree.read(path)} == {"src/b.txt"}
    assert tree.read("src/b.txt") == b"b\n", "the tree itself does not change"


def test_what_a_patch_can_say_is_done(tmp_path: Path, host: Host, tree: Tree) -> None:
    lines = "--- a/a.txt\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-one\n-two\n-three\n"
    gone = f"diff --git a/a.txt b/a.txt\ndeleted file mode 100644\n{lines}"
    moved = "diff --git a/src/b.txt b/moved\nsimilarity index 100%\nrename from src/b.txt\nrename to moved\n"
    mode = "diff --git a/moved b/moved\nold mode 100644\nnew mode 100755\n"

    made = apply(tree, tmp_path, host, new("deep/er/new.txt"), gone, moved, mode)

    assert made.read("deep/er/new.txt") == b"x\n"
    assert made.read("a.txt") is None
    assert (made.read("src/b.txt"), made.read("moved"), made.files["moved"].executable) == (None, b"b\n", True)


def test_a_name_that_git_quotes_is_a_name(tmp_path: Path, host: Host, tree: Tree) -> None:
    quoted = r'"%s/src/n\303\244 \"q\\.txt"'
    text = f"--- {quoted % 'a'}\n+++ {quoted % 'b'}\n@@ -1 +1 @@\n-n\n+m\n"

    made = apply(tree, tmp_path, host, text)

    assert made.read('src/nä "q\\.txt') == b"m\n"


def test_a_patch_of_git_itself_and_one_of_diff_are_both_read(tmp_path: Path, host: Host, tree: Tree) -> None:
    for side, text, content in (("a", FILES["a.txt"], b"\0" * 9), ("b", b"one\n2\nthree\n", b"\0\1\2\3")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.txt").write_bytes(text)
        (tmp_path / side / "bin").write_bytes(content)
    (tmp_path / "a/bin").unlink()
    unified = printed(tmp_path, "diff", "-u", "a/a.txt", "b/a.txt")
    binary = printed(tmp_path, "git", "diff", "--no-index", "--binary", "--", "/dev/null", "b/bin")

    made = apply(tree, tmp_path, host, unified, binary)

    assert made.read("a.txt") == b"one\n2\nthree\n"
    assert made.read("b/bin") == b"\0\1\2\3"


def printed(folder: Path, *command: str) -> str:
    """Run a command that ends with 1 where it finds a difference."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(diff("a.txt", "two", "2"), "does not apply: its hunk at a.txt:1 expects other", id="context"),
        pytest.param(diff("gone.txt", "x", "y"), "changes gone.txt, which is not in the source", id="no such file"),
        pytest.param("--- src/b.txt\n+++ src/b.txt\n@@ -1 +1 @@\n-b\n+c\n", "changes b.txt, which is not in", id="p0"),
        pytest.param(new("a.txt"), "creates a.txt, which is already in the source", id="already there"),
        pytest.param(new("../out"), r"names \.\./out, which is not a valid path in a source", id="climbing"),
        pytest.param(
            new("src/../../out"),
            r"names src/\.\./\.\./out, which is not a valid path in a source",
            id="climbing inside",
        ),
        pytest.param(
            new(".git/hooks/x"), r"names \.git/hooks/x, which is not a valid path in a source", id="git's own folder"
        ),
        pytest.param(diff(".git/config", "[core]", "[x]"), r"(changes|names) \.git/config", id="its git folder"),
        pytest.param(
            new("a.txt/below"), "cannot create a.txt/below: a file would have to be a folder", id="below a file"
        ),
        pytest.param(new("src"), "cannot create src: a file would have to be a folder", id="a file for a folder"),
        pytest.param(new("l", "120000", "/etc/passwd"), "makes 'l' a link; patches may only change files", id="link"),
        pytest.param(
            new("m", "160000", "Subproject commit " + "0" * 39 + "1"), "makes 'm' a submodule", id="submodule"
        ),
        pytest.param(
            "diff --git a/a.txt b/a.txt\nold mode 100644\nnew mode 120000\n", "makes a.txt a link;", id="to a link"
        ),
        pytest.param(diff("a.txt", "one", "1")[:-4], "is corrupt at line|does not apply", id="cut short"),
        pytest.param("hello\n", "contains no patch", id="no patch"),
        pytest.param("", "contains no patch", id="empty"),
        pytest.param('--- /dev/null\n+++ "b/a\\tb"\n@@ -0,0 +1 @@\n+x\n', "control characters", id="tab"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, host: Host, tree: Tree, text: str, says: str
) -> None:
    with pytest.raises(SourceError, match=rf"^2\.patch.*({says})"):
        apply(tree, tmp_path, host, new("first"), text)

    assert [path.name for path in tmp_path.iterdir() if path.name in ("out", "ran")] == []


def test_an_absolute_name_stays_in_the_tree(tmp_path: Path, host: Host, tree: Tree) -> None:
    """git takes the first folder off a name, and of an absolute one that is the root."""
    text = f"--- /dev/null\n+++ {tmp_path}/out\n@@ -0,0 +1 @@\n+x\n"

    made = apply(tree, tmp_path, host, text)

    assert made.read(f"{str(tmp_path)[1:]}/out") == b"x\n"
    assert not (tmp_path / "out").exists()


def test_a_link_of_the_source_is_patched_as_the_copy_that_it_is(tmp_path: Path, host: Host) -> None:
    link = member(f"{TOP}/link", type=b"2", linkname="a.txt")
    tree = unpack(make_sdist(tmp_path, [member(f"{TOP}/a.txt", b"one\n"), link]))

    made = apply(tree, tmp_path, host, diff("link", "one", "two"))

    assert (made.read("link"), made.read("a.txt")) == (b"two\n", b"one\n")


def test_this_users_own_configuration_changes_no_patch(tmp_path: Path, tree: Tree) -> None:
    (tmp_path / ".gitconfig").write_text("[apply]\nignoreWhitespace = change\n[core]\nautocrlf = true\n")
    host = read_host({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})

    with pytest.raises(SourceError, match="does not apply"):
        apply(tree, tmp_path, host, diff("src/b.txt", "b ", "c"))


def test_a_patch_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the patch .*fix\.patch cannot be read: No such file"):
        read_patches([tmp_path / "fix.patch"])


def test_without_patches_git_is_not_needed(tmp_path: Path, tree: Tree) -> None:
    nowhere = read_host({"PATH": str(tmp_path)})

    assert patched(tree, [], nowhere, tmp_path) is tree
    with pytest.raises(SourceError, match="git is not installed, and patching needs it"):
        apply(tree, tmp_path, nowhere, new("x"))


def test_a_patch_that_copies_a_file_without_end_is_refused_by_what_it_makes(tmp_path: Path, host: Host) -> None:
    limits = SourceLimits(total_bytes=2_000_000)
    tree = unpack(make_demo(tmp_path, {"a.bin": random.Random(0).randbytes(500_000)}), limits=limits)
    copies = "".join(
        f"diff --git a/a.bin b/c{number}\nsimilarity index 100%\ncopy from a.bin\ncopy to c{number}\n"
        for number in range(5)
    )

    with pytest.raises(SourceError, match=r"1\.patch makes files of more than 2000000 bytes"):
        apply(tree, tmp_path, host, copies)


def test_a_book_of_names_is_compared_with_a_large_tree_in_seconds(tmp_path: Path, host: Host) -> None:
    """Each file was looked for in all headers: their sizes multiplied."""
    tree = unpack(make_demo(tmp_path, {f"src/{number}.c": b"" for number in range(20_000)}))
    headers = "".join(f"rename from src/gone{number}.c\n" for number in range(100_000))

    with within_cpu(20):
        made = apply(tree, tmp_path, host, headers + new("fresh"))

    assert made.read("fresh") == b"x\n"


def test_a_folder_may_become_a_file_only_without_what_lies_below(tmp_path: Path, host: Host) -> None:
    tree = unpack(make_demo(tmp_path, {"deep/er/a.txt": b"a\n", "deep.txt": b"b\n"}))

    with pytest.raises(SourceError, match="a file would have to be a folder"):
        apply(tree, tmp_path, host, new("deep"))


@pytest.mark.parametrize("path", ["pipe.patch", "/dev/zero"])
def test_a_pipe_or_a_device_is_no_patch(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe.patch")

    with pytest.raises(SourceError, match="cannot be read: it is a device, a pipe or a socket"):
        read_patches([tmp_path / path])


def make_sparse(path: Path, size_bytes: int) -> Path:
    with path.open("wb") as stream:
        stream.truncate(size_bytes)
    return path


def test_a_patch_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    path = make_sparse(tmp_path / "huge.patch", 4 << 30)

    with within_memory(40 << 20), pytest.raises(SourceError, match=r"huge\.patch is larger than 16777216 bytes"):
        read_patches([path])


def test_patches_are_bounded_together(tmp_path: Path) -> None:
    paths = [make_sparse(tmp_path / f"{number}.patch", 13 << 20) for number in range(5)]

    assert len(read_patches(paths[:4])) == 4
    with pytest.raises(SourceError, match=r"the patches up to .*4\.patch have more than 67108864 bytes together"):
        read_patches(paths)


def test_one_file_under_two_names_is_not_read_twice(tmp_path: Path) -> None:
    (tmp_path / "a.patch").write_text("")
    (tmp_path / "link.patch").symlink_to("a.patch")

    for path in (tmp_path / "." / "x" / ".." / "a.patch", tmp_path / "link.patch"):
        with pytest.raises(SourceError, match="are the same file") as caught:
            read_patches([tmp_path / "a.patch", path])
        assert caught.value.hint == "list each patch once"


@pytest.mark.parametrize(
    "header",
    [
        b"--- " + b"a " * (7 << 20),
        b"--- a\n" * (2 << 20),
        b"--- " + b"a" * (17 << 20),
    ],
    ids=["words", "lines", "word"],
)
def test_the_words_of_headers_are_bounded(tmp_path: Path, host: Host, tree: Tree, header: bytes) -> None:
    says = r"headers up to those of a\.patch hold more than 500000 words, or words of more than 16777216 bytes together"
    patch = Patch(name="a.patch", content=header)

    with within_cpu(30), within_memory(64 << 20), pytest.raises(SourceError, match=says):
        patched(tree, [patch], host, tmp_path)
