"""Reading strangers' files in a process of its own, with limits on memory and time, whose end is a value.

A reader is forked, so that it begins with everything loaded and costs milliseconds. A process with several threads must
not be forked: a run forks `Readers` before it starts any. That process forks a supervisor for each request, and the
supervisor the reader. Whoever wants an answer no more closes a socket, and the reader is killed.
"""

import os
import resource
import select
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from types import FrameType
from typing import Generic, NoReturn, Protocol, Self, TypeVar

from factory.errors import FactoryError, Interrupted

_T = TypeVar("_T")
_MEBIBYTE = 1 << 20
_PIECE_BYTES = 1 << 16
_POLL_MS = 100
_GRACE_S = 5
_LENGTH_BYTES = 8
_NO_MEMORY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a reader may take: memory beyond what it begins with, seconds, and how much it may answer."""

    memory_bytes: int = 1 << 30
    cpu_s: int = 30
    wall_s: float = 210.0
    answer_bytes: int = 1 << 28

    @classmethod
    def of(cls, size_bytes: int) -> Self:
        """Return what is enough for any honest archive of a size: it is mapped, and its largest member is held."""
        cpu_s = 30 + size_bytes // _MEBIBYTE
        memory_bytes = (1 << 30) + size_bytes + min(50 * size_bytes, 2 << 30)
        return cls(memory_bytes=memory_bytes, cpu_s=cpu_s, wall_s=60.0 + 5 * cpu_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """What became of a reader that did not come to its end; `reason` is a clause, such as `took more than 30 s`."""

    reason: str


class Reader(Protocol):
    """Carries work out in a process of its own. What the work raises is raised here."""

    def __call__(self, work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:
        """Return the work's value, or why there is none.

        Raises:
            Interrupted: the run is being ended.
        """
        ...


def confined(work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:
    """Carry work out in a forked process. The caller's process must have one thread."""
    (outcome,) = confined_all([(work, bounds)], workers=1)
    return outcome


def confined_all(works: Sequence[tuple[Callable[[], _T], Bounds]], *, workers: int) -> list[_T | Overrun]:
    """Carry several pieces of work out, so many at once, and return what became of each, in their order."""
    children: list[_Child[_T]] = []
    running: list[_Child[_T]] = []
    with _term_raised():
        try:
            while running or len(children) < len(works):
                while len(running) < workers and len(children) < len(works):
                    children.append(_Child(*works[len(children)]))
                    running.append(children[-1])
                _wait(running)
                running = [child for child in running if not child.is_over]
        finally:
            for child in running:
                child.end()
    return [_opened(child.sealed(), work) for child, (work, _) in zip(children, works, strict=True)]


@contextmanager
def _term_raised() -> Iterator[None]:
    """Let SIGTERM raise where nothing handles it: its default would end this process and leave its readers behind."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


class _Child(Generic[_T]):
    """One reader, and what it said so far."""

    def __init__(self, work: Callable[[], _T], bounds: Bounds) -> None:
        self.bounds = bounds
        self.deadline = monotonic() + bounds.wall_s
        self.is_over = False
        self._answer = bytearray()
        self._late = ""
        self._status = 0
        self.fd, theirs = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            _work(work, bounds, theirs)
        os.close(theirs)

    def take(self) -> None:
        """Take in what it says, and end it where that was all, or too much."""
        piece = os.read(self.fd, _PIECE_BYTES)
        self._answer += piece
        if len(self._answer) > self.bounds.answer_bytes:
            self._late = f"returned more than {self.bounds.answer_bytes // _MEBIBYTE} MiB"
        if self._late or not piece:
            self.end()

    def end_if_late(self) -> None:
        """End it when its time is over."""
        if not self.is_over and monotonic() >= self.deadline:
            self._late = f"took more than {self.bounds.wall_s:.0f} s"
            self.end()

    def end(self) -> None:
        """Make it end unless it has, and take its status: one that has ended keeps the status that it had."""
        os.kill(self._pid, signal.SIGKILL)
        _, self._status = os.waitpid(self._pid, 0)
        os.close(self.fd)
        self.is_over = True

    def sealed(self) -> bytes:
        """Return its answer as it was written, or one that says why there is none."""
        import pickle  # noqa: PLC0415 -- loaded while a reader works, and not by commands without one

        reason = self._late or self._fault()
        return pickle.dumps(Overrun(reason=reason)) if reason else bytes(self._answer)

    def _fault(self) -> str:
        if os.WIFSIGNALED(self._status):
            number = os.WTERMSIG(self._status)
            if number == signal.SIGXCPU:
                return f"used more than {self.bounds.cpu_s} s of CPU time"
            return f"crashed ({signal.Signals(number).name})"
        code = os.WEXITSTATUS(self._status)
        if code == _NO_MEMORY:
            return f"used more than {self.bounds.memory_bytes // _MEBIBYTE} MiB of memory"
        return f"ended with code {code}" if code else ""


def _wait(running: "Sequence[_Child[_T]]", *others: int) -> list[int]:
    """Wait until a reader says something or is late, or there is something to read elsewhere; return where."""
    poll = select.poll()
    for fd in (*(child.fd for child in running), *others):
        poll.register(fd, select.POLLIN)
    left_s = min(child.deadline for child in running) - monotonic()
    said = {fd for fd, _ in poll.poll(max(0, int(left_s * 1000) + 1))}
    for child in running:
        if child.fd in said:
            child.take()
        child.end_if_late()
    return [fd for fd in others if fd in said]


def _work(work: Callable[[], _T], bounds: Bounds, answer: int) -> NoReturn:
    """Do the work in the forked process, write its answer, and end without another step of the forked program."""
    code = 1
    try:
        _limit(bounds)
        code = _answered(work, answer)
    finally:
        os._exit(code)


def _limit(bounds: Bounds) -> None:
    """Set this process's limits. Its parent ends it in time; the alarm is for one whose parent was killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    begins_with = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, begins_with + bounds.memory_bytes)
    _lower(resource.RLIMIT_CPU, bounds.cpu_s, _GRACE_S)
    _lower(resource.RLIMIT_CORE, 0)
    signal.alarm(int(bounds.wall_s) + _GRACE_S)


