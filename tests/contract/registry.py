"""A registry on loopback, with what a test does to it: other bytes under a digest, and connections that break.

It is Debian's docker-registry, unpacked from its package and started by hand. An engine trusts plain HTTP there.
"""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import Request, urlopen

import docker
import pytest

from factory.digest import Digest
from factory.pins import Pin
from tests.contract.packages import unpacked
from tests.makers.network import Authority

_CONFIGURATION = """
version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}}}
  delete: {{enabled: true}}
http: {{addr: "{address}:{port}"{tls}}}
"""
_LOOPBACK = "127.0.0.1"
_HTTPS = 443
_PIECE = 1 << 16
_MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


def find_registry() -> Path:
    """Return the registry's program, taken out of Debian's package where it is not installed."""
    if installed := shutil.which("docker-registry"):
        return Path(installed)
    return unpacked("docker-registry") / "usr/bin/docker-registry"


class Registry:
    """A running registry; names below it begin with its address."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.port = port
        self.address = f"127.0.0.1:{port}"

    def push(self, daemon: docker.DockerClient, image: str, name: str, tag: str = "1") -> Pin:
        """Serve an image of the engine's; the engine forgets that name again."""
        repository = f"{self.address}/{name}"
        daemon.images.get(image).tag(repository, tag)
        try:
            daemon.images.push(repository, tag)
        finally:
            daemon.images.remove(f"{repository}:{tag}", noprune=True)
        return Pin(repository, self._digest(name, tag), tag)

    def _digest(self, name: str, tag: str) -> Digest:
        """Ask for a manifest's digest: not every engine says what it pushed."""
        asked = Request(
            f"http://{self.address}/v2/{name}/manifests/{tag}", method="HEAD", headers={"Accept": _MANIFESTS}
        )
        with urlopen(asked) as answer:
            return Digest(answer.headers["Docker-Content-Digest"].removeprefix("sha256:"))

    def manifest(self, pin: Pin) -> Path:
        """The file of a manifest."""
        return self.blob(pin.digest)

    def blob(self, digest: Digest) -> Path:
        """The file of a blob: whoever writes there lies about its digest."""
        return self._folder / "docker/registry/v2/blobs/sha256" / digest.hex[:2] / digest.hex / "data"


@contextmanager
def served(folder: Path) -> Iterator[Registry]:
    """Start a registry, and stop it."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with _serving(folder, _LOOPBACK, port):
        yield Registry(folder, port)


@contextmanager
def served_by_https(folder: Path, address: str, authority: Authority) -> Iterator[None]:
    """Serve what the registry of a folder holds at another address of this machine, as registries are served."""
    server = authority.folder / "server.pem", authority.folder / "server.key"
    with _serving(folder, address, _HTTPS, ", tls: {{certificate: {}, key: {}}}".format(*server)):
        yield


@contextmanager
def _serving(folder: Path, address: str, port: int, tls: str = "") -> Iterator[None]:
    configuration = folder / f"registry-{port}.yml"
    configuration.write_text(_CONFIGURATION.format(folder=folder, address=address, port=port, tls=tls))
    with (folder / "registry.log").open("ab") as log:
        process = subprocess.Popen([find_registry(), "serve", configuration], stdout=log, stderr=log, cwd=folder)
        try:
            _wait_for(address, port, process)
            yield
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail("the registry did not start")


class Door:
    """A TCP relay before a registry that can be shut, or that breaks or holds back long answers."""

    def __init__(self, registry: Registry) -> None:
        self.port = free_port()
        self._target = registry.port
        self._listener: socket.socket | None = None
        self._most = -1
        self._holding = threading.Event()

    def pin(self, pin: Pin) -> Pin:
        """Name what the registry serves by way of this door."""
        _, _, name = pin.name.partition("/")
        return Pin(f"127.0.0.1:{self.port}/{name}", pin.digest, pin.tag)

    def open(self) -> None:
        """Let connections through."""
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections from now on; those that are open break with their next bytes."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self._most = 0

    def break_after(self, size_bytes: int) -> None:
        """Break every connection that has answered more than so many bytes."""
        self._most = size_bytes

    def hold(self) -> None:
        """Answer no more, and break nothing."""
        self._holding.set()

    def mend(self) -> None:
        """Let everything through again."""
        self._most = -1
        self._holding.clear()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                sink.sendall(piece)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _answer(self, source: socket.socket, sink: socket.socket) -> None:
        done = 0
        with suppress(OSError), source, sink:
            while piece := source.recv(_PIECE):
                while self._holding.is_set() and done > _PIECE:
                    time.sleep(0.05)
                done += len(piece)
                if 0 <= self._most < done:
                    break
                sink.sendall(piece)
            for each in (source, sink):  # to close is not enough while the other thread reads
                each.shutdown(socket.SHUT_RDWR)
