"""Files into and out of a container: whose they are, where they may lie, and what is refused."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from uuid import uuid4

import pytest

from factory.engine.api import Container, ContainerSpec, FileEntry, LinkEntry, Mount
from factory.engine.docker import DockerEngine
from factory.errors import EngineError, FactoryError
from factory.host import Host

pytestmark = pytest.mark.engine

WORK = PurePosixPath("/work")


@pytest.fixture
def container(engine: DockerEngine, image: str) -> Iterator[Container]:
    with engine.container(ContainerSpec(image=image, label="files", env={})) as running:
        yield running


def listing(container: Container) -> list[str]:
    script = """
import os
for top, folders, files in sorted(os.walk(".")):
    for name in sorted(folders + files):
        path = os.path.join(top, name)
        found = os.lstat(path)
        print(path[2:], oct(found.st_mode & 0o7777), found.st_uid, found.st_gid, int(found.st_mtime))
"""
    lines = container.run(["python3", "-c", script], timeout_s=30).output.splitlines()
    return [line for line in lines if not line.startswith("home ")]  # the user's home is there from the start


def test_files_arrive_with_their_mode_and_time_and_belong_to_the_user(container: Container) -> None:
    files = [
        FileEntry(path=PurePosixPath("deep/er/a"), content=b"text", mtime_s=1_000_000_000),
        FileEntry(path=PurePosixPath("run"), content=b"", mode=0o755),
        FileEntry(path=PurePosixPath("set-id"), content=b"", mode=0o6755),
    ]

    container.copy_in(files)

    assert listing(container) == [
        "deep 0o755 1000 1000 315532800",
        "run 0o755 1000 1000 315532800",
        "set-id 0o755 1000 1000 315532800",
        "deep/er 0o755 1000 1000 315532800",
        "deep/er/a 0o644 1000 1000 1000000000",
    ]


@pytest.mark.parametrize("written", [b"", b"text"])
def test_the_workspace_and_a_home_belong_to_the_user_whatever_comes_first(container: Container, written: bytes) -> None:
    if written:
        container.copy_in([FileEntry(path=PurePosixPath("a"), content=written)], WORK / "deep")

    owned = container.run(["stat", "-c", "%n %a %u:%g", ".", "home"], timeout_s=30)

    assert owned.output.splitlines() == [". 755 1000:1000", "home 755 1000:1000"]
    assert container.run(["touch", "here", "home/there"], timeout_s=30).code == 0


def test_files_go_below_a_folder_that_is_made_for_them(container: Container) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("a"), content=b"1")], WORK / "x/y")

    assert container.run(["cat", "x/y/a"], timeout_s=30).output == "1"
    assert container.run(["touch", "x/y/b", "x/c"], timeout_s=30).code == 0


@pytest.mark.parametrize("size", [pytest.param("11", id="a-little"), pytest.param("900G", id="a-hole-of-900-GB")])
def test_more_than_the_limit_does_not_come_out(container: Container, size: str) -> None:
    container.run(["sh", "-c", f"mkdir d; echo 1 >d/a; truncate -s {size} d/z"], timeout_s=30)

    with pytest.raises(FactoryError, match="more than the 10 bytes"):
        list(container.copy_out(WORK / "d", limit_bytes=10))


@pytest.mark.parametrize(
    "path",
    [
        "/work/absent",
        pytest.param("/tmp/invisible", marks=pytest.mark.unlike_podman("GET /containers/…/archive reads a tmpfs")),
    ],
)
def test_a_path_that_is_not_there_is_named(container: Container, path: str) -> None:
    container.run(["touch", "/tmp/invisible"], timeout_s=30)

    with pytest.raises(FactoryError, match=path) as caught:
        list(container.copy_out(PurePosixPath(path), limit_bytes=10))

    assert "workspace" in caught.value.hint


def test_only_regular_files_come_out_whatever_their_names(container: Container) -> None:
    script = r"""
import os, socket
os.mkdir("d"); os.chdir("d")
for name in ("plain", "new\nline", "..\\..\\evil", "-rf", " ", "..."):
    open(name, "w").close()
