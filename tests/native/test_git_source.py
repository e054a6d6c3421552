"""A source from git: the commit that a name means, as git keeps it, and nothing that a repository says is run."""

import random
import shutil
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic

import pytest

from factory.errors import SourceError
from factory.host import Host, read_host
from factory.process import run
from factory.recipe.model import GitSource
from factory.source.pack import pack
from factory.source.remote import Revision, fetch_tree, find_revision
from factory.source.submodules import is_same_server
from factory.source.tree import SourceLimits, Tree
from factory.source.unpack import unpack
from tests.budgets import within_memory
from tests.makers.network import LOOPBACK, Authority, make_authority, serving
from tests.native.repositories import COMMITTED_S, commit, git, make_repository


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return read_host({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})


def found(root: Path, rev: str, host: Host) -> Revision:
    return find_revision(GitSource(url=f"file://{root}", rev=rev), host, root.parent)


def fetched(root: Path, host: Host, commit: str = "", *, limits: SourceLimits | None = None) -> Tree:
    folder = root.parent / f"{root.name}-fetched"
    folder.mkdir()
    whole = commit or git(root, "rev-parse", "HEAD")
    return fetch_tree(f"file://{root}", whole, host, folder, root=root.parent, limits=limits)


def test_a_commit_is_its_own_answer_and_a_name_is_asked_for(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    first = git(root, "rev-parse", "HEAD")
    git(root, "tag", "light")
    git(root, "tag", "--annotate", "--message", "m", "v1.0")
    second = commit(root, {"a": "2"})

    assert found(root, first, host) == Revision(commit=first, kind="commit")
    assert found(root, "light", host) == Revision(commit=first, kind="tag")
    assert found(root, "v1.0", host) == Revision(commit=first, kind="tag")
    assert found(root, "refs/tags/v1.0", host) == Revision(commit=first, kind="tag")
    assert found(root, "main", host) == Revision(commit=second, kind="branch")


@pytest.mark.parametrize(
    ("rev", "says", "hint"),
    [
        ("1.0", "has no tag or branch 1.0", "it has v1.0"),
        ("abc1234", "has no tag or branch abc1234", "write the whole commit"),
        ("both", "has a tag and a branch both", "write refs/tags/both or refs/heads/both"),
    ],
)
def test_a_name_that_means_nothing_or_two_things_is_refused(
    tmp_path: Path, host: Host, rev: str, says: str, hint: str
) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    git(root, "tag", "v1.0")
    git(root, "tag", "both")
    git(root, "checkout", "-b", "both")
    commit(root, {"a": "2"})

    with pytest.raises(SourceError, match=says) as caught:
        found(root, rev, host)

    assert caught.value.hint.startswith(hint)


def test_the_tree_is_what_the_commit_tracks_at_the_time_of_the_commit(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"gone": "0"}, at_s=1_600_000_000)
    (root / "gone").unlink()
    (root / "src").mkdir()
    (root / "src/run").write_text("#!/bin/sh\n")
    (root / "src/run").chmod(0o755)
    (root / "link").symlink_to("src/run")
    commit(
        root,
        {"tracked": "1", ".gitignore": "ignored\n", ".gitattributes": "* text eol=crlf\ntracked export-ignore\n"},
    )
    (root / "ignored").write_text("")
    (root / "new").write_text("")

    tree = fetched(root, host)

    assert tree.paths == (".gitattributes", ".gitignore", "link", "src/run", "tracked")
    assert tree.read("link") == tree.read("src/run") == b"#!/bin/sh\n"
    assert tree.files["src/run"].executable
    assert (tree.epoch_s, {file.mtime_s for file in tree.files.values()}) == (COMMITTED_S, {COMMITTED_S})


def test_a_commit_that_no_name_leads_to_any_more_is_fetched_by_its_digits(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    first = git(root, "rev-parse", "HEAD")
    commit(root, {"a": "2"})

    assert fetched(root, host, first).read("a") == b"1"


def test_a_commit_that_is_not_there_is_named(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})

    with pytest.raises(SourceError, match=f"r has no commit {'0' * 40}"):
        fetched(root, host, "0" * 40)


def test_a_repository_that_is_not_there_is_named_and_nobody_is_asked(tmp_path: Path, host: Host) -> None:
    with pytest.raises(SourceError, match=r"git cannot fetch from file:///.*gone: .*does not appear to be a git rep"):
        found(tmp_path / "gone", "v1.0", host)


