"""Where no engine answers: one sentence, and the command that mends it."""

import gc
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from factory.engine.docker import connect
from factory.errors import EngineError
from factory.host import Host
from tests.contract.relay import with_engine

NOBODY = 65534

# docker-py leaves a socket to the garbage collector when connecting it fails.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket")


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


@contextmanager
def unprivileged() -> Iterator[None]:
    """Drop root, whom no socket's mode stops, for as long as the block lasts."""
    user = os.geteuid()
    os.seteuid(NOBODY if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def refusal(host: Host, address: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        connect(with_engine(host, address), owner="tests", run_id="none", silence_s=2)
    gc.collect()
    return caught.value


def test_an_engine_that_is_not_there_is_named_with_the_command_that_starts_it(host: Host, tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/absent.sock"

    error = refusal(host, address)

    assert error.message == f"no container engine answers at {address}"
    assert "systemctl start docker" in error.hint
    assert error.exit_code == 4


def test_a_daemon_that_died_and_left_its_socket_does_not_answer(host: Host, tmp_path: Path) -> None:
    with listening(tmp_path / "stale.sock"):
        pass

    error = refusal(host, f"unix://{tmp_path}/stale.sock")

    assert error.message.startswith("no container engine answers")


def test_a_tcp_address_that_refuses_does_not_answer(host: Host) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    error = refusal(host, f"tcp://127.0.0.1:{port}")

    assert error.message == f"no container engine answers at tcp://127.0.0.1:{port}"


def test_a_socket_that_the_user_may_not_open_has_a_sentence_of_its_own(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "forbidden.sock"
    with listening(path):
        path.chmod(0)
        for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(0o755)

        with unprivileged():
            error = refusal(host, f"unix://{path}")

    assert error.message == f"this user may not use the container engine at unix://{path}"
    assert "usermod -aG docker" in error.hint


def test_a_socket_behind_which_nobody_speaks_is_given_up(host: Host, tmp_path: Path) -> None:
    with listening(tmp_path / "dumb.sock"):
        error = refusal(host, f"unix://{tmp_path}/dumb.sock")

    assert error.message.endswith("was silent for 2 s")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", id="another-server"),
        pytest.param(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", id="a-broken-server"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", id="another-api"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", id="a-list"),
        pytest.param(b"220 mail.example ESMTP\r\n", id="no-http"),
        pytest.param(b"", id="hangs-up"),
    ],
)
def test_something_else_on_the_socket_is_no_engine(host: Host, tmp_path: Path, answer: bytes) -> None:
    def speak(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(answer)

    with listening(tmp_path / "other.sock") as listener:
        server = threading.Thread(target=speak, args=(listener,))
        server.start()
        error = refusal(host, f"unix://{tmp_path}/other.sock")
        server.join()

    assert re.search("does not answer|refused: 500|is not a container engine", error.message)


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://", "tcp://host:port"])
def test_an_address_that_cannot_be_meant_is_named(host: Host, address: str) -> None:
    error = refusal(host, address)

    assert address in error.message
    assert "DOCKER_HOST" in error.hint


def test_an_address_is_named_without_its_password(host: Host) -> None:
    error = refusal(host, "tcp://me:s3cr3t@host:2375")

    assert "s3cr3t" not in error.message
    assert "tcp://host:2375 does not name" in error.message


def test_ssh_is_refused_with_a_way_round(host: Host) -> None:
    error = refusal(host, "ssh://me@host")

    assert "ssh -NL" in error.hint
