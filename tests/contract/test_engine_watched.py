"""Commands that hide what they write, or attack who counts it: the limits of workspace and disk hold all the same."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import docker
import pytest
from docker.models.containers import Container as Found

from factory.engine.api import ContainerSpec, Exit
from factory.engine.disk import DiskLimits
from factory.engine.docker import DockerEngine, connect
from factory.errors import EngineError
from factory.host import Host

pytestmark = pytest.mark.engine

MEGABYTE = 1 << 20
LIMIT_BYTES = 100 * MEGABYTE
DAC_READ_SEARCH = 2  # capabilities(7): reading any file and searching any folder
FILLER = f"open('filler', 'wb').write(bytes({300 * MEGABYTE})); time.sleep(60)"

FORK_TO_THE_LIMIT = """
while True:
    try:
        if not os.fork():
            time.sleep(600)
            os._exit(0)
    except BlockingIOError:
        break
"""
STOP_WHO_COUNTS = """
if not os.fork():
    while True:
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                if open(f"/proc/{number}/comm").read().strip() in ("du", "stat", "sh", "timeout", "date"):
                    os.kill(int(number), (signal.SIGSTOP, signal.SIGKILL)[int(number) % 2])
            except OSError:
                pass
"""
LIE_FOR_WHO_COUNTS = r"""
if not os.fork():
    while True:
        for number in filter(str.isdigit, os.listdir("/proc")):
            for descriptor in (1, 2):
                try:
                    where = os.open(f"/proc/{number}/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
                    os.write(where, b"\nheld 0\nleft /work 9999999 4096 9999999 9999999\nleft / 9999999 4096 9 0\n")
                    os.close(where)
                except OSError:
                    pass
        time.sleep(0.05)
"""
CLOSE_THE_FOLDER = f"""
os.mkdir("closed")
hidden = open("closed/filler", "wb")
os.chmod("closed", 0)
hidden.write(bytes({300 * MEGABYTE}))
hidden.flush()
time.sleep(60)
"""


def make_spec(image: str, **facts: object) -> ContainerSpec:
    values: dict[str, object] = {"image": image, "label": "watched", "env": {}, "monitor": image} | facts
    return ContainerSpec(**values)  # type: ignore[arg-type] # the tests' own keywords


def python(text: str) -> list[str]:
    return ["python3", "-c", f"import os, signal, time\n{text}"]


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Engines with limits of a test's own, each a run of its own."""

    host: Host
    owner: str
    daemon: docker.DockerClient

    def ended(self, spec: ContainerSpec, command: list[str], limits: DiskLimits, *, timeout_s: float = 60) -> Exit:
        """Run one command by such an engine; nothing of it may be left."""
        run_id = f"run-{uuid4().hex[:8]}"
        with (
            connect(self.host, owner=self.owner, run_id=run_id, limits=limits) as engine,
            engine.container(spec) as container,
        ):
            ended = container.run(command, timeout_s=timeout_s)
        assert remains(self.daemon, run_id) == []
        return ended


@pytest.fixture
def runs(host: Host, owner: str, daemon: docker.DockerClient) -> Runs:
    return Runs(host=host, owner=owner, daemon=daemon)


def remains(daemon: docker.DockerClient, run_id: str) -> list[str]:
    label = f"wheel-factory.run={run_id}"
    containers = daemon.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    volumes = daemon.volumes.list(filters={"label": label})
    return [*(str(container.name) for container in containers), *(str(volume.name) for volume in volumes)]


def monitors(daemon: docker.DockerClient, owner: str) -> list[Found]:
    """The monitors of a store that run; asked for by one label, as Podman 4.3 finds nothing by two."""
    running = daemon.containers.list(filters={"label": "wheel-factory.kind=watcher"}, ignore_removed=True)
    return [found for found in running if found.labels.get("wheel-factory.owner") == owner]


def next_monitor(daemon: docker.DockerClient, owner: str, *, after: Found | None = None) -> Found:
    """Wait for a monitor that counts, and is not the one before."""
    for _ in range(600):
        for found in monitors(daemon, owner):
            if found.attrs["ExecIDs"] and (after is None or found.id != after.id):
                return found
        time.sleep(0.1)
    pytest.fail("no monitor was started within a minute")


@dataclass(frozen=True, kw_only=True)
class Disk:
    """What the engine's disk has left."""

    size_bytes: int
    files: int


@pytest.fixture
def disk(engine: DockerEngine, image: str) -> Disk:
    with engine.container(make_spec(image)) as container:
        said = container.run(["stat", "-f", "-c", "%a %S %d", "/work"], timeout_s=30).output
    blocks, block_bytes, files = map(int, said.split())
    return Disk(size_bytes=blocks * block_bytes, files=files)


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(FORK_TO_THE_LIMIT, id="forks to its limit"),
        pytest.param(STOP_WHO_COUNTS, id="stops and kills whoever could count"),
        pytest.param(LIE_FOR_WHO_COUNTS, id="writes figures to every process's output"),
        pytest.param(CLOSE_THE_FOLDER, id="closes its folder"),
    ],
)
def test_whatever_a_command_does_to_its_container_the_workspaces_limit_holds(
    engine: DockerEngine, image: str, attack: str
) -> None:
    spec = make_spec(image, workspace_bytes=LIMIT_BYTES, pids=100)
    with engine.container(spec) as container:
        ended = container.run(python(attack + FILLER), timeout_s=60)

    assert (ended.ended, ended.code) == ("workspace", 137)


