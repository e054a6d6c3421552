"""What the factory runs beside a recipe's containers works in a build image, whose Python is not the system's."""

import pytest

from factory.engine.api import ContainerSpec
from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.ready import ensure
from factory.store import Store
from tests.docker.command import PLATFORM

pytestmark = pytest.mark.engine

CONNECT = "import socket, sys; print(socket.socket().connect_ex((sys.argv[1], 80)))"
UNREACHABLE = 101  # ENETUNREACH


@pytest.fixture(scope="module")
def builder(engine: DockerEngine, host: Host, tmp_path_factory: pytest.TempPathFactory) -> str:
    with Store.open(tmp_path_factory.mktemp("store")) as store:
        return ensure(f"lookalike-{PLATFORM}", engine=engine, host=host, store=store, progress=print).reference


def test_it_blocks_the_addresses_that_tell_a_hosts_secrets(engine: DockerEngine, builder: str) -> None:
    spec = ContainerSpec(image=builder, label="helper", env={}, network=True, firewall=builder)

    with engine.container(spec) as container:
        ended = container.run(["/opt/python/cp313-cp313/bin/python", "-c", CONNECT, "169.254.169.254"], timeout_s=60)

    assert ended.output == f"{UNREACHABLE}\n"


def test_it_measures_what_a_command_writes(engine: DockerEngine, builder: str) -> None:
    spec = ContainerSpec(image=builder, label="helper", env={}, monitor=builder, workspace_bytes=50 << 20)

    with engine.container(spec) as container:
        ended = container.run(["sh", "-c", "head -c 200M /dev/zero >filler; sleep 120"], timeout_s=120)

    assert ended.ended == "workspace"