def test_submodules_belong_to_the_tree_at_the_commit_that_it_names(tmp_path: Path, host: Host) -> None:
    make_repository(tmp_path / "inner", {"deep": "1"})
    library = make_repository(tmp_path / "lib", {"code": "1"})
    git(library, "-c", "protocol.file.allow=always", "submodule", "add", "../inner", "inner")
    commit(library)
    root = make_repository(tmp_path / "r", {"a": "1"})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "../lib", "vendored/lib")
    commit(root)
    commit(library, {"code": "2"})

    tree = fetched(root, host)

    assert tree.paths == (
        ".gitmodules",
        "a",
        "vendored/lib/.gitmodules",
        "vendored/lib/code",
        "vendored/lib/inner/deep",
    )
    assert tree.read("vendored/lib/code") == b"1"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ext::sh -c 'touch {ran}'", "the submodule .* is refused: its address must be https, relative"),
        ("git@example.org:lib.git", "its address must be https, relative"),
        ("http://127.0.0.1:1/lib", "its address must be https, relative"),
        ("--upload-pack=touch {ran}", "its address must be https, relative"),
        ("../gone", "git cannot fetch from file:///.*/gone: "),
        ("", "the submodule 'lib' has no address in .gitmodules"),
    ],
)
def test_a_submodule_leads_nowhere_but_by_https_or_beside_its_parent(
    tmp_path: Path, host: Host, url: str, says: str
) -> None:
    make_repository(tmp_path / "lib", {"code": "1"})
    root = make_repository(tmp_path / "r", {"a": "1"})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "../lib", "lib")
    address = f'url = "{url.format(ran=tmp_path / "ran")}"\n' if url else ""
    commit(root, {".gitmodules": f'[submodule "lib"]\npath = lib\n{address}'})

    with pytest.raises(SourceError, match=says):
        fetched(root, host)

    assert not (tmp_path / "ran").exists()


def test_nothing_that_a_repository_brings_is_run(tmp_path: Path, host: Host) -> None:
    """Hooks, filters, and programs that configuration names: here, where it comes from, and where it is fetched to."""
    root = make_repository(tmp_path / "r", {"a": "1"})
    touch = f"touch {tmp_path}/ran"
    for name in ("post-checkout", "reference-transaction", "post-merge"):
        (root / ".git/hooks").mkdir(exist_ok=True)
        (root / ".git/hooks" / name).write_text(f"#!/bin/sh\n{touch}\n")
        (root / ".git/hooks" / name).chmod(0o755)
    for key in ("core.fsmonitor", "filter.evil.smudge", "filter.evil.clean", "core.sshCommand", "core.pager"):
        git(root, "config", key, touch)
    commit(root, {".gitattributes": "* filter=evil\n"})
    (tmp_path / "ran").unlink(missing_ok=True)

    fetched(root, host)

    assert not (tmp_path / "ran").exists()


def test_this_users_own_configuration_opens_no_other_protocol(tmp_path: Path, host: Host) -> None:
    (tmp_path / ".gitconfig").write_text(
        '[protocol]\nallow = always\n[url "ext::sh -c touch% ran% "]\ninsteadOf = "https://example.org/"\n'
    )

    with pytest.raises(SourceError, match="transport 'ext' not allowed"):
        find_revision(GitSource(url="https://example.org/x", rev="v1"), host, tmp_path)


@pytest.mark.parametrize(
    ("limits", "says"),
    [(SourceLimits(files=1), "more than 1 files"), (SourceLimits(total_bytes=1000), "holds more than 1000 bytes")],
    ids=["files", "bytes"],
)
def test_a_bomb_is_refused_by_its_listing(tmp_path: Path, host: Host, limits: SourceLimits, says: str) -> None:
    root = make_repository(tmp_path / "r", {"a": "0" * 600, "b": "0" * 600})

    with pytest.raises(SourceError, match=says):
        fetched(root, host, limits=limits)


def test_a_repository_that_sends_too_much_is_cut_off_while_it_sends(tmp_path: Path, host: Host) -> None:
    """What one commit holds may be little; how much a server sends, it alone decides."""
    root = make_repository(tmp_path / "r", {"a": random.Random(0).randbytes(2_000_000).hex()})

    with pytest.raises(SourceError, match="r sends more than 1049576 bytes"):
        fetched(root, host, limits=SourceLimits(total_bytes=1000))

    assert sum(path.stat().st_size for path in (tmp_path / "r-fetched").rglob("*")) < 1_200_000


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [("a\nb", None, "control characters"), ("a", "/etc/passwd", "outside of the tree"), ("a", "../x", "outside")],
)
def test_names_and_links_are_held_to_what_an_sdist_is(
    tmp_path: Path, host: Host, name: str, target: str | None, says: str
) -> None:
    root = make_repository(tmp_path / "r", {"ok": "1"})
    if target:
        (root / name).symlink_to(target)
    else:
        (root / name).write_text("")
    commit(root)

    with pytest.raises(SourceError, match=says):
        fetched(root, host)