@pytest.fixture
def liars(engine: DockerEngine, image: str) -> Iterator[str]:
    """An image whose programs that count all lie: what a recipe's `before-all` can make of one."""
    lies = "#!/usr/bin/python3\nprint('held 0\\nleft /work 9999999 4096 9999999 9999999\\n0\\ttotal')\n"
    programs = ("du", "stat", "date", "timeout", "sh")
    script = f"for name in {programs}:\n    path = '/usr/bin/' + name\n    os.path.lexists(path) and os.unlink(path)\n"
    script += f"    open(path, 'w').write({lies!r}); os.chmod(path, 0o755)"
    reference = f"wheel-factory/test:liars-{uuid4().hex[:8]}"
    with engine.container(make_spec(image, prepares=True)) as container:
        prepared = container.run(python(script), timeout_s=30)
        assert prepared.code == 0, prepared.output
        made = container.commit(reference=reference, labels={})
    yield made
    engine.remove_image(made)


@pytest.mark.unlike_podman("a volume gets the owner of an image's folder of the same path: POST /containers/create")
def test_programs_of_the_image_that_lie_are_not_asked(engine: DockerEngine, image: str, liars: str) -> None:
    with engine.container(make_spec(liars, monitor=image, workspace_bytes=LIMIT_BYTES)) as container:
        ended = container.run(python(FILLER), timeout_s=60)

    assert ended.ended == "workspace", ended.output


def test_many_short_commands_are_watched_too(engine: DockerEngine, image: str) -> None:
    script = f"open(str(time.time()), 'wb').write(bytes({30 * MEGABYTE})); time.sleep(0.7)"
    with engine.container(make_spec(image, workspace_bytes=LIMIT_BYTES)) as container:
        ends = [container.run(python(script), timeout_s=60).ended for _ in range(18)]

    assert ends[0] == "exited"
    assert "workspace" in ends
    assert set(ends[ends.index("workspace") + 1 :]) <= {"lost"}, "its container is dead"


def test_deleted_files_that_are_still_open_show_in_what_the_disk_has_left(runs: Runs, image: str, disk: Disk) -> None:
    hidden = (
        f"file = open('x', 'wb'); os.unlink('x'); file.write(bytes({600 * MEGABYTE})); file.flush(); time.sleep(60)"
    )
    limits = DiskLimits(reserve_bytes=disk.size_bytes - 300 * MEGABYTE)

    ended = runs.ended(make_spec(image), python(hidden), limits)

    assert ended.ended == "disk"


def test_a_root_filesystem_that_is_prepared_shows_in_what_the_disk_has_left(runs: Runs, image: str, disk: Disk) -> None:
    filling = f"open('/usr/filler', 'wb').write(bytes({600 * MEGABYTE})); time.sleep(60)"
    limits = DiskLimits(reserve_bytes=disk.size_bytes - 300 * MEGABYTE)

    ended = runs.ended(make_spec(image, prepares=True), python(filling), limits)

    assert ended.ended == "disk"


