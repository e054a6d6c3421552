"""What an engine leaves behind: nothing of a dead run, whichever way it died."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import docker
import pytest

from factory.engine.api import ContainerSpec
from factory.engine.docker import DockerEngine, connect
from factory.engine.faults import UnreachableError
from factory.errors import EngineError, ImageError
from factory.host import Host
from tests.contract.relay import Relay, relayed

pytestmark = pytest.mark.engine

LEAVES_SOCKETS = pytest.mark.filterwarnings("ignore:unclosed <socket")
"""docker-py leaves a socket to the collector when it cannot connect."""


@pytest.fixture
def run_id() -> str:
    return f"run-{uuid4().hex[:8]}"


@pytest.fixture
def run(host: Host, owner: str, run_id: str, daemon: docker.DockerClient) -> Iterator[DockerEngine]:
    """A run of the test's own, after which nothing may be left."""
    with connect(host, owner=owner, run_id=run_id) as engine:
        yield engine
    assert remains(daemon, run_id) == []


def remains(daemon: docker.DockerClient, run_id: str) -> list[str]:
    label = f"wheel-factory.run={run_id}"
    containers = daemon.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    volumes = daemon.volumes.list(filters={"label": label})
    return [*(str(each.name) for each in containers), *(str(each.name) for each in volumes)]


def make_spec(image: str) -> ContainerSpec:
    return ContainerSpec(image=image, label="cell", env={})


def test_a_container_and_its_workspace_carry_owner_run_kind_and_label(
    run: DockerEngine, owner: str, run_id: str, image: str, daemon: docker.DockerClient
) -> None:
    with run.container(make_spec(image)):
        (container,) = daemon.containers.list(filters={"label": f"wheel-factory.run={run_id}"})
        (volume,) = daemon.volumes.list(filters={"label": f"wheel-factory.run={run_id}"})

        common = {"wheel-factory.owner": owner, "wheel-factory.run": run_id, "wheel-factory.label": "cell"}
        assert container.labels.items() >= (common | {"wheel-factory.kind": "container"}).items()
        assert volume.attrs["Labels"].items() >= (common | {"wheel-factory.kind": "workspace"}).items()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_a_block_that_fails_leaves_nothing(
    run: DockerEngine, run_id: str, image: str, daemon: docker.DockerClient, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        fail_in_container(run, image, error)

    assert remains(daemon, run_id) == []


def fail_in_container(run: DockerEngine, image: str, error: type[BaseException]) -> None:
    with run.container(make_spec(image)) as container:
        container.run(["touch", "x"], timeout_s=30)
        raise error


def test_an_image_that_is_not_here_is_named_and_leaves_nothing(
    run: DockerEngine, run_id: str, daemon: docker.DockerClient
) -> None:
    with (
        pytest.raises(ImageError, match="no image no-such/image:1") as caught,
        run.container(make_spec("no-such/image:1")),
    ):
        pytest.fail("a container of no image was started")

    assert caught.value.exit_code == 4
    assert remains(daemon, run_id) == []


def test_ctrl_c_while_a_command_runs_leaves_nothing(
    run: DockerEngine, run_id: str, image: str, daemon: docker.DockerClient
) -> None:
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt), run.container(make_spec(image)) as container:
        container.run(["sleep", "60"], timeout_s=60)

    assert remains(daemon, run_id) == []


def test_killing_the_run_ends_commands_of_other_threads_at_once(
    run: DockerEngine, run_id: str, image: str, daemon: docker.DockerClient
) -> None:
    running = threading.Barrier(4)

    def work() -> str:
        with run.container(make_spec(image)) as container:
            running.wait(timeout=60)
            return container.run(["sleep", "60"], timeout_s=60).ended

    with ThreadPoolExecutor(3) as threads:
        ends = [threads.submit(work) for _ in range(3)]
        running.wait(timeout=60)
        time.sleep(0.3)
        started = time.monotonic()
        run.kill_run()
        outcomes = [end.result() for end in ends]

    assert outcomes == ["lost"] * 3
    assert time.monotonic() - started < 20
    assert remains(daemon, run_id) == []


_OWNER_PROCESS = """
import sys, time
from factory.engine.api import ContainerSpec
from factory.engine.docker import connect
from factory.host import read_host
owner, run_id, image = sys.argv[1:]
with connect(read_host(), owner=owner, run_id=run_id) as engine:
    engine.fill_volume(f"{owner}-cache", [])
    with engine.container(ContainerSpec(image=image, label="cell", env={})) as container:
        print("up", flush=True)
        container.run(["sleep", "600"], timeout_s=600)
"""


