"""The connection to a running command, taken from the HTTP library."""

import ssl
from dataclasses import dataclass
from socket import socket
from typing import Final, Protocol, cast

import requests

from factory.engine.faults import UnreachableError

_CHUNK_BYTES: Final = 1 << 20


class _Raw(Protocol):
    _sock: socket


class _Buffered(Protocol):
    raw: _Raw

    def peek(self) -> bytes: ...


@dataclass(slots=True, kw_only=True)
class ExecStream:
    """The connection to a running command; `first` is what came together with the answer's header."""

    exec_id: str
    first: bytes
    connection: socket
    response: requests.Response

    def receive(self, timeout_s: float) -> bytes | None:
        """Return the next bytes, nothing at the end, None when nothing came in time."""
        if first := self.first:
            self.first = b""
            return first
        self.connection.settimeout(timeout_s)
        try:
            return self.connection.recv(_CHUNK_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            raise UnreachableError(f"the connection to a running command broke: {error}") from error

    def close(self) -> None:
        """Give the connection back; the command goes on."""
        self.response.close()


def take_over(exec_id: str, answer: requests.Response) -> ExecStream:
    """Take an upgraded connection from the HTTP library, with what its buffer holds already.

    Output that arrives together with the answer's header is in that buffer; docker-py ignores the buffer and loses it.
    """
    buffered = buffer_of(answer)
    connection = buffered.raw._sock  # noqa: SLF001 -- see above
    connection.setblocking(False)
    try:
        first = buffered.peek()
    except (ssl.SSLWantReadError, BlockingIOError):
        first = b""
    return ExecStream(exec_id=exec_id, first=first, connection=connection, response=answer)


def buffer_of(answer: requests.Response) -> _Buffered:
    """Return the buffer before an answer's connection; no public attribute leads there (requests 2.34, urllib3 2.8)."""
    return cast("_Buffered", answer.raw._fp.fp)  # type: ignore[union-attr] # noqa: SLF001 -- see above