def test_a_packed_tree_is_the_same_tree(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    (root / "run").write_text("#!/bin/sh\n")
    (root / "run").chmod(0o755)
    (root / ("long" * 40)).write_text("")
    commit(root, {"naïve \\ \"quoted\" 'name'": "2"})
    tree = fetched(root, host)
    path = tmp_path / "0123.tar.gz"

    pack(tree, path, "0123")

    assert unpack(path) == tree
    before = path.read_bytes()
    pack(tree, path, "0123")
    assert path.read_bytes() == before


def test_without_git_the_way_out_is_said(tmp_path: Path) -> None:
    nowhere = read_host({"PATH": str(tmp_path), "HOME": str(tmp_path)})

    with pytest.raises(SourceError, match="git is not installed, and a source from git needs it"):
        find_revision(GitSource(url="file:///r", rev="v1"), nowhere, tmp_path)


def plumb(folder: Path, *arguments: str, stdin: bytes) -> str:
    done = run(["git", *arguments], env={"PATH": "/usr/bin:/bin"}, cwd=folder, timeout_s=60, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


def commit_tree(root: Path, tree: str) -> str:
    """Commit a tree as it is, and let a branch name it."""
    made = git(root, "commit-tree", tree, "-m", "one")
    git(root, "update-ref", "refs/heads/main", made)
    return made


def test_a_tree_that_holds_itself_ten_times_and_so_on_is_refused_at_once(tmp_path: Path, host: Host) -> None:
    """Ten trees, each of ten times the next, list ten thousand million files, and weigh nothing."""
    root = make_repository(tmp_path / "r", {"a": "1"})
    blob = plumb(root, "hash-object", "-w", "--stdin", stdin=b"x")
    lines = [f"100644 blob {blob}\t{number}\n" for number in range(10)]
    for _ in range(9):
        tree = plumb(root, "mktree", stdin="".join(lines).encode())
        lines = [f"040000 tree {tree}\t{number}\n" for number in range(10)]
    made = commit_tree(root, plumb(root, "mktree", stdin="".join(lines).encode()))
    started = monotonic()

    with within_memory(200 << 20), pytest.raises(SourceError, match="holds more than 200000 files"):
        fetched(root, host, made)

    assert monotonic() - started < 60


def test_a_small_pack_may_not_become_a_large_tree(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    (root / "zeros").write_bytes(bytes(40_000_000))
    commit(root)

    with pytest.raises(SourceError, match="r holds more than 33554432 bytes"):
        fetched(root, host, limits=SourceLimits(ratio_bytes=32 << 20))


def test_a_file_larger_than_git_may_hold_in_memory_is_read(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    git(root, "config", "core.compression", "0")
    content = random.Random(0).randbytes(1 << 20) * 270
    (root / "large").write_bytes(content)
    commit(root)

    assert fetched(root, host).read("large") == content


def test_a_list_of_submodules_as_large_as_a_book_is_refused(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {".gitmodules": '[submodule "x"]\npath = x\nurl = ../x\n' * 40_000})
    made = plumb(
        root,
        "mktree",
        stdin=plumb(root, "ls-tree", "HEAD", stdin=b"").encode() + b"\n160000 commit " + b"1" * 40 + b"\tx\n",
    )

    with pytest.raises(SourceError, match=r"a \.gitmodules of more than 1048576 bytes"):
        fetched(root, host, commit_tree(root, made))


def test_submodules_are_counted_at_every_depth(tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factory.source.remote._SUBMODULES", 2)
    make_repository(tmp_path / "lib", {"code": "1"})
    root = make_repository(tmp_path / "r", {"a": "1"})
    for number in range(3):
        git(root, "-c", "protocol.file.allow=always", "submodule", "add", "../lib", f"lib{number}")
    commit(root)

    with pytest.raises(SourceError, match="has more than 2 submodules"):
        fetched(root, host)


def test_a_server_that_lists_refs_without_end_is_left(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factory.source.remote._REFS_BYTES", 1000)
    root = make_repository(tmp_path / "r", {"a": "1"})
    for number in range(30):
        git(root, "tag", f"v{number}")

    with pytest.raises(SourceError, match="has refs of more than 1000 bytes") as caught:
        found(root, "v1", host)

    assert "write the commit itself" in caught.value.hint


def test_a_commit_whose_time_has_too_many_digits_has_none(tmp_path: Path, host: Host) -> None:
    root = make_repository(tmp_path / "r", {"a": "1"})
    raw = plumb(root, "cat-file", "commit", "HEAD", stdin=b"").replace("1700000000", "9" * 5000)
    made = plumb(root, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=f"{raw}\n".encode())
    git(root, "update-ref", "refs/heads/odd", made)

    with pytest.raises(SourceError, match=r"has no committer date|cannot"):
        fetched(root, host, made)


@pytest.mark.parametrize(
    "url", ["../../priv", "file://{priv}", "file://{inside}/../../priv", "file://{inside}/%2e%2e/%2e%2e/priv"]
)
def test_a_submodule_leads_to_no_repository_of_this_machine_outside_of_the_root(
    tmp_path: Path, host: Host, url: str
) -> None:
    priv = make_repository(tmp_path / "priv", {"secret.txt": "s"})
    inside = tmp_path / "root"
    inside.mkdir()
    root = make_repository(inside / "r", {"a": "1"})
    (root / ".gitmodules").write_text(
        f'[submodule "p"]\npath = p\nurl = {url.format(priv=priv, inside=inside / "r")}\n'
    )
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{git(priv, 'rev-parse', 'HEAD')},p")
    git(root, "add", ".gitmodules")
    git(root, "commit", "--message", "p")

    with pytest.raises(SourceError, match=r"outside of .*/root") as caught:
        fetched(root, host)

    assert caught.value.hint == f"if the recipe may read it, add --root {tmp_path}"


@pytest.mark.parametrize("way", ["link", "gitdir", "alternates", "linked objects"])
def test_a_repository_inside_that_keeps_its_objects_outside_is_refused(tmp_path: Path, host: Host, way: str) -> None:
    priv = make_repository(tmp_path / "priv", {"secret.txt": "s"})
    inside = tmp_path / "root"
    inside.mkdir()
    root = make_repository(inside / "r", {"a": "1"}) if way == "alternates" else inside / "r"
    if way == "link":
        root.symlink_to(priv)
    elif way == "gitdir":
        root.mkdir()
        (root / ".git").write_text(f"gitdir: {priv}/.git\n")
    elif way == "linked objects":
        make_repository(root, {"a": "1"})
        shutil.rmtree(root / ".git/objects")
        (root / ".git/objects").symlink_to(priv / ".git/objects")
    else:
        (root / ".git/objects/info").mkdir(exist_ok=True)
        (root / ".git/objects/info/alternates").write_text(f"{priv}/.git/objects\n")
    secret = git(priv, "rev-parse", "HEAD")

    with pytest.raises(SourceError, match=r"outside of .*/root"):
        fetch_tree(f"file://{root}", secret, host, tmp_path / "empty", root=inside)


class Listener:
    """An https server that refuses everything, and keeps what it was told."""

    def __init__(self, authority: Authority, answers: int = 401) -> None:
        self.told: list[tuple[str, str | None]] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.append((self.path, self.headers["Authorization"]))
                self.send_response(answers)
                self.send_header("WWW-Authenticate", "Basic realm=x")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.serving = serving(Handler, address=LOOPBACK, tls=authority.server)


def test_a_submodule_elsewhere_is_asked_for_without_this_users_credentials(tmp_path: Path, host: Host) -> None:
    """Netrc, a credential helper and a header that this user configured: each would open the other server."""
    authority = make_authority(tmp_path)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password netrc-word\n")
    (tmp_path / ".gitconfig").write_text(
        '[credential]\nhelper = "!echo username=me; echo password=helper-word; :"\n'
        '[http]\nextraHeader = "Authorization: Bearer header-word"\n'
    )
    trusting = replace(host, certificates=authority.certificate)
    listener = Listener(authority)
    with listener.serving as port:
        root = make_repository(
            tmp_path / "r", {".gitmodules": f'[submodule "p"]\npath = p\nurl = https://127.0.0.1:{port}/p\n'}
        )
        git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},p")
        git(root, "commit", "--message", "p")

        with pytest.raises(SourceError, match=r"git cannot fetch from https://127\.0\.0\.1"):
            fetched(root, trusting)
        asked = list(listener.told)
        with pytest.raises(SourceError, match=r"git cannot fetch from https://127\.0\.0\.1"):
            find_revision(GitSource(url=f"https://127.0.0.1:{port}/own", rev="v1"), trusting, tmp_path)

    assert asked
    assert {given for _, given in asked} == {None}
    assert any(given for _, given in listener.told[len(asked) :]), "the test's credentials open nothing anyway"


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("https://example.org/a", "https://example.org:443/b", True),
        ("https://example.org/a", "https://example.org:8443/b", False),
        ("https://example.org/a", "https://example.com/a", False),
        ("https://example.org/a", "http://example.org/a", False),
        ("https://example.org/a", "https://EXAMPLE.org/a", True),
        ("ssh://git@example.org/a", "ssh://git@example.org:22/b", True),
        ("ssh://git@example.org/a", "ssh://root@example.org/b", False),
        ("https://example.org/a", "https://example.org@example.com/a", False),
        ("file:///a", "file:///b", True),
        ("https://example.org/a", "file:///b", False),
    ],
)
def test_a_server_is_its_scheme_host_and_port(first: str, second: str, is_same: bool) -> None:
    assert is_same_server(first, second) is is_same
