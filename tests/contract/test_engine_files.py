"""Files into and out of a container: whose they are, where they may lie, and what is refused."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from uuid import uuid4

import pytest

from factory.engine.api import Container, ContainerSpec, FileEntry, Mount
from factory.engine.docker import DockerEngine
from factory.errors import EngineError, FactoryError

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
    return container.run(["python3", "-c", script], timeout_s=30).output.splitlines()


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


def test_files_go_below_a_folder_that_is_made_for_them(container: Container) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("a"), content=b"1")], WORK / "x/y")

    assert container.run(["cat", "x/y/a"], timeout_s=30).output == "1"
    assert container.run(["touch", "x/y/b", "x/c"], timeout_s=30).code == 0


def test_what_goes_in_comes_out(container: Container) -> None:
    files = [
        FileEntry(path=PurePosixPath("a/" + "long" * 60), content=bytes(range(256)) * 5000),
        FileEntry(path=PurePosixPath("ü mlaut"), content=b"", mode=0o700),
    ]
    container.copy_in(files, WORK / "tree")

    came_out = list(container.copy_out(WORK / "tree", limit_bytes=10_000_000))

    assert sorted(came_out, key=lambda file: file.path) == files


def test_one_file_comes_out_under_its_own_name(container: Container) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("dist/x.whl"), content=b"zip")])

    (file,) = container.copy_out(WORK / "dist/x.whl", limit_bytes=3)

    assert (file.path, file.content) == (PurePosixPath("x.whl"), b"zip")


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("/", id="root"),
        pytest.param("/etc", id="a-folder-of-the-image"),
        pytest.param("/tmp", id="tmpfs"),
        pytest.param("/work/../etc", id="through-dots"),
        pytest.param("/works", id="a-name-that-only-begins-alike"),
    ],
)
def test_files_go_nowhere_but_into_writable_volumes(container: Container, to: str) -> None:
    with pytest.raises(FactoryError, match="no writable volume"):
        container.copy_in([FileEntry(path=PurePosixPath("a"), content=b"")], PurePosixPath(to))


def test_a_file_name_that_leaves_its_folder_is_refused(container: Container) -> None:
    with pytest.raises(FactoryError, match="no name of a file below"):
        container.copy_in([FileEntry(path=PurePosixPath("../a"), content=b"")], WORK / "x")


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

    with pytest.raises(FactoryError, match="no UTF-8 name"):
        list(container.copy_out(WORK / "d", limit_bytes=1000))


@pytest.mark.unlike_podman("GET /containers/…/archive follows a link, in the container's own files")
def test_a_path_that_is_a_link_out_of_the_workspace_yields_nothing(container: Container) -> None:
    container.run(["ln", "-s", "/etc", "dist"], timeout_s=30)

    assert list(container.copy_out(WORK / "dist", limit_bytes=10_000_000)) == []


@pytest.fixture
def volume(engine: DockerEngine) -> Iterator[str]:
    name = f"tests-{uuid4().hex}"
    engine.ensure_volume(name)
    yield name
    engine.remove_volume(name)


def test_a_cache_volume_keeps_what_a_container_wrote(engine: DockerEngine, image: str, volume: str) -> None:
    path = PurePosixPath("/cache/deep")
    mount = Mount(volume=volume, path=path)
    with engine.container(ContainerSpec(image=image, label="w", env={}, mounts=(mount,))) as container:
        container.copy_in([FileEntry(path=PurePosixPath("in"), content=b"1")], path)
        assert container.run(["sh", "-c", "echo 2 >/cache/deep/made"], timeout_s=30).code == 0

    mount = Mount(volume=volume, path=path, read_only=True)
    with engine.container(ContainerSpec(image=image, label="r", env={}, mounts=(mount,))) as container:
        assert container.run(["sh", "-c", "cat /cache/deep/in /cache/deep/made"], timeout_s=30).output == "12\n"
        assert container.run(["touch", "/cache/deep/x"], timeout_s=30).code == 1
        with pytest.raises(FactoryError, match="no writable volume"):
            container.copy_in([FileEntry(path=PurePosixPath("in"), content=b"2")], path)


def test_a_volume_is_new_once_and_can_be_removed_twice(engine: DockerEngine) -> None:
    name = f"tests-{uuid4().hex}"

    assert not engine.has_volume(name)
    assert [engine.ensure_volume(name), engine.ensure_volume(name)] == [True, False]
    assert engine.has_volume(name)

    engine.remove_volume(name)
    engine.remove_volume(name)

    assert not engine.has_volume(name)


def test_a_volume_that_is_not_there_cannot_be_mounted(engine: DockerEngine, image: str) -> None:
    mount = Mount(volume="tests-no-such-volume", path=PurePosixPath("/cache"))
    spec = ContainerSpec(image=image, label="absent", env={}, mounts=(mount,))

    with pytest.raises(EngineError, match="no volume tests-no-such-volume"), engine.container(spec):
        pytest.fail("an empty volume was made")
