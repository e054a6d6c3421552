"""An engine and containers that fail under a run: how it ends, what it keeps, and that the next one completes it."""

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import docker
import pytest

from factory.engine.docker import DockerEngine
from factory.events.model import StepEnded
from factory.host import Host
from tests.contract.relay import Relay, relayed
from tests.docker.command import CP313, Command, Ran, left_behind
from tests.docker.events import events_of, has_ended, is_building, wait_for
from tests.docker.projects import make_c_project, make_slow_project

pytestmark = [pytest.mark.engine, pytest.mark.index]


@pytest.fixture
def between(host: Host, engine: DockerEngine) -> Iterator[tuple[Relay, dict[str, str]]]:
    """A relay before the engine, and the environment that leads to it."""
    engine.info()
    if not host.docker.get("DOCKER_HOST", "unix://").startswith("unix://"):
        pytest.skip("the relay stands before an engine on a Unix socket only")
    with TemporaryDirectory() as folder, relayed(host, Path(folder)) as (relay, behind):
        yield relay, dict(behind.docker)


def temporary(store: Path) -> list[str]:
    return sorted(path.name for folder in ("temp", "locks") for path in (store / folder).iterdir())


def assert_the_next_run_completes(command: Command, daemon: docker.DockerClient, *recipes: Path) -> Ran:
    """Also: with the same wheels as one that nobody disturbed, and nothing left behind."""
    ended = command.build(*recipes)
    made = command.dist
    undisturbed = command.build(*recipes, "--no-cache", "-o", "undisturbed")

    assert (ended.code, undisturbed.code) == (0, 0), ended.stderr + undisturbed.stderr
    assert made["SHA256SUMS"] == (command.folder / "undisturbed/SHA256SUMS").read_bytes()
    assert left_behind(daemon, command.owner) == set()
    assert temporary(command.store) == []
    return ended


@pytest.mark.slow
def test_an_engine_that_vanishes_ends_the_run_which_keeps_what_is_finished(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]]
) -> None:
    relay, env = between
    quick, slow = command.recipe(make_c_project("quickvanish")), command.recipe(make_slow_project("slowvanish"))
    child = command.start("build", quick, slow, "--jobs", "2", "--json", "run.json", env=env)
    wait_for(command.folder, child, has_ended("quickvanish"))
    wait_for(command.folder, child, is_building("slowvanish"))

    relay.vanish()
    ended = command.end(child)
    kept = command.wheels

    assert ended.code == 4, ended.stderr
    assert f"no container engine answers at {env['DOCKER_HOST']}" in ended.stderr
    assert "systemctl start docker" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert kept == {f"quickvanish-1.0-{CP313}.whl"}
    again = assert_the_next_run_completes(command, daemon, quick, slow)
    assert [again.records[name].status for name in ("quickvanish", "slowvanish")] == ["cached", "passed"]


@pytest.mark.slow
def test_what_an_engine_that_restarts_lost_is_built_again(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]]
) -> None:
    """A restart breaks every connection, and ends every container."""
    relay, env = between
    slow = command.recipe(make_slow_project("slowrestart"))
    child = command.start("build", slow, "--json", "run.json", env=env)
    wait_for(command.folder, child, is_building("slowrestart"))

    kill_containers(daemon, command.owner)
    relay.restart()
    ended = command.end(child)

    assert ended.code == 0, ended.stderr
    assert outcomes(command.folder, "build") == ["lost", "passed"]
    assert_the_next_run_completes(command, daemon, slow)


@pytest.mark.slow
def test_an_engine_that_refuses_connections_for_some_seconds_is_waited_for(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]]
) -> None:
    relay, env = between
    recipes = [command.recipe(make_slow_project(name)) for name in ("downone", "downtwo")]
    child = command.start("build", *recipes, "--jobs", "2", "--json", "run.json", env=env)
    wait_for(command.folder, child, is_building("downone"))
    wait_for(command.folder, child, is_building("downtwo"))

    relay.go_away()
    sleep(5)
    left = left_behind(daemon, command.owner)
    relay.come_back()
    ended = command.end(child)

    assert left, "what was cut off goes on, and is removed when the engine answers again"
    assert ended.code == 0, ended.stderr
    assert sorted(outcomes(command.folder, "build")) == ["lost", "lost", "passed", "passed"]
    assert_the_next_run_completes(command, daemon, *recipes)


@pytest.mark.slow
def test_a_slow_engine_changes_no_wheel(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]]
) -> None:
    relay, env = between
    relay.be_slow(0.2)
    recipe = command.recipe(make_c_project("patience"))

    ended = command.build(recipe, env=env)

    assert ended.code == 0, ended.stderr
    assert_the_next_run_completes(command, daemon, recipe)


