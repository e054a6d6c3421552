"""A command in a container: what it sees, how it ends, what is kept of its output."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from uuid import uuid4

import docker
import pytest

from factory.engine.api import Container, ContainerSpec
from factory.engine.docker import DockerEngine, connect
from factory.engine.output import OUTPUT_CAP_BYTES
from factory.host import Host

pytestmark = pytest.mark.engine

MEGABYTE = 1 << 20


def make_spec(image: str, **facts: object) -> ContainerSpec:
    values: dict[str, object] = {"image": image, "label": "cell", "env": {}} | facts
    return ContainerSpec(**values)  # type: ignore[arg-type] # the tests' own keywords


@pytest.fixture(scope="module")
def container(engine: DockerEngine, image: str) -> Iterator[Container]:
    """A container that no test of this module harms."""
    with engine.container(make_spec(image, env={"COLOUR": "blue"})) as running:
        yield running


@pytest.mark.parametrize(
    ("script", "code", "output"),
    [
        pytest.param("exit 0", 0, "", id="success"),
        pytest.param("exit 3", 3, "", id="failure"),
        pytest.param("kill -9 $$", 137, "", id="killed-by-itself"),
        pytest.param("echo out; sleep 0.2; echo err >&2", 0, "out\nerr\n", id="both-streams"),
        pytest.param("cat", 0, "", id="nothing-on-stdin"),
        pytest.param("pwd", 0, "/work\n", id="starts-in-the-workspace"),
        pytest.param("echo $COLOUR", 0, "blue\n", id="environment-of-the-spec"),
        pytest.param("echo $HOME && touch $HOME/x", 0, "/work/home\n", id="a-home-that-can-be-written"),
        pytest.param("echo $USER $LOGNAME $TMPDIR", 0, "builder builder /tmp\n", id="an-ordinary-users-variables"),
        pytest.param("cp /bin/true /tmp/runs && /tmp/runs", 0, "", id="programs-run-from-tmp"),
        pytest.param("touch made && stat -c %u:%g .", 0, "1000:1000\n", id="the-workspace-is-the-users"),
        pytest.param("ulimit -c; ulimit -n; ulimit -p", 0, "0\n16384\n32768\n", id="the-same-limits-on-every-engine"),
        pytest.param("printf '\\377'", 0, "\ufffd", id="bytes-that-are-no-text"),
    ],
)
def test_a_command_ends_with_its_code_and_output(container: Container, script: str, code: int, output: str) -> None:
    ended = container.run(["sh", "-c", script], timeout_s=30)

    assert (ended.code, ended.output, ended.ended, ended.truncated) == (code, output, "exited", False)


@pytest.mark.parametrize("folder", ["/usr/share", "/absent/folder"])
def test_a_hidden_folder_is_empty_and_stays_so(engine: DockerEngine, image: str, folder: str) -> None:
    script = f'[ -z "$(ls -A {folder})" ] && ! touch {folder}/file && ! ls {folder}/file && ! mkdir {folder}/x'

    with engine.container(make_spec(image, hidden=(PurePosixPath(folder),))) as container:
        ended = container.run(["sh", "-c", script], timeout_s=30)

    assert ended.code == 0, ended.output


def test_a_workspace_that_holds_too_much_ends_the_command(engine: DockerEngine, image: str) -> None:
    script = "while true; do head -c 20000000 /dev/zero > filler$i; i=x$i; sleep 0.1; done"
    with engine.container(make_spec(image, workspace_bytes=100 * MEGABYTE)) as container:
        ended = container.run(["sh", "-c", script], timeout_s=60)

    assert (ended.ended, ended.code) == ("workspace", 137)


def test_a_workspace_is_looked_into_though_the_command_is_silent_and_has_closed_its_output(
    engine: DockerEngine, image: str
) -> None:
    script = "exec >/dev/null 2>&1; head -c 200000000 /dev/zero > filler; sleep 60"
    with engine.container(make_spec(image, workspace_bytes=100 * MEGABYTE)) as container:
        ended = container.run(["sh", "-c", script], timeout_s=60)

    assert ended.ended == "workspace"


def test_a_workspace_that_holds_what_it_may_is_let_be(engine: DockerEngine, image: str) -> None:
    script = "head -c 50000000 /dev/zero > filler; sleep 5; echo done"
    with engine.container(make_spec(image, workspace_bytes=100 * MEGABYTE)) as container:
        ended = container.run(["sh", "-c", script], timeout_s=60)

    assert (ended.ended, ended.code, ended.output) == ("exited", 0, "done\n")


OWN_NAME = "import socket; print(socket.gethostbyname(socket.gethostname()))"
LOOPBACK = """
import socket
with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
    with socket.create_connection(server.getsockname()[:2]):
        print("connected")