os.symlink("/etc/passwd", "link"); os.mkfifo("pipe"); os.symlink("d", "folder")
socket.socket(socket.AF_UNIX).bind("socket")
"""
    container.run(["python3", "-c", script], timeout_s=30)

    names = {str(file.path) for file in container.copy_out(WORK / "d", limit_bytes=1000)}

    assert names == {"plain", "new\nline", "..\\..\\evil", "-rf", " ", "..."}


def test_a_name_that_is_no_text_is_refused(container: Container) -> None:
    container.run(["python3", "-c", "import os; os.mkdir('d'); open(b'd/\\xff', 'w')"], timeout_s=30)

    with pytest.raises(FactoryError, match="is not valid UTF-8"):
        list(container.copy_out(WORK / "d", limit_bytes=1000))


@pytest.mark.unlike_podman("GET /containers/…/archive follows a link, in the container's own files")
def test_a_path_that_is_a_link_out_of_the_workspace_yields_nothing(container: Container) -> None:
    container.run(["ln", "-s", "/etc", "dist"], timeout_s=30)

    assert list(container.copy_out(WORK / "dist", limit_bytes=10_000_000)) == []


@pytest.fixture
def volume(engine: DockerEngine) -> Iterator[str]:
    """A name that no volume has; one that a test makes is removed."""
    name = f"tests-{uuid4().hex}"
    yield name
    engine.remove_volume(name)


TREE = (
    FileEntry(path=PurePosixPath("bin/tool"), content=b"#!/bin/sh\necho tool\n", mode=0o755),
    FileEntry(path=PurePosixPath("kept"), content=b"as its root is called while it is filled"),
    LinkEntry(path=PurePosixPath("lib/tool"), target="../bin/tool"),
    LinkEntry(path=PurePosixPath("bin/same"), target="bin/tool", hard=True, mode=0o755),
)


def test_a_volume_is_filled_with_files_and_links_that_containers_read_and_cannot_change(
    engine: DockerEngine, image: str, volume: str
) -> None:
    engine.fill_volume(volume, TREE)

    path = PurePosixPath("/cache/deep")
    mount = Mount(volume=volume, path=path)
    with engine.container(ContainerSpec(image=image, label="r", env={}, mounts=(mount,))) as container:
        shown = container.run(["sh", "-c", "lib/tool; bin/same; cat kept"], cwd=path, timeout_s=30)
        assert shown.output == "tool\ntool\nas its root is called while it is filled"
        assert container.run(["sh", "-c", "echo evil >>bin/tool"], cwd=path, timeout_s=30).code != 0
        with pytest.raises(FactoryError, match="is outside the workspace"):
            container.copy_in([FileEntry(path=PurePosixPath("in"), content=b"2")], path)


def test_a_tree_of_a_workspace_becomes_a_volume_with_its_links(
    engine: DockerEngine, image: str, container: Container, volume: str
) -> None:
    made = "mkdir -p t/d && cd t && echo 1 >d/a && chmod 755 d/a && ln d/a d/b && ln -s d/a c && mkdir t && echo 2 >t/t"
    assert container.run(["sh", "-c", made], timeout_s=30).code == 0

    engine.fill_volume(volume, container.copy_tree(WORK / "t", limit_bytes=1000))

    path = PurePosixPath("/cache")
    spec = ContainerSpec(image=image, label="r", env={}, mounts=(Mount(volume=volume, path=path),))
    with engine.container(spec) as other:
        listed = "stat -c '%n %a %h' d/a d/b; readlink c; cat c t/t"
        assert other.run(["sh", "-c", listed], cwd=path, timeout_s=30).output == "d/a 755 2\nd/b 755 2\nd/a\n1\n2\n"


def test_a_volume_that_does_not_hold_what_was_written_is_removed_and_refused(
    engine: DockerEngine, volume: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def altered(container: str, path: str) -> Iterator[bytes]:
        for piece in read(container, path):
            yield piece.replace(b"echo tool", b"echo EVIL")

    read = engine._client.get_archive
    monkeypatch.setattr(engine._client, "get_archive", altered)

    with pytest.raises(EngineError, match="does not hold what was written to it: bin/same differs"):
        engine.fill_volume(volume, TREE)

    assert not engine.has_volume(volume)


def test_what_a_volume_held_before_is_gone_when_it_is_filled(engine: DockerEngine, image: str, volume: str) -> None:
    engine.fill_volume(volume, TREE)
    engine.fill_volume(volume, [FileEntry(path=PurePosixPath("new"), content=b"1")])

    mount = Mount(volume=volume, path=PurePosixPath("/cache"))
    with engine.container(ContainerSpec(image=image, label="r", env={}, mounts=(mount,))) as container:
        assert container.run(["ls", "-A", "/cache"], timeout_s=30).output == "new\n"


_STREAMED = """
import resource, sys
from pathlib import Path, PurePosixPath
from uuid import uuid4
from factory.engine.api import ContainerSpec
from factory.engine.docker import connect
from factory.host import read_host
from factory.stages.resolve import wheel_files
from factory.store import Store

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

with (
    Store.open(Path(sys.argv[2])) as store,
    connect(read_host(), owner=f"tests-{uuid4().hex[:8]}", run_id="streams") as engine,
    engine.container(ContainerSpec(image=sys.argv[1], label="streams", env={})) as container,
):
    container.run(["truncate", "-s", "1500M", "x.whl"], timeout_s=60)
    before = peak()
    for entry in container.stream_out(PurePosixPath("/work/x.whl"), limit_bytes=4 << 30):
        kept = store.put_stream(entry.pieces, "x.whl")
    out = peak() - before
    container.copy_in(wheel_files(store, [kept]), PurePosixPath("/work/again"))
    differs = 'test "$(sha256sum <x.whl)" = "$(sha256sum <again/x.whl)"'
    same = container.run(["sh", "-c", differs], timeout_s=120)
    print(kept.size_bytes, out, peak() - before, same.code)
"""


@pytest.mark.slow
def test_a_wheel_of_a_gigabyte_goes_out_and_in_without_being_held(image: str, host: Host, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _STREAMED, image, str(tmp_path / "store")]
    done = subprocess.run(argv, env={**host.tool_env, **host.docker}, stdout=subprocess.PIPE, text=True, check=True)

    size_bytes, out_mebibytes, all_mebibytes, differs = map(int, done.stdout.split())
    assert (size_bytes, differs) == (1500 << 20, 0)
    assert out_mebibytes < 100
    assert all_mebibytes < 100