@pytest.fixture
def orphaned(image: str, run_id: str, daemon: docker.DockerClient) -> Iterator[str]:
    """The owner of a run whose process was killed with kill -9."""
    owner = f"tests-{uuid4().hex[:8]}"
    argv = [sys.executable, "-c", _OWNER_PROCESS, owner, run_id, image]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
    assert len(daemon.containers.list(filters={"label": f"wheel-factory.run={run_id}"})) == 1
    yield owner
    daemon.volumes.get(f"{owner}-cache").remove()


def test_a_dead_runs_remains_are_reaped_and_only_those(
    host: Host, orphaned: str, run_id: str, daemon: docker.DockerClient
) -> None:
    with connect(host, owner="tests-somebody-else", run_id="next") as stranger:
        of_strangers = stranger.reap(lambda _: False)
    with connect(host, owner=orphaned, run_id="next") as engine:
        while_running = engine.reap(lambda run: run == run_id)
        when_dead = engine.reap(lambda _: False)
        again = engine.reap(lambda _: False)

    assert (of_strangers, while_running, when_dead, again) == (0, 0, 1, 0)
    assert remains(daemon, run_id) == []
    assert daemon.volumes.get(f"{orphaned}-cache").attrs["Labels"]["wheel-factory.kind"] == "cache"


def test_a_users_own_container_of_an_image_of_ours_is_not_reaped(
    host: Host, image: str, daemon: docker.DockerClient
) -> None:
    image_owner = daemon.images.get(image).labels["wheel-factory.owner"]
    theirs = daemon.containers.create(image, ["true"])

    with connect(host, owner=image_owner, run_id="next") as engine:
        engine.reap(lambda run: run == "session")

    theirs.remove()


def test_a_workspace_without_its_container_is_reaped(
    host: Host, owner: str, run_id: str, daemon: docker.DockerClient
) -> None:
    labels = {"wheel-factory.owner": owner, "wheel-factory.run": run_id, "wheel-factory.kind": "workspace"}
    daemon.volumes.create(f"factory-{run_id}", labels=labels)

    with connect(host, owner=owner, run_id="next") as engine:
        engine.reap(lambda run: run == "session")

    assert remains(daemon, run_id) == []


@pytest.fixture
def relay(host: Host, tmp_path: Path, engine: DockerEngine) -> Iterator[tuple[Relay, Host]]:
    engine.info()
    if not host.docker.get("DOCKER_HOST", "unix://").startswith("unix://"):
        pytest.skip("the relay stands before an engine on a Unix socket only")
    with relayed(host, tmp_path) as pair:
        yield pair


def test_an_engine_that_falls_silent_ends_a_call_in_time(relay: tuple[Relay, Host], owner: str, run_id: str) -> None:
    between, host = relay
    with connect(host, owner=owner, run_id=run_id, silence_s=2) as engine:
        between.silence()
        started = time.monotonic()
        with pytest.raises(EngineError, match="was silent for 2 s") as caught:
            engine.info()
        waited_s = time.monotonic() - started
        between.speak()

    assert 1.5 < waited_s < 10
    assert "restart" in caught.value.hint


@LEAVES_SOCKETS
@pytest.mark.parametrize("way", ["silence", "vanish"])
def test_an_engine_that_goes_away_loses_the_command(
    relay: tuple[Relay, Host], host: Host, owner: str, run_id: str, image: str, daemon: docker.DockerClient, way: str
) -> None:
    between, relayed_host = relay
    with pytest.raises(EngineError, match=r"silent|no container engine answers"):
        run_while_engine_goes(between, way, relayed_host, owner, run_id, image)
    gc.collect()
    with connect(host, owner=owner, run_id="next") as later:
        later.reap(lambda run: run == "session")

    assert remains(daemon, run_id) == []


def run_while_engine_goes(between: Relay, way: str, host: Host, owner: str, run_id: str, image: str) -> None:
    with (
        connect(host, owner=owner, run_id=run_id, silence_s=2) as engine,
        engine.container(make_spec(image)) as container,
    ):
        threading.Timer(1, getattr(between, way)).start()
        ended = container.run(["sh", "-c", "echo begun; sleep 60"], timeout_s=50)

        assert (ended.ended, ended.output) == ("lost", "begun\n")
        assert ended.duration_s < 30


