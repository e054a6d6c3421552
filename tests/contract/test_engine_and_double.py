"""What every engine does, the real one and the double that tests without an engine use."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from uuid import uuid4

import pytest

from factory.engine.api import Container, ContainerSpec, Engine, FileEntry, LinkEntry, Mount
from factory.engine.docker import connect
from factory.errors import EngineError, FactoryError, ImageError, Interrupted
from factory.host import Host
from tests.doubles.engine import Answer, Call, EngineDouble
from tests.makers.rootfs import ARM64, UNKNOWN, X86_64, make_rootfs

WORK = PurePosixPath("/work")
REFERENCE = "wheel-factory/test:either"


def programs(call: Call) -> Answer:
    """Do what a few programs do, in a container of the double."""
    match call.argv:
        case ["true"]:
            return Answer()
        case ["sleep", seconds]:
            return Answer(duration_s=float(seconds))
        case ["printenv", name]:
            return Answer(output=f"{call.env[name]}\n")
        case ["pwd"]:
            return Answer(output=f"{call.cwd}\n")
        case ["cat", path]:
            content = call.read(path)
            return Answer(code=1) if content is None else Answer(output=content.decode())
        case ["touch", path]:
            call.files.write(call.cwd / path, b"")
            return Answer()
        case ["ln", "-s", target, path]:
            call.files.link(call.cwd / path, target)
            return Answer()
    return Answer(code=127, output=f"{call.argv[0]}: no such file or directory\n")


@pytest.fixture(params=[pytest.param("real", marks=pytest.mark.engine), "double"])
def engine_and_image(request: pytest.FixtureRequest) -> tuple[Engine, str]:
    if request.param == "real":
        return request.getfixturevalue("engine"), request.getfixturevalue("image")
    double = EngineDouble(commands=programs)
    return double, double.import_rootfs(make_rootfs(X86_64), reference="small", labels={}, env={})


@pytest.fixture
def either(engine_and_image: tuple[Engine, str]) -> Engine:
    return engine_and_image[0]


@pytest.fixture
def small(engine_and_image: tuple[Engine, str]) -> str:
    return engine_and_image[1]


@pytest.fixture
def container(either: Engine, small: str) -> Iterator[Container]:
    with either.container(ContainerSpec(image=small, label="cell", env={"COLOUR": "blue"})) as running:
        yield running


@pytest.fixture
def volume(either: Engine) -> Iterator[str]:
    """A name that no volume has; one that a test makes is removed."""
    name = f"tests-{uuid4().hex}"
    yield name
    either.remove_volume(name)


@pytest.fixture
def reference(either: Engine) -> Iterator[str]:
    """A name that no image has; one that a test makes is removed."""
    yield REFERENCE
    either.remove_image(REFERENCE)


@pytest.fixture(params=[pytest.param("real", marks=pytest.mark.engine), "double"])
def run_and_image(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, str]]:
    """A run of the test's own, which it may end."""
    if request.param == "double":
        double = EngineDouble(commands=programs)
        yield double, double.import_rootfs(make_rootfs(X86_64), reference="small", labels={}, env={})
        return
    host: Host = request.getfixturevalue("host")
    with connect(host, owner=request.getfixturevalue("owner"), run_id=f"run-{uuid4().hex[:8]}") as engine:
        yield engine, request.getfixturevalue("image")


@pytest.mark.parametrize(
    ("argv", "output"),
    [
        pytest.param(["printenv", "COLOUR"], "blue\n", id="environment-of-the-spec"),
        pytest.param(["printenv", "HOME"], "/work/home\n", id="a-home-that-can-be-written"),
        pytest.param(["pwd"], "/work\n", id="starts-in-the-workspace"),
    ],
)
def test_a_command_ends_with_its_code_and_output(container: Container, argv: list[str], output: str) -> None:
    pieces: list[bytes] = []

    ended = container.run(argv, timeout_s=30, on_output=pieces.append)

    assert (ended.code, ended.output, ended.ended, ended.truncated) == (0, output, "exited", False)
    assert b"".join(pieces).decode() == output


def test_a_command_gets_an_environment_and_a_folder_of_its_own(container: Container) -> None:
    told = container.run(["printenv", "SHAPE"], env={"SHAPE": "x=y z"}, timeout_s=30)
    there = container.run(["pwd"], cwd=PurePosixPath("/usr"), timeout_s=30)

    assert (told.output, there.output) == ("x=y z\n", "/usr\n")


def test_a_program_that_is_not_there_is_a_failed_command(container: Container) -> None:
    ended = container.run(["no-such-program"], timeout_s=30)

    assert ended.code in {126, 127}
    assert "no-such-program" in ended.output