"""
SHARED = "print(open('/dev/shm/made', 'wb').write(bytes(200_000_000)))"


@pytest.mark.parametrize(
    ("program", "output"),
    [
        pytest.param(OWN_NAME, "127.0.0.1\n", id="its-own-name"),
        pytest.param(
            LOOPBACK,
            "connected\n",
            id="loopback-of-ipv6",
            marks=pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this kernel has no IPv6"),
        ),
        pytest.param(SHARED, "200000000\n", id="shared-memory"),
    ],
)
def test_a_program_finds_what_every_machine_has(container: Container, program: str, output: str) -> None:
    ended = container.run(["python3", "-c", program], timeout_s=60)

    assert (ended.code, ended.output) == (0, output)


def test_a_kernel_without_ipv6_starts_containers_without_its_loopback(host: Host, owner: str, image: str) -> None:
    lacking = "net.ipv6.conf.nowhere.disable_ipv6"
    with connect(host, owner=owner, run_id=f"run-{uuid4().hex[:8]}", ipv6=lacking) as engine:
        for _ in range(2):
            with engine.container(make_spec(image)) as container:
                ended = container.run(["python3", "-c", OWN_NAME], timeout_s=30)
            assert (ended.code, ended.output) == (0, "127.0.0.1\n")


def test_a_command_gets_an_environment_and_a_folder_of_its_own(container: Container) -> None:
    script = 'echo "$COLOUR $SHAPE $PWD"'

    ended = container.run(["sh", "-c", script], env={"SHAPE": "x=y z"}, cwd=PurePosixPath("/usr"), timeout_s=30)

    assert ended.output == "blue x=y z /usr\n"


@pytest.mark.unlike_podman("POST /containers/create adds TERM and container to Env")
def test_nothing_else_is_in_the_environment(container: Container) -> None:
    ended = container.run(["env"], timeout_s=30)

    names = {line.split("=")[0] for line in ended.output.splitlines()}
    assert names == {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "HOSTNAME", "COLOUR", "LC_ALL"}


def test_a_program_that_is_not_there_is_a_failed_command(container: Container) -> None:
    ended = container.run(["no-such-program"], timeout_s=30)

    assert ended.code in {126, 127}
    assert "no-such-program" in ended.output


def test_output_is_passed_on_as_it_comes(container: Container) -> None:
    arrivals: list[tuple[float, bytes]] = []

    container.run(
        ["sh", "-c", "echo one; sleep 1; echo two"],
        timeout_s=30,
        on_output=lambda piece: arrivals.append((time.monotonic(), piece)),
    )

    assert [piece for _, piece in arrivals] == [b"one\n", b"two\n"]
    assert arrivals[1][0] - arrivals[0][0] > 0.5


def test_no_output_is_lost_when_a_command_ends_at_once(container: Container) -> None:
    with ThreadPoolExecutor(8) as threads:
        outputs = list(threads.map(lambda n: container.run(["echo", str(n)], timeout_s=60).output, range(100)))

    assert outputs == [f"{n}\n" for n in range(100)]


def test_a_flood_of_output_keeps_its_first_and_last_part(container: Container) -> None:
    passed_on = 0

    def count(piece: bytes) -> None:
        nonlocal passed_on
        passed_on += len(piece)

    ended = container.run(["sh", "-c", "echo first; yes | head -c 100000000; echo last"], timeout_s=60, on_output=count)

    assert passed_on == 100_000_000 + len("first\nlast\n")
    assert ended.truncated
    assert ended.output.startswith("first\n")
    assert ended.output.endswith("\nlast\n")
    assert "bytes left out" in ended.output
    assert len(ended.output) < OUTPUT_CAP_BYTES + 100


def test_a_command_that_only_closes_its_output_is_waited_for(container: Container) -> None:
    ended = container.run(["sh", "-c", "exec >&- 2>&-; sleep 1; exit 7"], timeout_s=30)

    assert (ended.code, ended.ended) == (7, "exited")


def test_a_process_left_behind_does_not_hold_its_command_up(container: Container) -> None:
    ended = container.run(["sh", "-c", "sleep 60 & echo done"], timeout_s=30)

    assert (ended.code, ended.output) == (0, "done\n")
    assert ended.duration_s < 20


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("sleep 60", id="silent"),
        pytest.param("trap '' TERM INT HUP; while :; do sleep 1; done", id="deaf-to-signals"),
        pytest.param("yes", id="printing"),
        pytest.param("exec >&- 2>&-; sleep 60", id="output-closed"),
    ],
)
def test_a_command_that_outlives_its_time_is_killed_with_its_container(
    engine: DockerEngine, image: str, script: str
) -> None:
    with engine.container(make_spec(image)) as container:
        ended = container.run(["sh", "-c", script], timeout_s=1)
        after = container.run(["true"], timeout_s=10)

    assert ended.ended == "timeout"
    assert 1 <= ended.duration_s < 15
    assert after.ended == "lost"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param("exec python3 -c 'bytearray(200 << 20)'", 137, id="the-command-itself"),
        pytest.param("python3 -c 'bytearray(200 << 20)'; exit 5", 5, id="a-process-of-its"),
    ],
)
def test_what_the_memory_limit_kills_is_told_apart(engine: DockerEngine, image: str, script: str, code: int) -> None:
    with engine.container(make_spec(image, memory_bytes=64 * MEGABYTE)) as container:
        ended = container.run(["sh", "-c", script], timeout_s=60)
        after = container.run(["sh", "-c", "exit 1"], timeout_s=60)

    assert (ended.code, ended.ended) == (code, "oom")
    assert (after.code, after.ended) == (1, "exited")


@pytest.mark.unlike_podman("GET /containers/…/json does not tell that the memory limit ended what fills a tmpfs")
def test_filling_tmp_beyond_the_memory_limit_kills_the_container_and_says_why(engine: DockerEngine, image: str) -> None:
    with engine.container(make_spec(image, memory_bytes=64 * MEGABYTE)) as container:
        ended = container.run(["sh", "-c", "head -c 200M /dev/zero >/tmp/full"], timeout_s=60)

    assert ended.ended == "oom"


def test_tmp_is_bounded(engine: DockerEngine, image: str) -> None:
    with engine.container(make_spec(image, tmpfs_bytes=MEGABYTE)) as container:
        ended = container.run(["sh", "-c", "head -c 2M /dev/zero >/tmp/full"], timeout_s=60)

    assert (ended.code, ended.ended) == (1, "exited")
    assert "No space left" in ended.output


def test_a_fork_bomb_ends_at_the_pids_limit_and_leaves_the_container_usable(engine: DockerEngine, image: str) -> None:
    bomb = """
