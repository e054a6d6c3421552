"""What answers is not an engine, and its answer never ends: within limits of bytes and time it is a sentence."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import sleep

import pytest

from factory.engine.answers import WHOLE_BYTES
from factory.engine.client import Client
from factory.engine.docker import connect
from factory.errors import EngineError
from factory.host import Host
from tests.contract.relay import with_engine

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_REFUSED = b"HTTP/1.1 500 Internal Server Error\r\n\r\n"
_VERSION = b'{"ApiVersion": "1.41"}'
_FINE = _OK + b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(_VERSION), _VERSION)
_MUCH = b"x" * (1 << 20)


@contextmanager
def answering(first: bytes, again: bytes, every_s: float, *, to: bytes = b"") -> Iterator[str]:
    """Answer every request that holds `to` without end, and others as an engine tells its version."""
    over = threading.Event()

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.sendall(first if to in client.recv(1 << 16) else _FINE)
            while not over.is_set() and first != _FINE:
                client.sendall(again)
                sleep(every_s)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "first",
    [pytest.param(_OK + b"\r\n", id="to its close"), pytest.param(_REFUSED, id="refusal")],
)
def test_an_answer_without_end_is_read_up_to_a_limit(host: Host, first: bytes) -> None:
    with answering(first, _MUCH, 0) as address, pytest.raises(EngineError) as caught:
        connect(with_engine(host, address), owner="tests", run_id="none", silence_s=20)

    limit = WHOLE_BYTES >> 20
    assert caught.value.message == (
        f"what answers at {address} is not a container engine: its answer is larger than {limit} MiB"
    )
    assert "DOCKER_HOST" in caught.value.hint


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(_OK + b"\r\n", b" ", id="body"),
        pytest.param(_OK, b"x", id="header"),
        pytest.param(_CHUNKED, b"0", id="size of a chunk"),
        pytest.param(_CHUNKED + b"ffff\r\n", b" ", id="chunk"),
    ],
)
def test_an_answer_that_drips_is_given_up(host: Host, first: bytes, again: bytes) -> None:
    """No pause in it is as long as an engine may be silent."""
    with answering(first, again, 0.2) as address, pytest.raises(EngineError) as caught:
        connect(with_engine(host, address), owner="tests", run_id="none", silence_s=1)

    assert caught.value.message == f"what answers at {address} does not end: its answer had not ended after 2 s"
    assert "DOCKER_HOST" in caught.value.hint


@pytest.mark.parametrize(
    ("first", "again", "said"),
    [
        pytest.param(_OK + b"\r\n", b'{"status":' + _MUCH, "a line of its answer is longer than 1 MiB", id="line"),
        pytest.param(_OK + b'\r\n{"status":\n', b"{}\n", "a line of its answer is not valid JSON", id="no JSON"),
        pytest.param(_REFUSED, _MUCH, "its answer is larger than 64 MiB", id="refusal"),
    ],
)
def test_lines_without_end_are_read_up_to_a_limit(host: Host, first: bytes, again: bytes, said: str) -> None:
    with answering(first, again, 0, to=b"images/create") as address:
        client = Client(with_engine(host, address), silence_s=20)
        with pytest.raises(EngineError) as caught:
            list(client.pull("registry.example/x", "sha256:0"))
        client.close()

    assert said in caught.value.message
