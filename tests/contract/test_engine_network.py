"""A container with network: nobody else in it, and no way to what a host tells its own programs."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from uuid import uuid4

import docker
import pytest

from factory.engine.api import Container, ContainerSpec
from factory.engine.docker import DockerEngine, connect
from factory.errors import EngineError
from factory.host import Host
from tests.makers.network import serving

pytestmark = pytest.mark.engine

CONNECT = """
import socket, sys
kind = getattr(socket, f"SOCK_{sys.argv[1]}")
with socket.socket(type=kind) as connection:
    connection.settimeout(5)
    try:
        connection.connect((sys.argv[2], int(sys.argv[3])))
    except OSError as error:
        print(type(error).__name__, error.errno)
    else:
        print("connected")
"""
GATEWAY = """
import socket, struct
with open("/proc/net/route") as routes:
    (gateway,) = {line.split()[2] for line in list(routes)[1:] if line.split()[1] == "00000000"}
print(socket.inet_ntoa(struct.pack("=I", int(gateway, 16))))
"""
UNREACHABLE = "OSError 101\n"
UNDO = """
import socket, struct
RTM_DELRULE, FRA_DST, FRA_PRIORITY, UNREACHABLE = 33, 1, 6, 7
body = struct.pack("=8BI", socket.AF_INET, 16, 0, 0, 0, 0, 0, UNREACHABLE, 0)
for kind, content in ((FRA_DST, bytes([169, 254, 0, 0])), (FRA_PRIORITY, struct.pack("=I", 20))):
    body += struct.pack("=HH", 4 + len(content), kind) + content
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
    kernel.send(struct.pack("=IHHII", 16 + len(body), RTM_DELRULE, 5, 1, 0) + body)
    print(struct.unpack_from("=i", kernel.recv(4096), 16)[0])
"""


def make_spec(image: str, *, prepares: bool = False, firewall: str | None = None) -> ContainerSpec:
    return ContainerSpec(
        image=image, label="network", env={}, network=True, firewall=firewall or image, prepares=prepares
    )


def python(container: Container, program: str, *arguments: str) -> str:
    ended = container.run(["python3", "-c", program, *arguments], env={"PATH": "/usr/bin:/bin"}, timeout_s=60)
    assert ended.code == 0, ended.output
    return ended.output


@pytest.fixture(params=[False, True], ids=["as-a-user", "as-root"])
def container(request: pytest.FixtureRequest, engine: DockerEngine, image: str) -> Iterator[Container]:
    with engine.container(make_spec(image, prepares=request.param)) as container:
        yield container


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "169.254.0.1", "169.254.170.2", "100.100.100.200", "168.63.129.16"]
)
def test_a_hosts_metadata_is_unreachable_at_once(container: Container, address: str) -> None:
    assert python(container, CONNECT, "STREAM", address, "80") == UNREACHABLE
    assert python(container, CONNECT, "DGRAM", address, "80") == UNREACHABLE


def test_a_name_server_in_a_closed_range_can_still_be_asked(container: Container) -> None:
    """Some hosts' only name server has a link-local address."""
    assert python(container, CONNECT, "DGRAM", "169.254.169.254", "53") == "connected\n"


def test_what_prepares_an_image_cannot_open_what_is_closed(container: Container) -> None:
    assert python(container, UNDO) == "-1\n"  # EPERM
    assert python(container, CONNECT, "STREAM", "169.254.169.254", "80") == UNREACHABLE


def test_a_server_of_this_machine_is_reached(container: Container) -> None:
    """Mirrors, proxies and registries lie in private ranges, the host's own addresses among them."""
    gateway = python(container, GATEWAY).strip()

    with serving(BaseHTTPRequestHandler, address=gateway) as port:
        said = python(container, CONNECT, "STREAM", gateway, str(port))

    assert said == "connected\n"


@pytest.mark.unlike_podman("POST /networks/create drops what keeps networks apart")
def test_two_containers_with_network_do_not_reach_each_other(engine: DockerEngine, image: str) -> None:
    address = "import socket; print(socket.gethostbyname(socket.gethostname()))"
    with engine.container(make_spec(image)) as container, engine.container(make_spec(image)) as other:
        theirs = python(other, address).strip()
        by_themselves = python(other, CONNECT, "STREAM", theirs, "9")
        by_others = python(container, CONNECT, "STREAM", theirs, "9")

    assert by_themselves.startswith("ConnectionRefusedError"), (
        "a port that nobody listens at refuses whoever reaches it"
    )
    assert by_others == "TimeoutError None\n" or by_others.startswith("OSError")


def test_no_container_lies_in_the_engines_common_network(
    host: Host, owner: str, image: str, daemon: docker.DockerClient
) -> None:
    run_id = f"run-{uuid4().hex[:8]}"
    with connect(host, owner=owner, run_id=run_id) as run, run.container(make_spec(image)):
        (network,) = daemon.networks.list(filters={"label": f"wheel-factory.run={run_id}"}, greedy=True)
        inside = [container.name for container in network.containers]

    assert {f"{network.name}-guard"} <= set(inside) <= {f"{network.name}-guard", str(network.name)}
    assert remains(daemon, run_id) == []


def remains(daemon: docker.DockerClient, run_id: str) -> list[str]:
    label = f"wheel-factory.run={run_id}"
    containers = daemon.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    networks = daemon.networks.list(filters={"label": label})
    return [*(str(found.name) for found in containers), *(str(found.name) for found in networks)]


def test_a_guard_that_cannot_close_the_ranges_lets_nothing_start(
    host: Host, owner: str, image: str, daemon: docker.DockerClient, no_python: str
) -> None:
    run_id = f"run-{uuid4().hex[:8]}"
    with (
        connect(host, owner=owner, run_id=run_id) as run,
        pytest.raises(EngineError, match="cannot block link-local addresses"),
        run.container(make_spec(image, firewall=no_python)),
    ):
        pytest.fail("a container with an open network was started")

    assert remains(daemon, run_id) == []


@pytest.fixture
def no_python(engine: DockerEngine, image: str) -> Iterator[str]:
    """The small image without its Python, and without the label by which that one is found."""
    with engine.container(ContainerSpec(image=image, label="guard", env={}, prepares=True)) as container:
        container.run(["sh", "-c", "rm /usr/bin/python3*"], env={"PATH": "/usr/bin:/bin"}, timeout_s=60)
        labels = {"wheel-factory.test-image": "without Python"}
        made = container.commit(reference="wheel-factory/test:no-python", labels=labels)
    yield made
    engine.remove_image(made)


def test_a_network_without_a_guard_is_a_mistake_of_ours(engine: DockerEngine, image: str) -> None:
    spec = ContainerSpec(image=image, label="network", env={}, network=True)

    with pytest.raises(ValueError, match="needs the image of its firewall"), engine.container(spec):
        pytest.fail("a container with an open network was started")


def test_networks_of_dead_runs_are_reaped(host: Host, owner: str, daemon: docker.DockerClient) -> None:
    run_id = f"run-{uuid4().hex[:8]}"
    labels = {"wheel-factory.owner": owner, "wheel-factory.run": run_id, "wheel-factory.kind": "network"}
    daemon.networks.create(f"factory-{run_id}", labels=labels)

    with connect(host, owner=owner, run_id="next") as engine:
        engine.reap(lambda run: run in ("session", run_id))
        while_running = remains(daemon, run_id)
        engine.reap(lambda run: run == "session")

    assert while_running == [f"factory-{run_id}"]
    assert remains(daemon, run_id) == []
