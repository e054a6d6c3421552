"""An engine that can fall silent or vanish: a relay on a socket of its own before the real one."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from factory.host import Host


class Relay:
    """Passes bytes both ways until told to hold the engine's answers back, or to break every connection."""

    def __init__(self, listener: socket.socket, engine: str) -> None:
        self._listener = listener
        self._engine = engine
        self._broken = threading.Event()
        self._speaking = threading.Event()
        self._speaking.set()
        self._silencer = b""
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

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

    def vanish(self) -> None:
        """Break every connection and accept no other."""
        self._broken.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in [one for pair in self._pairs for one in pair]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

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
                    self._watch(piece if source is client else b"")
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
        if self._silencer and self._silencer in request:
            self._speaking.clear()


@contextmanager
def relayed(host: Host, folder: Path) -> Iterator[tuple[Relay, Host]]:
    """Start a relay, and name it in a host's settings in the engine's place."""
    engine = host.docker.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    path = folder / "relay.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        relay = Relay(listener, engine)
        server = threading.Thread(target=relay.serve, daemon=True)
        server.start()
        yield relay, with_engine(host, f"unix://{path}")
        relay.vanish()
        server.join()


def with_engine(host: Host, address: str) -> Host:
    """Name another engine."""
    return replace(host, docker=MappingProxyType({"DOCKER_HOST": address}))
