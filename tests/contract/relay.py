"""An engine that falls silent, is slow, refuses, restarts, vanishes, or is reached by TCP: a relay before it."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
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

    def __init__(self, listen: Callable[[], socket.socket], engine: str) -> None:
        self._listen = listen
        self._listener = listen()
        self._is_here = threading.Event()
        self._is_here.set()
        self._engine = engine
        self._broken = threading.Event()
        self._speaking = threading.Event()
        self._speaking.set()
        self._silencer = b""
        self._heard = bytearray()
        self._refused = b""
        self._refusals = 0
        self._delay_s = 0.0
        self._rewritten: tuple[bytes, bytes] = (b"", b"")
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

    def rewrite(self, answer: bytes, other: bytes) -> None:
        """Say something else of the same length wherever the engine says this."""
        self._rewritten = (answer, other.ljust(len(answer)))

    def be_slow(self, delay_s: float) -> None:
        """Hold back every piece of an answer for so long."""
        self._delay_s = delay_s

    def refuse(self, request: bytes, *, times: int = 1 << 30) -> None:
        """Answer so many such requests with 500 in the engine's place."""
        self._refused, self._refusals = request, times

    def restart(self) -> None:
        """Break every connection; others are accepted."""
        pairs, self._pairs = self._pairs, []
        for each in [one for pair in pairs for one in pair]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def go_away(self) -> None:
        """Break every connection and refuse others, until told to come back."""
        self._is_here.clear()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.restart()

    def come_back(self) -> None:
        """Accept connections again."""
        self._listener = self._listen()
        self._is_here.set()

    def vanish(self) -> None:
        """Break every connection and accept no other, ever."""
        self._broken.set()
        self.go_away()
        self._is_here.set()

    def serve(self) -> None:
        while not self._broken.is_set():
            with suppress(OSError):
                self._accept()
            self._is_here.wait()

    def _accept(self) -> None:
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
                    if source is client and self._refusals and self._refused in piece:
                        self._refusals -= 1
                        client.sendall(REFUSAL)
                        return
                    self._watch(piece if source is client else b"")
                    sleep(self._delay_s if source is engine else 0)
                    if source is engine and not self._speaking.is_set():
                        piece += self._held_back(engine)
                    if source is engine and self._rewritten[0]:
                        piece = piece.replace(*self._rewritten)
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

    def listen() -> socket.socket:
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        return listener

    with _serving(listen, host) as relay:
        yield relay, with_engine(host, f"unix://{path}")


@contextmanager
def relayed_by_tcp(host: Host, address: str = "127.0.0.1") -> Iterator[tuple[Relay, str]]:
    """Start a relay on an address of this machine, as to a daemon on another one; return it and its URL."""
    listener = socket.create_server((address, 0))
    port = listener.getsockname()[1]
    with _serving(lambda: listener, host) as relay:
        yield relay, f"tcp://{address}:{port}"


@contextmanager
def _serving(listen: Callable[[], socket.socket], host: Host) -> Iterator[Relay]:
    engine = host.docker.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    relay = Relay(listen, engine)
    server = threading.Thread(target=relay.serve, daemon=True)
    server.start()
    try:
        yield relay
    finally:
        relay.vanish()
        server.join()


def with_engine(host: Host, address: str) -> Host:
    """Name another engine."""
    return replace(host, docker=MappingProxyType({"DOCKER_HOST": address}))