def test_a_command_that_outlives_its_time_is_killed_with_its_container(container: Container) -> None:
    ended = container.run(["sleep", "60"], timeout_s=1)
    after = container.run(["true"], timeout_s=10)

    assert ended.ended == "timeout"
    assert 1 <= ended.duration_s < 15
    assert after.ended == "lost"
    assert not container.is_running()


def test_a_container_runs_in_its_block(run_and_image: tuple[Engine, str]) -> None:
    run, image = run_and_image
    with run.container(ContainerSpec(image=image, label="cell", env={})) as container:
        assert container.is_running()


def test_a_run_that_was_killed_starts_nothing_more(run_and_image: tuple[Engine, str]) -> None:
    run, image = run_and_image
    run.kill_run()

    with pytest.raises(Interrupted), run.container(ContainerSpec(image=image, label="cell", env={})):
        pytest.fail("a container was started after the end")


def test_a_command_after_the_run_was_killed_is_lost(run_and_image: tuple[Engine, str]) -> None:
    run, image = run_and_image
    with run.container(ContainerSpec(image=image, label="cell", env={})) as container:
        run.kill_run()
        ended = container.run(["true"], timeout_s=10)

    assert ended.ended == "lost"


def test_an_image_that_is_not_here_is_named(either: Engine) -> None:
    spec = ContainerSpec(image="no-such/image:1", label="cell", env={})

    with pytest.raises(ImageError, match="no image no-such/image:1"), either.container(spec):
        pytest.fail("a container of no image was started")


def test_files_go_below_a_folder_that_is_made_for_them(container: Container) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("a"), content=b"1")], WORK / "x/y")

    assert container.run(["cat", "x/y/a"], timeout_s=30).output == "1"
    assert container.run(["touch", "x/y/b"], timeout_s=30).code == 0
    assert {str(file.path) for file in container.copy_out(WORK / "x/y", limit_bytes=1)} == {"a", "b"}


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
def test_files_go_nowhere_but_into_the_workspace(container: Container, to: str) -> None:
    with pytest.raises(FactoryError, match="is outside the workspace"):
        container.copy_in([FileEntry(path=PurePosixPath("a"), content=b"")], PurePosixPath(to))


def test_a_file_name_that_leaves_its_folder_is_refused(container: Container) -> None:
    with pytest.raises(FactoryError, match="does not name a file below"):
        container.copy_in([FileEntry(path=PurePosixPath("../a"), content=b"")], WORK / "x")


def test_more_than_the_limit_does_not_come_out(container: Container) -> None:
    container.copy_in([FileEntry(path=PurePosixPath(name), content=b"123456") for name in "az"], WORK / "d")

    with pytest.raises(FactoryError, match="more than the 10 bytes"):
        list(container.copy_out(WORK / "d", limit_bytes=10))


def test_a_path_that_is_not_there_is_named(container: Container) -> None:
    with pytest.raises(FactoryError, match="/work/absent") as caught:
        list(container.copy_out(WORK / "absent", limit_bytes=10))

    assert "workspace" in caught.value.hint


def test_only_regular_files_come_out(container: Container) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("plain"), content=b"")], WORK / "d")
    container.run(["ln", "-s", "/etc/passwd", "d/link"], timeout_s=30)

    assert [str(file.path) for file in container.copy_out(WORK / "d", limit_bytes=1000)] == ["plain"]


TREE = (
    FileEntry(path=PurePosixPath("bin/tool"), content=b"#!/bin/sh\necho tool\n", mode=0o755),
    LinkEntry(path=PurePosixPath("lib/tool"), target="../bin/tool"),
    LinkEntry(path=PurePosixPath("bin/same"), target="bin/tool", hard=True, mode=0o755),
)


def test_a_volume_is_read_in_containers(either: Engine, small: str, volume: str) -> None:
    either.fill_volume(volume, TREE)

    path = PurePosixPath("/cache/deep")
    mount = Mount(volume=volume, path=path)
    with either.container(ContainerSpec(image=small, label="r", env={}, mounts=(mount,))) as container:
        shown = [container.run(["cat", name], cwd=path, timeout_s=30).output for name in ("bin/tool", "bin/same")]
        with pytest.raises(FactoryError, match="is outside the workspace"):
            container.copy_in([FileEntry(path=PurePosixPath("in"), content=b"2")], path)
    assert shown == ["#!/bin/sh\necho tool\n"] * 2


def test_a_tree_of_a_workspace_becomes_a_volume(either: Engine, small: str, container: Container, volume: str) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("d/a"), content=b"1")], WORK / "t")
    container.run(["ln", "-s", "d/a", "t/c"], timeout_s=30)

    either.fill_volume(volume, container.copy_tree(WORK / "t", limit_bytes=1000))

    mount = Mount(volume=volume, path=PurePosixPath("/cache"))
    with either.container(ContainerSpec(image=small, label="r", env={}, mounts=(mount,))) as other:
        assert other.run(["cat", "/cache/d/a"], timeout_s=30).output == "1"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", ".."])