def _lower(what: int, most: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(what)
    top = most + grace if hard == resource.RLIM_INFINITY else min(most + grace, hard)
    resource.setrlimit(what, (min(most, top), top))


def _answered(work: Callable[[], _T], answer: int) -> int:
    import pickle  # noqa: PLC0415 -- as in `sealed`

    try:
        try:
            sealed = pickle.dumps(_Value(work()))
        except MemoryError:
            return _NO_MEMORY
        except Exception as error:  # noqa: BLE001 -- it is raised again, where the answer is opened
            sealed = pickle.dumps(_Raised(_told(error)))
    except MemoryError:
        return _NO_MEMORY
    view = memoryview(sealed)
    while view:
        view = view[os.write(answer, view) :]
    return 0  # the pipe is closed by the exit, so that its end comes with a status


def _told(error: Exception) -> Exception:
    """Return an error with where it was raised: a traceback does not cross processes."""
    if not isinstance(error, FactoryError | OSError):
        error.add_note("".join(traceback.format_exception(error)))
    return error


@dataclass(frozen=True, slots=True)
class _Value(Generic[_T]):
    value: _T


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


def _opened(sealed: bytes, _: Callable[[], _T]) -> _T | Overrun:
    """Return what some work returned, or raise what it raised."""
    import pickle  # noqa: PLC0415 -- as in `sealed`

    answer: _Value[_T] | _Raised | Overrun = pickle.loads(sealed)  # noqa: S301 -- written by a fork of this program
    if isinstance(answer, _Raised):
        raise answer.error
    return answer if isinstance(answer, Overrun) else answer.value


class Readers:
    """A process that was forked while this one had one thread, and that carries work out for any of its threads."""

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
        """Return the reader of a run, which gives work up when the run is being ended."""
        return _RunReader(self, cancelled)

    def ask(self, request: bytes, cancelled: Event) -> bytes:
        """Hand a request over and return its answer, both as they are written."""
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
            raise FactoryError(message, hint="type the same command again") from error


@dataclass(frozen=True, slots=True)
class _RunReader:
    readers: Readers
    cancelled: Event

    def __call__(self, work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:
        import pickle  # noqa: PLC0415 -- as in `sealed`

        return _opened(self.readers.ask(pickle.dumps((work, bounds)), self.cancelled), work)


def _send(to: socket.socket, message: bytes) -> None:
    to.sendall(len(message).to_bytes(_LENGTH_BYTES))
    to.sendall(message)


def _receive(stream: socket.socket, cancelled: Event) -> bytes:
    """Receive one message.

    Raises:
        EOFError: it ends before.
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
    """Fork a supervisor for each request until the run closes its end, or is gone."""
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
        child: _Child[object] = _Child(work, bounds)
        while not child.is_over:
            if _wait([child], asker.fileno()) and not child.is_over:
                child.end()  # nobody waits for its answer any more
        _send(asker, child.sealed())
        code = 0
    finally:
        os._exit(code)