@LEAVES_SOCKETS
def test_an_engine_that_restarts_is_waited_for_and_what_it_cut_off_is_removed(
    relay: tuple[Relay, Host], owner: str, run_id: str, image: str, daemon: docker.DockerClient
) -> None:
    between, host = relay
    with connect(host, owner=owner, run_id=run_id, silence_s=20) as engine:
        with engine.container(make_spec(image)) as container:
            threading.Timer(0.5, between.go_away).start()
            threading.Timer(2.5, between.come_back).start()
            ended = container.run(["sleep", "60"], timeout_s=50)
        engine.await_answer()

    gc.collect()

    assert ended.ended == "lost"
    assert remains(daemon, run_id) == []


@LEAVES_SOCKETS
def test_an_engine_that_stays_away_is_given_up_by_all_who_wait(
    relay: tuple[Relay, Host], owner: str, run_id: str
) -> None:
    between, host = relay
    errors, waited_s = waited_for_in_vain(between, host, owner, run_id)
    gc.collect()

    assert errors == {UnreachableError}
    assert 1.5 < waited_s < 8, "each waits for what is left, not for as long again"


def waited_for_in_vain(between: Relay, host: Host, owner: str, run_id: str) -> tuple[set[type], float]:
    """Let eight threads wait for an engine that stays away: what each is told, and how long all took."""
    engine = connect(host, owner=owner, run_id=run_id, silence_s=2)
    between.vanish()
    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(engine.await_answer) for _ in range(8)]
        errors = {type(each.exception()) for each in waiting}
    with suppress(UnreachableError):
        engine.__exit__(None, None, None)
    return errors, time.monotonic() - started


def test_a_container_that_a_busy_engine_could_not_kill_is_removed_a_moment_later(
    relay: tuple[Relay, Host], owner: str, run_id: str, image: str, daemon: docker.DockerClient
) -> None:
    between, host = relay
    with connect(host, owner=owner, run_id=run_id) as engine, engine.container(make_spec(image)):
        between.refuse(b"DELETE /v", times=3)
        engine.kill_run()

    assert remains(daemon, run_id) == []


def test_nobody_waits_for_a_removal_but_the_end_of_the_run(
    relay: tuple[Relay, Host], owner: str, run_id: str, image: str, daemon: docker.DockerClient
) -> None:
    between, host = relay
    with connect(host, owner=owner, run_id=run_id) as engine:
        with engine.container(make_spec(image)):
            between.refuse(b"DELETE /v", times=10)
        after_the_block = remains(daemon, run_id)

    assert len(after_the_block) == 2, "the container and its workspace"
    assert remains(daemon, run_id) == []


def test_a_command_that_fails_after_its_run_was_ended_is_lost(
    relay: tuple[Relay, Host], owner: str, run_id: str, image: str
) -> None:
    """A compiler that was killed makes the build tool that waits for it fail, with a code of its own."""
    between, host = relay
    with connect(host, owner=owner, run_id=run_id) as engine, engine.container(make_spec(image)) as container:
        between.refuse(b"DELETE /v", times=10)
        killing = threading.Timer(0.5, engine.kill_run)
        killing.start()
        ended = container.run(["sh", "-c", "sleep 1.5; exit 1"], timeout_s=50)
        killing.join()

    assert (ended.code, ended.ended) == (1, "lost")


def test_a_container_whose_creation_was_never_acknowledged_is_removed(
    relay: tuple[Relay, Host], owner: str, run_id: str, image: str, daemon: docker.DockerClient
) -> None:
    between, host = relay
    engine = connect(host, owner=owner, run_id=run_id, silence_s=2)
    between.silence_after(b"containers/create?name=factory-")
    threading.Timer(3, between.speak).start()

    with engine, pytest.raises(EngineError, match="silent"), engine.container(make_spec(image)):
        pytest.fail("the creation was acknowledged")

    assert remains(daemon, run_id) == []


def test_output_that_arrives_together_with_the_answers_header_is_kept(
    relay: tuple[Relay, Host], owner: str, run_id: str, image: str
) -> None:
    between, host = relay
    with connect(host, owner=owner, run_id=run_id) as engine, engine.container(make_spec(image)) as container:
        between.silence_after(b"/start HTTP")
        threading.Timer(1, between.speak).start()
        ended = container.run(["echo", "early"], timeout_s=30)

    assert ended.output == "early\n"