import os, time
count = 0
try:
    while count < 1000:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        count += 1
except BlockingIOError:
    pass
print(count, flush=True)
os.killpg(0, 15)
"""
    with engine.container(make_spec(image, pids=50)) as container:
        ended = container.run(["python3", "-c", bomb], timeout_s=60)
        after = container.run(["echo", "well"], timeout_s=60)

    assert 30 < int(ended.output) < 50
    assert after.output == "well\n"


def test_a_container_killed_from_outside_loses_its_command(
    engine: DockerEngine, image: str, daemon: docker.DockerClient
) -> None:
    with engine.container(make_spec(image, label="to-be-killed")) as container:
        victim = daemon.containers.list(filters={"label": "wheel-factory.label=to-be-killed"})[0]
        killer = threading.Timer(0.5, victim.kill)
        killer.start()
        ended = container.run(["sh", "-c", "echo begun; sleep 60"], timeout_s=50)
        killer.join()

    assert (ended.ended, ended.output) == ("lost", "begun\n")


def test_a_container_removed_from_outside_loses_its_command_and_its_block_ends_well(
    engine: DockerEngine, image: str, daemon: docker.DockerClient
) -> None:
    with engine.container(make_spec(image, label="to-be-removed")) as container:
        victim = daemon.containers.list(filters={"label": "wheel-factory.label=to-be-removed"})[0]
        killer = threading.Timer(0.5, lambda: victim.remove(force=True, v=True))
        killer.start()
        ended = container.run(["sleep", "60"], timeout_s=50)
        killer.join()

    assert ended.ended == "lost"


def test_what_a_command_writes_to_the_main_process_fills_no_log(
    engine: DockerEngine, image: str, daemon: docker.DockerClient
) -> None:
    with engine.container(make_spec(image, label="logs")) as container:
        container.run(["sh", "-c", "yes | head -c 1000000 >/proc/1/fd/1"], timeout_s=30)
        found = daemon.containers.list(filters={"label": "wheel-factory.label=logs"})[0]

        assert found.attrs["HostConfig"]["LogConfig"]["Type"] == "none"
        assert not found.attrs["LogPath"]


def test_the_network_is_off_unless_asked_for(engine: DockerEngine, image: str) -> None:
    interfaces = {}
    for network in (False, True):
        with engine.container(make_spec(image, network=network, firewall=image)) as container:
            interfaces[network] = container.run(["ls", "/sys/class/net"], timeout_s=30).output.split()

    assert interfaces[False] == ["lo"]
    assert "eth0" in interfaces[True]


def test_several_threads_use_one_engine(engine: DockerEngine, image: str) -> None:
    def work(number: int) -> list[str]:
        with engine.container(make_spec(image, label=f"thread-{number}")) as container:
            return [container.run(["sh", "-c", f"echo {number}-{turn}"], timeout_s=120).output for turn in range(3)]

    with ThreadPoolExecutor(6) as threads:
        outputs = list(threads.map(work, range(6)))

    assert outputs == [[f"{number}-{turn}\n" for turn in range(3)] for number in range(6)]
