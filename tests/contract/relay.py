"""An engine that falls silent, is slow, refuses, restarts, vanishes, or is reached by TCP: a relay before it."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import sleep
from types import MappingProxyType

from factory.host import Host

_SAID = b'{"message": "no space left on device"}'
REFUSAL = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_SAID),
    _SAID,
)


class Relay:
    """Passes bytes both ways until told to hold the engine's answers back, to forge one, or to break connections."""

    def __init__(self, listener: socket.socket, engine: str) -> None:
        self._listener = listener
        self._engine = engine
        self._broken = threading.Event()
        self._speaking = threading.Event()
        self._speaking.set()
        self._silencer = b""
        self._heard = bytearray()
        self._refused = b""
        self._delay_s = 0.0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    @property
    def heard(self) -> bytes:
        """Everything that was asked of the engine, as it went over the wire."""
        return bytes(self._heard)

    def silence(self) -> None:
        """Hold back every answer from now on."""
        self._speaking.clear()

    def silence_after(self, request: bytes) -> None:
        """Pass the next such request on, and hold back every answer from then on."""
        self._silencer = request

    def speak(self) -> None:
        """Answer again."""
        self._silencer = b""
        self._speaking.set()

    def be_slow(self, delay_s: float) -> None:
        """Hold back every piece of an answer for so long."""
        self._delay_s = delay_s

    def refuse(self, request: bytes) -> None:
        """Answer every such request with 500 in the engine's place; none refuses nothing."""
        self._refused = request

    def restart(self) -> None:
        """Break every connection; others are accepted."""
        pairs, self._pairs = self._pairs, []
        for each in [one for pair in pairs for one in pair]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def vanish(self) -> None:
        """Break every connection and accept no other."""
        self._broken.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.restart()

    def serve(self) -> None:
        with suppress(OSError):
            while not self._broken.is_set():
                client, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._engine)
                self._pairs.append((client, engine))
                threading.Thread(target=self._pass, args=(client, engine), daemon=True).start()

    def _pass(self, client: socket.socket, engine: socket.socket) -> None:
        with client, engine, selectors.DefaultSelector() as ready, suppress(OSError):
            ready.register(client, selectors.EVENT_READ, engine)
            ready.register(engine, selectors.EVENT_READ, client)
            while not self._broken.is_set():
                for key, _ in ready.select(timeout=0.2):
                    source = client if key.data is engine else engine
                    piece = source.recv(1 << 16)
                    if not piece:
                        return
                    if source is client and self._refused and self._refused in piece:
                        client.sendall(REFUSAL)
                        return
                    self._watch(piece if source is client else b"")
                    sleep(self._delay_s if source is engine else 0)
                    if source is engine and not self._speaking.is_set():
                        piece += self._held_back(engine)
                    key.data.sendall(piece)

    def _held_back(self, engine: socket.socket) -> bytes:
        """Wait until the engine may speak again; return what it said meanwhile, to be sent in one piece."""
        while not self._speaking.wait(timeout=0.1):
            if self._broken.is_set():
                return b""
        with suppress(BlockingIOError):
            return engine.recv(1 << 16, socket.MSG_DONTWAIT)
        return b""

    def _watch(self, request: bytes) -> None:
        self._heard += request
        if self._silencer and self._silencer in request:
            self._speaking.clear()


@contextmanager
def relayed(host: Host, folder: Path) -> Iterator[tuple[Relay, Host]]:
    """Start a relay, and name it in a host's settings in the engine's place."""
    path = folder / "relay.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with _serving(listener, host) as relay:
            yield relay, with_engine(host, f"unix://{path}")


@contextmanager
def relayed_by_tcp(host: Host) -> Iterator[tuple[Relay, str]]:
    """Start a relay on loopback, as to a daemon on another machine; return it and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener, _serving(listener, host) as relay:
        yield relay, f"tcp://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def _serving(listener: socket.socket, host: Host) -> Iterator[Relay]:
    engine = host.docker.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    relay = Relay(listener, engine)
    server = threading.Thread(target=relay.serve, daemon=True)
    server.start()
    yield relay
    relay.vanish()
    server.join()


def with_engine(host: Host, address: str) -> Host:
    """Name another engine."""
    return replace(host, docker=MappingProxyType({"DOCKER_HOST": address}))