def test_files_that_hold_nothing_take_the_disks_inodes(runs: Runs, image: str, disk: Disk) -> None:
    if not disk.files:
        pytest.skip("the engine's file system makes inodes as it needs them")
    many = "for number in range(60_000): open(str(number), 'w').close()\ntime.sleep(60)"
    limits = DiskLimits(reserve_files=disk.files - 30_000)

    ended = runs.ended(make_spec(image), python(many), limits)

    assert ended.ended == "disk"


def test_a_command_of_which_nothing_is_seen_is_stopped(runs: Runs, image: str, daemon: docker.DockerClient) -> None:
    """A monitor that is paused stands for whatever keeps one from counting."""
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(
            runs.ended, make_spec(image), ["sleep", "120"], DiskLimits(unwatched_s=15), timeout_s=150
        )
        next_monitor(daemon, runs.owner).pause()
        ended = running.result()

    assert (ended.ended, ended.code) == ("unwatched", 137)


def test_a_watcher_that_dies_is_followed_by_another(runs: Runs, image: str, daemon: docker.DockerClient) -> None:
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(runs.ended, make_spec(image), ["sleep", "30"], DiskLimits(unwatched_s=25))
        first = next_monitor(daemon, runs.owner)
        first.kill()
        second = next_monitor(daemon, runs.owner, after=first)
        ended = running.result()

    assert second.id != first.id
    assert (ended.ended, ended.code) == ("exited", 0)


def test_an_engine_that_starts_no_watcher_is_at_fault_and_not_the_command(runs: Runs, image: str) -> None:
    with pytest.raises(
        EngineError, match=r"could not start the container that measures the workspace: .*no-such/image"
    ):
        runs.ended(make_spec(image, monitor="no-such/image:1"), ["sleep", "60"], DiskLimits(unwatched_s=3))


def test_a_watcher_can_read_and_do_nothing_else(
    engine: DockerEngine, image: str, daemon: docker.DockerClient, owner: str
) -> None:
    with engine.container(make_spec(image)) as container:
        container.run(["sleep", "10"], timeout_s=30)
        (monitor,) = monitors(daemon, owner)
        settings, mounts = monitor.attrs["HostConfig"], monitor.attrs["Mounts"]
        output = monitor.exec_run(["cat", "/proc/1/status"]).output

    assert isinstance(output, bytes)
    status = output.decode()
    assert monitor.attrs["Config"]["User"] == "0:0"
    assert {int(mask, 16) for mask in re.findall(r"^Cap(?:Prm|Eff|Bnd):\s*(\w+)$", status, re.MULTILINE)} == {
        1 << DAC_READ_SEARCH
    }
    assert re.search(r"^NoNewPrivs:\s*1$", status, re.MULTILINE)
    assert (settings["ReadonlyRootfs"], settings["NetworkMode"]) == (True, "none")
    assert settings["PidMode"] in ("", "private")
    assert settings["Memory"] <= 64 * MEGABYTE
    assert settings["PidsLimit"] <= 32
    assert [(mount["Destination"], mount["RW"]) for mount in mounts] == [("/work", False)]


def test_a_short_command_has_no_watcher(
    engine: DockerEngine, image: str, daemon: docker.DockerClient, owner: str
) -> None:
    with engine.container(make_spec(image)) as container:
        container.run(["true"], timeout_s=30)

        assert monitors(daemon, owner) == []


def test_the_end_of_a_run_ends_its_watchers(host: Host, owner: str, image: str, daemon: docker.DockerClient) -> None:
    run_id = f"run-{uuid4().hex[:8]}"
    with (
        connect(host, owner=owner, run_id=run_id) as engine,
        ThreadPoolExecutor(1) as threads,
        engine.container(make_spec(image)) as container,
    ):
        running = threads.submit(container.run, ["sleep", "60"], timeout_s=120)
        next_monitor(daemon, owner)
        engine.kill_run()
        ended = running.result()

    assert ended.ended == "lost"
    assert remains(daemon, run_id) == []


def test_a_container_that_may_write_nothing_has_a_workspace_that_it_cannot_write_to(
    engine: DockerEngine, image: str
) -> None:
    with engine.container(make_spec(image, workspace_bytes=0)) as container:
        ended = container.run(["sh", "-c", "touch /work/x; touch /tmp/x; sleep 3"], timeout_s=30)

    assert (ended.ended, ended.code) == ("exited", 0)
    assert "Read-only file system" in ended.output
    assert "/tmp/x" not in ended.output
