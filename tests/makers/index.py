"""A package index on this machine (PEP 503), with wheels made on the fly and faults on request."""

import hashlib
import io
import ssl
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from factory.host import Host, read_host
from tests.makers.network import GARBAGE, LOOPBACK, basic, redirect, serving
from tests.makers.sources import make_sdist, member

USER, PASSWORD = "alice", "s3cr3t-word"

Fault = Literal["500", "truncated", "404", "redirect", "garbage", "silent"]

SILENCE_S = 20


def make_wheel_bytes(name: str, version: str, tag: str, requires: Sequence[str] = ()) -> bytes:
    """Make a wheel that holds one module and asks for these requirements."""
    folder = f"{name}-{version}.dist-info"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as wheel:
        wheel.writestr(f"{name}.py", "answer = 42\n")
        wheel.writestr(f"{folder}/METADATA", "\n".join(lines) + "\n")
        wheel.writestr(f"{folder}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{folder}/RECORD", "")
    return out.getvalue()


@dataclass
class Index:
    """The files that the index lists. `faults` says how the next answers to a file name go wrong, one each."""

    url: str = ""
    with_password: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    listed_sha256: dict[str, str | None] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    yanked: set[str] = field(default_factory=set)
    requires_python: dict[str, str] = field(default_factory=dict)

    @property
    def url_with_password(self) -> str:
        return self.url.replace("//", f"//{USER}:{PASSWORD}@")

    def add(self, name: str, version: str, tag: str = "py3-none-any", requires: Sequence[str] = ()) -> str:
        """List a wheel; return its file name."""
        filename = f"{name}-{version}-{tag}.whl"
        self.files[filename] = make_wheel_bytes(name, version, tag, requires)
        return filename

    def add_sdist(self, name: str, version: str, files: Mapping[str, str] | None = None) -> str:
        """List an sdist of these files; return its file name."""
        filename = f"{name}-{version}.tar.gz"
        content = {} if files is None else files
        with TemporaryDirectory() as folder:
            members = [member(f"{name}-{version}/{path}", text.encode()) for path, text in content.items()]
            self.files[filename] = make_sdist(Path(folder), members, filename).read_bytes()
        return filename

    def host(self, home: Path) -> Host:
        """Return a machine on which this index is configured."""
        url = self.url_with_password if self.with_password else self.url
        return read_host({"HOME": str(home), "PATH": "/usr/bin:/bin", "UV_DEFAULT_INDEX": f"{url}/simple/"})

    def page(self, name: str) -> bytes | None:
        """Write the index page of a project."""
        own = [filename for filename in self.files if filename.split("-")[0].replace("_", "-") == name]
        links = "".join(
            f'<a href="{self.url}/files/{file}{self._fragment(file)}"{self._attributes(file)}>{file}</a>'
            for file in own
        )
        return f"<!DOCTYPE html><html><body>{links}</body></html>".encode() if own else None

    def _attributes(self, filename: str) -> str:
        yanked = ' data-yanked="broken"' if filename in self.yanked else ""
        wanted = self.requires_python.get(filename, "").replace("<", "&lt;").replace(">", "&gt;")
        return yanked + (f' data-requires-python="{wanted}"' if wanted else "")

    def _fragment(self, filename: str) -> str:
        sha256 = self.listed_sha256.get(filename, hashlib.sha256(self.files[filename]).hexdigest())
        return f"#sha256={sha256}" if sha256 else ""


class _Handler(BaseHTTPRequestHandler):
    index: Index

    def do_GET(self) -> None:
        index = self.index
        folder, _, name = self.path.strip("/").partition("/")
        index.asked.append(name)
        faults = index.faults.get(name, [])
        fault = (faults[0] if faults[0] == "redirect" else faults.pop(0)) if faults else None
        if index.with_password and self.headers["Authorization"] != basic(USER, PASSWORD):
            self.send_error(HTTPStatus.UNAUTHORIZED)
        elif fault == "500":
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
        elif fault == "redirect":
            redirect(self)
        else:
            self._answer(index.page(name) if folder == "simple" else index.files.get(name), fault)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, body: bytes | None, fault: Fault | None) -> None:
        if fault == "silent":
            time.sleep(SILENCE_S)
        if fault == "garbage":
            self._send(GARBAGE, GARBAGE)
        elif body is None or fault == "404":
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._send(body, body[: len(body) // 2] if fault == "truncated" else body)

    def _send(self, whole: bytes, sent: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def serve_index(*, with_password: bool = False, tls: ssl.SSLContext | None = None) -> Iterator[Index]:
    """Serve an index on a free port of the loopback interface."""
    index = Index(with_password=with_password)
    with serving(type("Handler", (_Handler,), {"index": index}), address=LOOPBACK, tls=tls) as port:
        index.url = f"{'http' if tls is None else 'https'}://{LOOPBACK}:{port}"
        yield index
