"""The posture of a container, seen from inside by a program that tries to get out."""

from pathlib import Path

import docker
import pytest

from factory.engine.api import ContainerSpec
from factory.engine.docker import DockerEngine

pytestmark = pytest.mark.engine

PROBE = Path(__file__).with_name("probe.py").read_text()
COMMAND = ["python3", "-c", PROBE]


def verdicts(output: str) -> dict[str, str]:
    """Map each promise to its verdict and detail."""
    return dict(line.split(": ", 1) for line in output.splitlines())


def test_a_confined_container_keeps_every_promise(engine: DockerEngine, image: str) -> None:
    spec = ContainerSpec(image=image, label="posture", env={}, memory_bytes=256 << 20, pids=100, tmpfs_bytes=64 << 20)

    with engine.container(spec) as container:
        ended = container.run(COMMAND, timeout_s=120)

    assert ended.code == 0, ended.output
    assert "setuid" in verdicts(ended.output)
    assert {name: said for name, said in verdicts(ended.output).items() if not said.startswith("ok")} == {}


def test_the_probe_sees_every_promise_broken_where_nothing_confines_it(
    daemon: docker.DockerClient, image: str, tmp_path: Path
) -> None:
    """A probe that cannot fail proves nothing."""
    opened = {
        "Image": image,
        "Cmd": COMMAND,
        "User": "0:0",
        "HostConfig": {
            "NetworkMode": "host",
            "PidMode": "host",
            "IpcMode": "host",
            "CgroupnsMode": "host",
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
            "MaskedPaths": [],
            "ReadonlyPaths": [],
            "Devices": [{"PathOnHost": "/dev/kmsg", "PathInContainer": "/dev/kmsg", "CgroupPermissions": "r"}],
            "Binds": [f"{path}:{path}" for path in ("/var/run/docker.sock", "/sys/fs/cgroup")]
            + [f"{tmp_path}:/host:ro"],
        },
    }
    unconfined = daemon.api.create_container_from_config(opened)["Id"]  # type: ignore[no-untyped-call] # in its stubs
    try:
        daemon.api.start(unconfined)
        code = daemon.api.wait(unconfined, timeout=120)["StatusCode"]
        output = daemon.api.logs(unconfined).decode()
    finally:
        daemon.api.remove_container(unconfined, force=True, v=True)

    assert code == 0, output
    assert "setuid" in verdicts(output)
    assert {name: said for name, said in verdicts(output).items() if not said.startswith("OPEN")} == {}
