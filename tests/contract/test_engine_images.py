"""Images made of a root filesystem, and how they are found again."""

import time
from collections.abc import Iterator

import docker
import pytest

from factory.engine.docker import DockerEngine, connect
from factory.errors import EngineError
from factory.host import Host
from tests.makers.rootfs import ARM64, X86_64, make_rootfs

pytestmark = pytest.mark.engine

REFERENCE = "wheel-factory/test:architecture"
KEEPER = "wheel-factory/keeper:1"


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


def test_a_name_that_the_engine_refuses_is_an_error(engine: DockerEngine) -> None:
    with pytest.raises(EngineError, match="repository name must be lowercase"):
        engine.import_rootfs(make_rootfs(X86_64), reference="Not/A/Name:1", labels={"refused": "yes"}, env={})

    if nameless := engine.find_image({"refused": "yes"}):
        engine.remove_image(nameless)


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
