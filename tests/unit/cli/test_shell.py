"""What `factory shell` does at a step that failed, where it cannot open a shell."""

import os
import pty
import sys
from pathlib import Path
from threading import Event

import pytest

from factory.cli.shell import _Door, _meant
from factory.failure import Failure
from factory.host import read_host
from factory.sessions.session import Stopped


@pytest.fixture
def stopped() -> Stopped:
    return Stopped(
        subject="a",
        step="build",
        failure=Failure(step="build", message="no"),
        command=("docker", "exec", "b", "sh"),
        is_running=lambda: False,
    )


def make_door(path: Path, *, is_cancelled: bool = True) -> _Door:
    cancelled = Event()
    if is_cancelled:
        cancelled.set()
    return _Door(host=read_host({"PATH": str(path)}), cancelled=cancelled, is_meant=lambda _: True)


def test_where_stdin_is_closed_the_command_is_printed(
    tmp_path: Path, stopped: Stopped, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # what Python sets where descriptor 0 is closed
    door = make_door(tmp_path)

    door.open(stopped)

    assert door.fault is None
    assert "type in a terminal: docker exec b sh" in capsys.readouterr().err


def test_where_the_container_is_gone_nobody_waits_for_it(
    tmp_path: Path, stopped: Stopped, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    make_door(tmp_path, is_cancelled=False).open(stopped)

    assert "the container is gone" in capsys.readouterr().err


def test_a_client_that_is_not_installed_is_a_fault_of_the_machine_not_of_the_cell(
    tmp_path: Path, stopped: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, terminal = pty.openpty()
    with os.fdopen(person), os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        door = make_door(tmp_path)
        door.open(stopped)

    assert door.fault is not None
    assert door.fault.message == "no shell can be opened: docker is not installed"
    assert "Docker's own client" in door.fault.hint


@pytest.mark.parametrize(
    ("interpreter", "trial", "meant"),
    [
        ("", False, {"a/cp313", "a/cp313@cp313", "a/cp313@cp314"}),
        ("", True, {"a/cp313@cp313", "a/cp313@cp314"}),
        ("cp314", False, {"a/cp313@cp314"}),
        ("cp314", True, {"a/cp313@cp314"}),
    ],
)
def test_a_build_is_not_meant_where_a_trial_is_asked_for(interpreter: str, trial: bool, meant: set[str]) -> None:
    is_meant = _meant(interpreter, trial=trial)

    assert {subject for subject in ("a/cp313", "a/cp313@cp313", "a/cp313@cp314") if is_meant(subject)} == meant
