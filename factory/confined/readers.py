"""A process of one thread that forks readers for a program with many.

It forks a supervisor for each request, and the supervisor forks the reader. Whoever no longer wants an answer closes a
socket, and the reader is killed.
"""

import os
import select
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock
from typing import NoReturn, Self, TypeVar

from factory.confined.bounds import Bounds, Overrun, Reader
from factory.confined.child import Child, opened, wait
from factory.errors import FactoryError, Interrupted

_T = TypeVar("_T")
_PIECE_BYTES = 1 << 16
_POLL_MS = 100
_LENGTH_BYTES = 8


class Readers:
    """A process that was forked while this one had one thread, and that works for any of its threads."""

    def __init__(self) -> None:
        """Fork it.

        Raises:
            RuntimeError: this process has several threads.
        """
        if threading.active_count() > 1:
            raise RuntimeError("readers are forked before a run starts its threads")
        self._lock = Lock()
        self._server, theirs = socket.socketpair()
        if not os.fork():
            self._server.close()
            _serve(theirs)
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def until(self, cancelled: Event) -> Reader:
        """Return the reader of a run, which gives up its work when the run is ended."""
        return _RunReader(self, cancelled)

    def ask(self, request: bytes, cancelled: Event) -> bytes:
        """Send a pickled request and return its pickled answer."""
        ours, theirs = socket.socketpair()
        try:
            with ours:
                with theirs, self._lock:
                    socket.send_fds(self._server, [b"+"], [theirs.fileno()])
                _send(ours, request)
                return _receive(ours, cancelled)
        except (ConnectionError, EOFError) as error:
            if cancelled.is_set():
                raise Interrupted("interrupted") from error
            message = "the process that reads wheels and sdists ended unexpectedly"
            raise FactoryError(message, hint="run the same command again") from error


@dataclass(frozen=True, slots=True)
class _RunReader:
    readers: Readers
    cancelled: Event

    def __call__(self, work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:
        import pickle  # noqa: PLC0415 -- as in `sealed`

        return opened(self.readers.ask(pickle.dumps((work, bounds)), self.cancelled), work)


def _send(to: socket.socket, message: bytes) -> None:
    to.sendall(len(message).to_bytes(_LENGTH_BYTES))
    to.sendall(message)


def _receive(stream: socket.socket, cancelled: Event) -> bytes:
    """Receive one message.

    Raises:
        EOFError: the stream ended first.
        Interrupted: the run is being ended.
    """
    received, wanted = bytearray(), _LENGTH_BYTES
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    while len(received) < wanted:
        if cancelled.is_set():
            raise Interrupted("interrupted")
        if poll.poll(_POLL_MS):
            piece = stream.recv(_PIECE_BYTES)
            if not piece:
                raise EOFError
            received += piece
        if len(received) >= wanted == _LENGTH_BYTES:
            wanted += int.from_bytes(received[:_LENGTH_BYTES])
    return bytes(received[_LENGTH_BYTES:])


def _serve(requests: socket.socket) -> NoReturn:
    """Fork a supervisor for each request until the run closes its end of the socket, or dies."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):  # the last: nobody waits for supervisors
            signal.signal(number, signal.SIG_IGN)
        while True:
            _, fds, _, _ = socket.recv_fds(requests, 1, 1)
            if not fds:
                break
            if not os.fork():
                requests.close()
                _supervise(socket.socket(fileno=fds[0]))
            os.close(fds[0])
        code = 0
    finally:
        os._exit(code)


def _supervise(asker: socket.socket) -> NoReturn:
    import pickle  # noqa: PLC0415 -- as in `sealed`

    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        work, bounds = pickle.loads(_receive(asker, Event()))  # noqa: S301 -- this very program wrote it
        child: Child[object] = Child(work, bounds)
        while not child.is_over:
            if wait([child], asker.fileno()) and not child.is_over:
                child.end()  # whoever asked has closed the socket
        _send(asker, child.sealed())
        code = 0
    finally:
        os._exit(code)
