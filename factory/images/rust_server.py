"""The Rust project's server, or a mirror of it: manifests of channels, and the components that they name."""

import re
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from threading import Event
from typing import Final, TypeVar
from urllib.parse import urlsplit

import requests

from factory.catalogue import STABLE
from factory.digest import Artifact, Digest
from factory.errors import ImageError, SourceError
from factory.host import Host
from factory.images.rust_channel import MANIFEST_BYTES, Component, SilentServerError
from factory.origins import place_of
from factory.redaction import bare
from factory.store import Store
from factory.web.bodies import body
from factory.web.download import download
from factory.web.session import DEADLINE_S, attempt, open_session

T = TypeVar("T")

_SUM_BYTES: Final = 4096
_COMPONENT_BYTES: Final = 1 << 30  # ten times the largest of today
_MANIFEST_DEADLINE_S: Final = 60
_SUM = re.compile(r"(?P<sha256>[0-9a-f]{64})(\s.{0,200})?", re.DOTALL)
_ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_ANOTHER: Final = "name another server in RUSTUP_DIST_SERVER"


class RustServer:
    """The server that this machine names; each method asks it."""

    def __init__(self, host: Host, cancelled: Event, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Ask nothing yet.

        Raises:
            ImageError: this machine names none, or one that is not asked by http or https.
        """
        url = host.rust_server
        if url is None:
            raise ImageError("RUSTUP_DIST_SERVER is not set", hint="set it to the address of the Rust project's server")
        if urlsplit(url).scheme.lower() not in ("http", "https"):
            raise ImageError(
                f"RUSTUP_DIST_SERVER is {bare(url)}, not an http or https address", hint="name a server by https://"
            )
        self._host, self._root, self._cancelled = host, f"{bare(url).rstrip('/')}/dist", cancelled
        self._sleep = sleep

    @property
    def place(self) -> str:
        """Where it is, for keys: without user and password."""
        return place_of(self._root)

    def manifest(self, name: str) -> bytes:
        """Ask for the manifest of a release or of `stable`, and compare it with its sha256 beside it.

        Raises:
            ImageError: the server has no such release, or the two differ.
            SilentServerError: it or the network fails.
        """
        file = f"channel-rust-{name}.toml"
        said = self._small(f"{file}.sha256", _SUM_BYTES, name).decode(errors="replace")
        content = self._small(file, MANIFEST_BYTES, name)
        match = _SUM.fullmatch(said.strip())
        if match is None:
            raise ImageError(f"{file}.sha256 on {self._server} does not hold a sha256", hint=_ANOTHER)
        if (found := Digest.of(content)).hex != match["sha256"]:
            raise ImageError(
                f"{file} on {self._server} has {found}, and the file beside it says sha256:{match['sha256']}",
                hint=f"the server may be updating it: run again, or {_ANOTHER}",
            )
        return content

    def component(self, component: Component, store: Store) -> Artifact:
        """Download a component into the store.

        Raises:
            ImageError: the server does not have it, or it is not what the manifest says.
            SilentServerError: it or the network fails.
        """
        with store.temp_folder() as folder:
            path = folder / component.filename
            found = self._asked(component.filename, lambda session: self._downloaded(session, component, path))
            if found != component.digest:
                raise ImageError(
                    f"{component.filename} on {self._server} has {found}, and the manifest says {component.digest}",
                    hint=f"do not use it before you know which of the two is wrong; or {_ANOTHER}",
                )
            return store.put_file(path)

    def _downloaded(self, session: requests.Session, component: Component, path: Path) -> Digest:
        missing = f"{self._server} has no {component.filename}, which its manifest names"
        url = f"{self._root}/{component.place}"
        return _found(lambda: download(session, url, path, most_bytes=_COMPONENT_BYTES), missing, _ANOTHER)

    def _small(self, file: str, most_bytes: int, name: str) -> bytes:
        missing = f"{self._server} has no Rust {name}"
        hint = _ANOTHER if name == STABLE else f"is that a release? write one such as 1.89; or {_ANOTHER}"

        def ask(session: requests.Session) -> bytes:
            with closing(body(session, f"{self._root}/{file}", file, most_bytes=most_bytes)) as whole:
                return _found(lambda: b"".join(whole), missing, hint)

        return self._asked(file, ask, deadline_s=_MANIFEST_DEADLINE_S)

    def _asked(self, what: str, call: Callable[[requests.Session], T], deadline_s: float = DEADLINE_S) -> T:
        try:
            with open_session(self._host) as session:
                return attempt(
                    what,
                    lambda: call(session),
                    sleep=self._sleep,
                    cancelled=self._cancelled,
                    deadline_s=deadline_s,
                    named_in="RUSTUP_DIST_SERVER",
                )
        except SourceError as error:
            raise SilentServerError(error.message, hint=error.hint or _ANOTHER) from error

    @property
    def _server(self) -> str:
        return urlsplit(self._root).netloc


def _found(ask: Callable[[], T], missing: str, hint: str) -> T:
    try:
        return ask()
    except requests.HTTPError as error:
        if error.response is not None and error.response.status_code in _ABSENT:
            raise ImageError(missing, hint=hint) from error
        raise
