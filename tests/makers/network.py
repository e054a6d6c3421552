"""Servers of tests on this machine: a proxy that asks for a password, a registry of crates, a private authority."""

import base64
import hashlib
import io
import json
import select
import socket
import ssl
import tarfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from factory.process import run

LOOPBACK = "127.0.0.1"
PROXY_USER, PROXY_PASSWORD = "porter", "pr0xy-w0rd"
GARBAGE = b"<html><body>Sign in to the network of this hotel</body></html>"
TOKEN = "t0ken-of-the-registry"

CrateFault = Literal["500", "truncated", "404", "garbage", "redirect"]


def basic(user: str, password: str) -> str:
    """Write a header of Basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Keep quiet of clients that leave in the middle: some of the tests' do."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], *, address: str, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve on a free port of an address of this machine; yield the port."""
    server = _Server((address, 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Authority:
    """A private certificate authority: its certificate, and a server's that it signed."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context


def make_authority(folder: Path, *addresses: str, names: Sequence[str] = ()) -> Authority:
    """Make an authority, and a certificate of it for servers at these addresses and of these names."""
    known = [*(f"IP:{address}" for address in (LOOPBACK, *addresses)), *(f"DNS:{name}" for name in names)]
    (folder / "extensions").write_text(f"subjectAltName={','.join(known)}\nbasicConstraints=CA:FALSE\n")
    key = "-newkey rsa:2048 -nodes"
    _openssl(folder, f"req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=private-authority")
    _openssl(folder, f"req {key} -keyout server.key -out server.csr -subj /CN=server")
    sign = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions"
    _openssl(folder, f"{sign} -out server.pem")
    return Authority(folder)


def _openssl(folder: Path, command: str) -> None:
    done = run(["openssl", *command.split()], env={"PATH": "/usr/bin:/bin"}, cwd=folder, timeout_s=60)
    assert done.returncode == 0, done.stderr


@dataclass
class Proxy:
    """A proxy that asks for a user and a password; `asked` is every target that it let through."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def url(self, address: str = LOOPBACK, *, password: str = PROXY_PASSWORD) -> str:
        return f"http://{PROXY_USER}:{password}@{address}:{self.port}"


class _ProxyHandler(BaseHTTPRequestHandler):
    proxy: Proxy

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if self._may_pass():
            try:
                upstream = socket.create_connection((host.strip("[]"), int(port)), timeout=30)
            except OSError:
                self.send_error(HTTPStatus.BAD_GATEWAY)
                return
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            with upstream:
                _relay(self.connection, upstream)
            self.close_connection = True

    def do_GET(self) -> None:
        if self._may_pass():
            parts = urlsplit(self.path)
            kept = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
            upstream = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
            try:
                upstream.request(self.command, parts._replace(scheme="", netloc="").geturl(), headers=kept)
                self._pass_on(upstream.getresponse())
            except OSError:
                self.send_error(HTTPStatus.BAD_GATEWAY)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _pass_on(self, answer: HTTPResponse) -> None:
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _may_pass(self) -> bool:
        is_known = self.headers["Proxy-Authorization"] == basic(PROXY_USER, PROXY_PASSWORD)
        (self.proxy.asked if is_known else self.proxy.refused).append(self.path)
        if not is_known:
            self.send_response(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
            self.send_header("Proxy-Authenticate", "Basic realm=proxy")
            self.send_header("Content-Length", "0")
            self.end_headers()
        return is_known

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def serve_proxy(*, address: str = LOOPBACK) -> Iterator[Proxy]:
    """Serve a forward proxy, which tunnels too (RFC 9110, CONNECT)."""
    proxy = Proxy()
    with serving(type("Handler", (_ProxyHandler,), {"proxy": proxy}), address=address) as proxy.port:
        yield proxy


def _relay(client: socket.socket, upstream: socket.socket) -> None:
    ends = {client: upstream, upstream: client}
    while True:
        ready, _, _ = select.select(list(ends), [], [], 60)
        for end in ready:
            piece = end.recv(1 << 16)
            if not piece:
                return
            ends[end].sendall(piece)
        if not ready:
            return


@dataclass
class Registry:
    """A sparse registry of crates ("Registry Index" in the Cargo book).

    `faults` are kept by a part of the path that is asked for, and used up one after the other.
    """

    url: str = ""
    token: str | None = None
    crates: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[CrateFault]] = field(default_factory=dict)
    listed_sha256: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    authorizations: set[str | None] = field(default_factory=set)

    @property
    def index(self) -> str:
        return f"sparse+{self.url}/index/"

    def add(self, name: str, version: str = "1.0.0", code: str = "pub const ANSWER: u32 = 42;\n") -> None:
        """List a crate without dependencies."""
        manifest = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n'
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for path, text in (("Cargo.toml", manifest), ("src/lib.rs", code)):
                member = tarfile.TarInfo(f"{name}-{version}/{path}")
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
        self.crates[f"{name}/{version}"] = out.getvalue()

    def lock(self, name: str, dependency: str, *, source: str | None = None) -> str:
        """Write the lock of a crate that needs one of this registry."""
        version = next(crate.partition("/")[2] for crate in self.crates if crate.startswith(f"{dependency}/"))
        checksum = hashlib.sha256(self.crates[f"{dependency}/{version}"]).hexdigest()
        return (
            f'version = 4\n\n[[package]]\nname = "{dependency}"\nversion = "{version}"\n'
            f'source = "{source or self.index}"\nchecksum = "{checksum}"\n\n'
            f'[[package]]\nname = "{name}"\nversion = "1.0.0"\ndependencies = [\n "{dependency}",\n]\n'
        )

    def answer(self, path: str) -> bytes | None:
        folder, _, rest = path.strip("/").partition("/")
        if folder == "dl":
            return self.crates.get(rest.removesuffix("/download"))
        if rest == "config.json":
            return json.dumps({"dl": f"{self.url}/dl", "auth-required": self.token is not None}).encode()
        name = rest.rpartition("/")[2]
        lines = [self._line(crate) for crate in self.crates if crate.partition("/")[0] == name]
        return "\n".join(lines).encode() if lines else None

    def _line(self, crate: str) -> str:
        name, _, version = crate.partition("/")
        checksum = self.listed_sha256.get(crate) or hashlib.sha256(self.crates[crate]).hexdigest()
        listed = {"name": name, "vers": version, "deps": [], "cksum": checksum, "features": {}, "yanked": False}
        return json.dumps(listed)


class _RegistryHandler(BaseHTTPRequestHandler):
    registry: Registry

    def do_GET(self) -> None:
        registry = self.registry
        registry.asked.append(self.path)
        registry.authorizations.add(self.headers["Authorization"])
        if registry.token is not None and self.headers["Authorization"] != registry.token:
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return
        faults = next((each for name, each in registry.faults.items() if name in self.path and each), [])
        fault = (faults[0] if faults[0] == "redirect" else faults.pop(0)) if faults else None
        body = GARBAGE if fault == "garbage" else registry.answer(self.path)
        if fault == "500":
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
        elif fault == "redirect":
            redirect(self)
        elif body is None or fault == "404":
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault == "truncated" else body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def redirect(handler: BaseHTTPRequestHandler) -> None:
    """Send a client to where it is already."""
    handler.send_response(HTTPStatus.FOUND)
    handler.send_header("Location", handler.path)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@contextmanager
def serve_registry(
    *, address: str = LOOPBACK, token: str | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Registry]:
    """Serve a registry at an address of this machine."""
    registry = Registry(token=token)
    handler = type("Handler", (_RegistryHandler,), {"registry": registry})
    with serving(handler, address=address, tls=tls) as port:
        registry.url = f"{'http' if tls is None else 'https'}://{address}:{port}"
        yield registry
