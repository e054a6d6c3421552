"""`factory shell`: a person's terminal in the container of a step that failed."""

import os
import pty
import shlex
import signal
import subprocess
import threading
from contextlib import suppress
from io import RawIOBase
from pathlib import Path

import docker
import pytest

from tests.docker.command import CP313, Command
from tests.docker.projects import make_c_project

pytestmark = pytest.mark.engine

FAILING = {"before": ["test -e missing"]}


def containers(daemon: docker.DockerClient, command: Command) -> list[str]:
    """Return the names of the containers of a store, but for those that measure a workspace."""
    mark = f"wheel-factory.owner={command.owner}"
    names = [container.name or "" for container in daemon.containers.list(all=True, filters={"label": mark})]
    return [name for name in names if not name.startswith("factory-watcher-")]


def test_a_terminal_is_in_the_container_of_the_step_that_failed_and_nothing_stays(
    command: Command, daemon: docker.DockerClient
) -> None:
    recipe = command.recipe(make_c_project("plain"), build={**FAILING, "env": {"COLOUR": "dark blue"}})
    person, terminal = pty.openpty()
    with os.fdopen(person, "r+b", buffering=0) as screen:
        child = subprocess.Popen(
            [*command.program, "shell", CP313, recipe],
            cwd=command.folder,
            env={**os.environ, "FACTORY_STORE": str(command.store)},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        seen = read_until(screen, b"\n$ ")
        screen.write(b"id -un; pwd; echo $COLOUR; touch missing; /work/again && echo REPEATED; exit\n")
        seen += read_until(screen, b"")
        code = child.wait()

    assert code == 0, seen.decode()
    assert b"before failed: " in seen
    assert b"builder\r\n/work/source\r\ndark blue\r\n" in seen
    assert b"\nREPEATED\r\n" in seen
    assert containers(daemon, command) == []
    assert command.dist == {}
    assert not (command.folder / ".factory").exists()


def read_until(screen: RawIOBase, mark: bytes) -> bytes:
    """Read what a terminal shows until a mark; until its end where the mark is empty."""
    seen = b""
    with suppress(OSError):  # Linux says EIO where the other side was closed.
        while not (mark and seen.endswith(mark)) and (piece := screen.read(1)):
            seen += piece
    return seen


def test_without_a_terminal_the_command_is_printed_that_opens_one_in_a_failed_trial(
    command: Command, daemon: docker.DockerClient
) -> None:
    recipe = command.recipe(make_c_project("plain"), test={"run": "python -c 'raise SystemExit(7)'"})
    child = command.start("shell", f"{CP313}@cp313", recipe)
    assert child.stderr is not None
    watchdog = threading.Timer(300, child.kill)
    watchdog.start()
    lines = []
    for text in child.stderr:
        lines.append(text)
        if text.startswith("type in a terminal: "):
            break
    typed = shlex.split(lines[-1].partition(": ")[2])
    program = [word for word in typed if word not in ("--interactive", "--tty")][:-1]
    again = subprocess.run([*program, "/work/again"], capture_output=True, text=True, check=False)
    child.send_signal(signal.SIGINT)
    child.communicate()
    watchdog.cancel()

    assert again.returncode == 7, lines
    assert containers(daemon, command) == []


def test_a_terminal_without_dockers_client_is_an_error_with_a_way_out(
    command: Command, daemon: docker.DockerClient, tmp_path: Path
) -> None:
    recipe = command.recipe(make_c_project("plain"), build=FAILING)
    person, terminal = pty.openpty()
    with os.fdopen(person, "rb", buffering=0), os.fdopen(terminal, "rb", buffering=0) as stdin:
        ended = subprocess.run(
            [*command.program, "shell", CP313, recipe],
            cwd=command.folder,
            env={**os.environ, "FACTORY_STORE": str(command.store), "PATH": str(tmp_path)},
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 1, ended.stderr
    assert "factory: no shell can be opened: docker is not installed\n  hint: install Docker" in ended.stderr
    assert containers(daemon, command) == []


def test_what_a_kill_leaves_behind_is_removed_by_the_next_run_and_stdin_may_be_closed(
    command: Command, daemon: docker.DockerClient
) -> None:
    recipe = command.recipe(make_c_project("plain"), build=FAILING)
    line = ["sh", "-c", 'exec "$@" <&-', "sh", *command.program, "shell", CP313, recipe]
    env = {**os.environ, "FACTORY_STORE": str(command.store)}
    with subprocess.Popen(line, cwd=command.folder, env=env, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        seen = "".join(iter(child.stderr.readline, "Ctrl-C removes the container\n"))
        child.kill()
    left = containers(daemon, command)

    command("shell", f"{CP313}-other", recipe)

    assert "internal error" not in seen
    assert len(left) == 1
    assert containers(daemon, command) == []
    assert list((command.store / "temp").glob("*/*")) == []


def test_a_cell_that_does_not_fail_opens_no_shell(command: Command) -> None:
    recipe = command.recipe(make_c_project("plain"))

    ended = command("shell", CP313, recipe)

    assert ended.code == 2, ended.stderr
    assert "no step of the cell or its trials failed" in ended.stderr


def test_an_interpreter_on_which_a_cell_is_not_tried_is_named_with_those_on_which_it_is(command: Command) -> None:
    ended = command("shell", f"{CP313}@cp39", command.recipe(make_c_project("plain")))

    assert ended.code == 2, ended.stderr
    assert f"{CP313} is not tried on cp39" in ended.stderr
    assert "it is tried on cp313" in ended.stderr


def test_a_shell_ends_when_its_container_is_gone(command: Command, daemon: docker.DockerClient) -> None:
    recipe = command.recipe(make_c_project("plain"), build=FAILING)
    child = command.start("shell", CP313, recipe)
    assert child.stderr is not None
    watchdog = threading.Timer(300, child.kill)
    watchdog.start()
    "".join(iter(child.stderr.readline, "Ctrl-C removes the container\n"))
    (name,) = containers(daemon, command)
    daemon.containers.get(name).remove(force=True)
    _, said = child.communicate()
    watchdog.cancel()

    assert child.returncode == 0, said
    assert "the container is gone" in said


def test_a_cell_that_there_is_not_is_named_with_those_that_there_are(command: Command) -> None:
    ended = command("shell", "cp313-cp313-manylinux_2_99_x86_64", command.recipe(make_c_project("plain")))

    assert ended.code == 2, ended.stderr
    assert "there is no cell cp313-cp313-manylinux_2_99_x86_64" in ended.stderr
    assert f"hint: `factory plan` lists the cells: plain/{CP313}" in ended.stderr
    assert "--only" not in ended.stderr


def test_a_failed_run_says_what_opens_a_shell(command: Command, tmp_path: Path) -> None:
    ended = command.build(command.recipe(make_c_project("plain"), build=FAILING), "-o", tmp_path / "out")

    assert f"open a shell in its container: factory shell {CP313} {command.folder}/plain.yaml" in ended.stderr