@pytest.mark.slow
@pytest.mark.parametrize("request_line", [b"/containers/create?name=factory-", b"/exec/", b"/archive?"])
def test_what_an_engine_refuses_twice_is_lost_with_its_words_and_others_go_on(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]], request_line: bytes
) -> None:
    relay, env = between
    names = [f"{name}{len(request_line)}" for name in ("refused", "unharmed")]
    refused, unharmed = (command.recipe(make_c_project(name)) for name in names)
    assert command.build(command.recipe(make_c_project("warm")), "-o", "warm").code == 0
    relay.refuse(request_line, times=2)

    ended = command.build(refused, unharmed, "--jobs", "1", env=env)

    assert ended.code == 1, ended.stderr
    assert [ended.records[name].status for name in names] == ["lost", "passed"]
    assert ended.failure(names[0]).message == "the container engine refused: no space left on device"
    assert "Traceback" not in ended.stderr
    assert_the_next_run_completes(command, daemon, refused, unharmed)


@pytest.mark.slow
def test_what_an_engine_refuses_once_is_built(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]]
) -> None:
    relay, env = between
    recipe = command.recipe(make_c_project("refusedonce"))
    relay.refuse(b"/archive?", times=1)

    ended = command.build(recipe, env=env)

    assert ended.code == 0, ended.stderr
    assert_the_next_run_completes(command, daemon, recipe)


@pytest.mark.slow
def test_a_trial_that_the_engine_refuses_is_tried_again(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]]
) -> None:
    relay, env = between
    recipe = command.recipe(make_slow_project("refusedtrial"))
    child = command.start("build", recipe, "--json", "run.json", env=env)
    wait_for(command.folder, child, is_building("refusedtrial"))

    relay.refuse(b'@cp313"', times=1)
    ended = command.end(child)

    assert ended.code == 0, ended.stderr
    assert f"refusedtrial/{CP313}@cp313: lost; tried once more" in ended.stderr
    assert_the_next_run_completes(command, daemon, recipe)


def test_ctrl_c_while_the_engine_cannot_kill_at_once_is_reported_as_nothing_else(
    command: Command, daemon: docker.DockerClient, between: tuple[Relay, dict[str, str]]
) -> None:
    relay, env = between
    slow = command.recipe(make_slow_project("hardtokill"))
    child = command.start("build", slow, env=env)
    wait_for(command.folder, child, is_building("hardtokill"))

    relay.refuse(b"DELETE /v", times=4)
    child.send_signal(signal.SIGINT)
    ended = command.end(child)

    assert ended.code == 130, ended.stderr
    assert "refused" not in ended.stderr
    assert "hardtokill/" + CP313 + ": failed" not in ended.stderr
    assert left_behind(daemon, command.owner) == set()


@pytest.mark.slow
def test_a_container_that_somebody_kills_is_built_again_once(command: Command, daemon: docker.DockerClient) -> None:
    recipe = command.recipe(make_slow_project("murdered"))
    child = command.start("build", recipe, "--json", "run.json")
    for times in (1, 2):
        wait_for(command.folder, child, is_building("murdered"), times=times)
        kill_containers(daemon, command.owner)
    ended = command.end(child)

    assert ended.code == 1, ended.stderr
    assert outcomes(command.folder, "build") == ["lost", "lost"]
    assert ended.records["murdered"].status == "lost"
    assert "its container or the engine went away" in ended.stderr
    assert_the_next_run_completes(command, daemon, recipe)


IN_BUILD = "import os, sys, threading, time\nif 'bdist_wheel' in sys.argv:\n    "


@pytest.mark.slow
def test_limits_that_a_build_meets_are_named_and_others_go_on(workshop: Command, daemon: docker.DockerClient) -> None:
    recipes = [
        workshop.recipe(make_c_project("modest")),
        workshop.recipe(make_c_project("hungry", setup=f"{IN_BUILD}bytearray(300 << 20)"), build={"memory": "200MB"}),
        workshop.recipe(make_c_project("endless", setup=f"{IN_BUILD}time.sleep(60)"), build={"timeout": 2}),
        workshop.recipe(make_c_project("crowded", setup=f"{IN_BUILD}{THREADS}")),
        workshop.recipe(make_c_project("chatty", setup=f"{IN_BUILD}os.write(2, b'word ' * 30_000_000)")),
    ]

    ended = workshop.build(*recipes)

    assert ended.code == 1, ended.stderr
    statuses = {record.cell.recipe: record.status for record in ended.records.values()}
    assert statuses == {
        "modest": "passed", "hungry": "failed", "endless": "timeout", "crowded": "failed", "chatty": "passed",
    }  # fmt: skip
    assert ended.failure("hungry").message == "ran out of memory"
    assert "memory" in ended.failure("hungry").hint
    assert ended.failure("endless").message == "did not end within 2 s"
    assert "can't start new thread" in ended.failure("crowded").message
    assert "4096 processes and threads" in ended.failure("crowded").hint
    assert len(ended.log("chatty")) < 18 << 20
    assert "bytes left out" in ended.log("chatty")
    assert left_behind(daemon, workshop.owner) == set()


THREADS = "[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(9999)]"


def kill_containers(daemon: docker.DockerClient, owner: str) -> None:
    for container in daemon.containers.list(filters={"label": f"wheel-factory.owner={owner}"}):
        container.kill()


def outcomes(folder: Path, step: str) -> list[str]:
    """How each go at a step of the newest run ended."""
    return [event.outcome for event in events_of(folder) if isinstance(event, StepEnded) and event.step == step]