def test_a_link_that_leads_out_of_its_tree_fills_no_volume(
    either: Engine, container: Container, volume: str, target: str
) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("a"), content=b"1")], WORK / "t")
    assert container.run(["ln", "-s", target, "t/link"], timeout_s=30).code == 0

    with pytest.raises(FactoryError, match="out of the folder"):
        either.fill_volume(volume, container.copy_tree(WORK / "t", limit_bytes=1000))


def test_what_a_volume_held_before_is_gone_when_it_is_filled(either: Engine, small: str, volume: str) -> None:
    either.fill_volume(volume, TREE)
    either.fill_volume(volume, [FileEntry(path=PurePosixPath("new"), content=b"1")])

    mount = Mount(volume=volume, path=PurePosixPath("/cache"))
    with either.container(ContainerSpec(image=small, label="r", env={}, mounts=(mount,))) as container:
        codes = [container.run(["cat", f"/cache/{name}"], timeout_s=30).code for name in ("bin/tool", "new")]
    assert codes == [1, 0]


def test_a_volume_can_be_removed_twice(either: Engine, volume: str) -> None:
    either.fill_volume(volume, [])
    assert either.has_volume(volume)
    assert volume in either.cache_volumes()

    either.remove_volume(volume)
    either.remove_volume(volume)

    assert not either.has_volume(volume)


def test_a_volume_that_is_not_there_cannot_be_mounted(either: Engine, small: str) -> None:
    mount = Mount(volume="tests-no-such-volume", path=PurePosixPath("/cache"))
    spec = ContainerSpec(image=small, label="absent", env={}, mounts=(mount,))

    with pytest.raises(EngineError, match="no volume tests-no-such-volume"), either.container(spec):
        pytest.fail("an empty volume was made")


def test_an_image_is_found_by_all_of_its_labels(either: Engine, reference: str) -> None:
    labels = {"one": "1", "two": "2"}

    image = either.import_rootfs(make_rootfs(X86_64), reference=reference, labels=labels, env={"WORDS": "one two=3"})

    assert either.find_image(labels) == either.find_image({"two": "2"}) == image
    assert either.find_image({"one": "1", "two": "3"}) is None
    held = either.held_image(image)
    assert held is not None
    assert held == either.held_image(reference)
    assert held.labels.items() >= ({"wheel-factory.kind": "image"} | labels).items()
    assert (held.id, held.architecture, held.env["WORDS"]) == (image, "amd64", "one two=3")


def test_equal_root_filesystems_make_one_image(either: Engine, reference: str) -> None:
    first, second = (
        either.import_rootfs(make_rootfs(ARM64), reference=reference, labels={"a": "b"}, env={}) for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize(
    ("tar", "message"),
    [
        pytest.param([b"no tar at all" * 100], "not a tar stream", id="no-tar"),
        pytest.param(make_rootfs(UNKNOWN), "architecture", id="unknown-machine"),
        pytest.param(make_rootfs(X86_64, name="opt/cross/bin/sleep"), "architecture", id="no-program-of-its-own"),
    ],
)
def test_what_is_no_root_filesystem_is_refused(either: Engine, reference: str, tar: list[bytes], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        either.import_rootfs(tar, reference=reference, labels={}, env={})


def test_an_image_is_removed_once_and_asked_for_in_vain(either: Engine, reference: str) -> None:
    image = either.import_rootfs(make_rootfs(X86_64), reference=reference, labels={"a": "b"}, env={})

    either.remove_image(image)
    either.remove_image(image)

    assert either.held_image(image) is None


def test_an_engine_says_who_it_is(either: Engine) -> None:
    info = either.info()

    assert info.name in {"Docker", "Podman Engine"}
    assert info.version
    assert info.api
    assert info.driver
    assert info.architecture
    assert info.cpus >= 1
    assert info.memory_bytes > 1 << 27


def test_a_prepared_image_carries_its_labels_and_nothing_of_the_run(either: Engine, small: str, reference: str) -> None:
    labels = {"wheel-factory.input": "cafe", "wheel-factory.identity": "f00d"}
    with either.container(ContainerSpec(image=small, label="prepares", env={}, prepares=True)) as container:
        container.run(["touch", "/etc/prepared"], timeout_s=30)
        made = container.commit(reference=reference, labels=labels)

    held = either.held_image(made)
    assert held is not None
    assert held.labels.items() >= {**labels, "wheel-factory.kind": "prepared"}.items()
    assert not held.labels["wheel-factory.run"]
    assert made in either.images({"wheel-factory.kind": "prepared"})
