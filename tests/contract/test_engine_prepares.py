"""A container that prepares an image: root there, and an image of what it wrote, and of nothing else."""

from collections.abc import Iterator
from pathlib import PurePosixPath

import docker
import pytest

from factory.engine.api import Container, ContainerSpec, FileEntry
from factory.engine.docker import DockerEngine

pytestmark = pytest.mark.engine

REFERENCE = "wheel-factory/test:prepared"
LABELS = {"wheel-factory.input": "cafe", "wheel-factory.identity": "f00d"}
WRITES = """
echo prepared >/usr/share/prepared
chown 1234 /usr/share/prepared
for folder in /work /tmp /var/log; do echo secret >"$folder/secret"; done
rm -r /usr/share/doc
"""


@pytest.fixture
def container(engine: DockerEngine, image: str) -> Iterator[Container]:
    with engine.container(ContainerSpec(image=image, label="prepares", env={}, prepares=True)) as container:
        yield container
    engine.remove_image(REFERENCE)


def run(container: Container, script: str, **env: str) -> str:
    ended = container.run(["sh", "-ec", script], env={"PATH": "/usr/bin:/bin", **env}, timeout_s=60)
    assert ended.code == 0, ended.output
    return ended.output


def test_what_was_written_is_in_the_image_and_its_surroundings_are_not(
    engine: DockerEngine, container: Container
) -> None:
    container.copy_in([FileEntry(path=PurePosixPath("proxy"), content=b"secret")])
    run(container, WRITES, HTTPS_PROXY="secret")

    made = container.commit(reference=REFERENCE, labels=LABELS)

    with engine.container(ContainerSpec(image=made, label="looks", env={})) as cell:
        look = "cat /usr/share/prepared; stat -c %u /usr/share/prepared; ls /work /var/log /usr/share; env"
        said = run(cell, look)
    assert said.startswith("prepared\n1234\n")
    assert "secret" not in said
    assert "doc" not in said.split()


@pytest.mark.unlike_podman("POST /commit takes the container's Env over, whatever the body says")
def test_the_image_is_configured_as_the_one_it_was_made_of(
    container: Container, image: str, daemon: docker.DockerClient
) -> None:
    before = daemon.images.get(image).attrs

    made = daemon.images.get(container.commit(reference=REFERENCE, labels=LABELS)).attrs

    assert made["Config"]["Env"] == before["Config"]["Env"]
    assert made["Config"]["Cmd"] == before["Config"]["Cmd"]
    assert not made["Config"]["Entrypoint"]
    assert made["Config"]["WorkingDir"] == "/"
    assert made["Architecture"] == before["Architecture"]
    assert len(made["RootFS"]["Layers"]) == len(before["RootFS"]["Layers"]) + 1


def test_the_image_carries_its_owner_and_nothing_of_the_run(
    engine: DockerEngine, container: Container, owner: str
) -> None:
    made = container.commit(reference=REFERENCE, labels=LABELS)

    held = engine.held_image(made)
    assert held is not None
    labels = held.labels
    assert labels.items() >= {**LABELS, "wheel-factory.owner": owner, "wheel-factory.kind": "prepared"}.items()
    assert not labels["wheel-factory.run"]
    assert made in engine.images({"wheel-factory.kind": "prepared", "wheel-factory.owner": owner})


def test_root_there_is_confined_all_the_same(container: Container) -> None:
    status, uid, *interfaces = run(container, "cat /proc/self/status; echo ===; id -u; ls /sys/class/net").split(
        "===\n"
    )

    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    assert int(facts["CapEff"], 16) == 0x800000DB  # chown dac_override fowner fsetid setgid setuid setfcap
    assert facts["NoNewPrivs"] == "1"
    assert (uid, interfaces) == ("0\nlo\n", [])
