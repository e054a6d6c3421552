"""Images made of a root filesystem, and how they are found again."""

import io
import tarfile
import time
from collections.abc import Iterator

import docker
import pytest

from factory.engine.docker import DockerEngine, connect
from factory.errors import EngineError, ImageError
from factory.host import Host

pytestmark = pytest.mark.engine

REFERENCE = "wheel-factory/test:architecture"
KEEPER = "wheel-factory/keeper:1"
ARM64, X86_64, UNKNOWN = 183, 62, 4711


def make_rootfs(machine: int, *, name: str = "./usr/bin/sleep") -> list[bytes]:
    """A root filesystem whose one program is the first bytes of an ELF header."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + machine.to_bytes(2, "little") + bytes(44)
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(header), 0o755
        tar.addfile(member, io.BytesIO(header))
    whole = spool.getvalue()
    return [whole[start : start + 1000] for start in range(0, len(whole), 1000)]


@pytest.fixture(autouse=True)
def removed(engine: DockerEngine) -> Iterator[None]:
    yield
    engine.remove_image(REFERENCE)


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [pytest.param(X86_64, "amd64", id="x86-64"), pytest.param(ARM64, "arm64", id="aarch64")],
)
def test_an_image_names_the_architecture_of_its_programs(
    engine: DockerEngine, daemon: docker.DockerClient, machine: int, architecture: str
) -> None:
    labels, env = {"fact": "a b=c"}, {"PATH": "/usr/bin", "WORDS": "one two=3"}

    image = engine.import_rootfs(make_rootfs(machine), reference=REFERENCE, labels=labels, env=env)

    found = daemon.images.get(image)
    assert (found.attrs["Architecture"], found.attrs["Os"]) == (architecture, "linux")
    assert set(found.attrs["Config"]["Env"]) == {"PATH=/usr/bin", "WORDS=one two=3"}
    assert [tag.removeprefix("localhost/") for tag in found.tags] == [
        REFERENCE
    ]  # as Podman calls what is no registry's


def test_an_image_is_found_by_all_of_its_labels(engine: DockerEngine) -> None:
    labels = {"one": "1", "two": "2"}

    image = engine.import_rootfs(make_rootfs(X86_64), reference=REFERENCE, labels=labels, env={})

    assert engine.find_image(labels) == engine.find_image({"two": "2"}) == image
    assert engine.find_image({"one": "1", "two": "3"}) is None
    found = engine.held_image(image)
    assert found is not None
    assert found.labels.items() >= ({"wheel-factory.kind": "image"} | labels).items()
    assert (found.id, found.architecture) == (image, "amd64")


def test_equal_root_filesystems_make_one_image(engine: DockerEngine) -> None:
    first, second = (
        engine.import_rootfs(make_rootfs(ARM64), reference=REFERENCE, labels={"a": "b"}, env={}) for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize(
    ("tar", "message"),
    [
        pytest.param([b"no tar at all" * 100], "no tar stream", id="no-tar"),
        pytest.param(make_rootfs(UNKNOWN), "architecture", id="unknown-machine"),
        pytest.param(make_rootfs(X86_64, name="opt/cross/bin/sleep"), "architecture", id="no-program-of-its-own"),
    ],
)
def test_what_is_no_root_filesystem_is_refused(engine: DockerEngine, tar: list[bytes], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        engine.import_rootfs(tar, reference=REFERENCE, labels={}, env={})


def test_a_name_that_the_engine_refuses_is_an_error(engine: DockerEngine) -> None:
    with pytest.raises(EngineError, match="repository name must be lowercase"):
        engine.import_rootfs(make_rootfs(X86_64), reference="Not/A/Name:1", labels={"refused": "yes"}, env={})

    if nameless := engine.find_image({"refused": "yes"}):
        engine.remove_image(nameless)


def test_an_image_is_removed_once_and_asked_for_in_vain(engine: DockerEngine) -> None:
    image = engine.import_rootfs(make_rootfs(X86_64), reference=REFERENCE, labels={"a": "b"}, env={})

    engine.remove_image(image)
    engine.remove_image(image)

    assert engine.held_image(image) is None


def test_an_engine_says_who_it_is(engine: DockerEngine) -> None:
    info = engine.info()

    assert info.name in {"Docker", "Podman Engine"}
    assert info.version
    assert info.api
    assert info.driver
    assert info.architecture
    assert info.cpus >= 1
    assert info.memory_bytes > 1 << 27


@pytest.mark.parametrize("reference", [pytest.param(REFERENCE, id="by-label"), pytest.param(KEEPER, id="by-name")])
def test_the_keeper_is_known_by_its_content_and_no_other_image_can_pass_for_it(
    host: Host, owner: str, engine: DockerEngine, daemon: docker.DockerClient, reference: str
) -> None:
    """The image through which volumes are made is used by every run of the engine, whoever's images are there."""
    labels = {"wheel-factory.kind": "keeper"}
    forged = engine.import_rootfs(make_rootfs(X86_64), reference=reference, labels=labels, env={"FORGED": reference})
    name = f"{owner}-keeper"
    began = int(time.time())

    with connect(host, owner=name, run_id="keeper") as run:
        run.fill_volume(name, [])
        run.remove_volume(name)

    wanted = {"type": "container", "event": "create", "label": f"wheel-factory.owner={name}"}
    made = daemon.api.events(since=began, until=int(time.time()) + 1, filters=wanted, decode=True)
    assert [daemon.images.get(event["from"]).id for event in made] == [daemon.images.get(KEEPER).id]
    assert daemon.images.get(KEEPER).id != forged
    engine.remove_image(forged)
