"""One piece of work in a forked process with limits on memory and time."""

import os
import resource
import select
import signal
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, NoReturn, TypeVar

from factory.confined.bounds import MEBIBYTE, Bounds, Overrun
from factory.errors import FactoryError
from factory.system import memory_now

_T = TypeVar("_T")
_PIECE_BYTES = 1 << 16
_GRACE_S = 5
_NO_MEMORY = 3


class Child(Generic[_T]):
    """One reader, and its answer so far."""

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
        """Read what it has written, and end it where that was all, or too much."""
        piece = os.read(self.fd, _PIECE_BYTES)
        self._answer += piece
        if len(self._answer) > self.bounds.answer_bytes:
            self._late = f"returned more than {self.bounds.answer_bytes // MEBIBYTE} MiB"
        if self._late or not piece:
            self.end()

    def end_if_late(self) -> None:
        """End it when its time is up."""
        if not self.is_over and monotonic() >= self.deadline:
            self._late = f"took more than {self.bounds.wall_s:.0f} s"
            self.end()

    def end(self) -> None:
        """Kill it, and take its status; one that has ended already keeps the status that it had."""
        os.kill(self._pid, signal.SIGKILL)
        _, self._status = os.waitpid(self._pid, 0)
        os.close(self.fd)
        self.is_over = True

    def sealed(self) -> bytes:
        """Return its answer as it was written, or an Overrun that says why there is no answer."""
        import pickle  # noqa: PLC0415 -- imported while a reader works; commands without a reader do not need it

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
            return f"used more than {self.bounds.memory_bytes // MEBIBYTE} MiB of memory"
        return f"ended with code {code}" if code else ""


def wait(running: "Sequence[Child[_T]]", *others: int) -> list[int]:
    """Wait until a reader writes or is late, or another descriptor can be read; return those others that can."""
    poll = select.poll()
    for fd in (*(child.fd for child in running), *others):
        poll.register(fd, select.POLLIN)
    left_s = min(child.deadline for child in running) - monotonic()
    readable = {fd for fd, _ in poll.poll(max(0, int(left_s * 1000) + 1))}
    for child in running:
        if child.fd in readable:
            child.take()
        child.end_if_late()
    return [fd for fd in others if fd in readable]


def _work(work: Callable[[], _T], bounds: Bounds, answer: int) -> NoReturn:
    """Do the work in the forked process, write its answer, and exit before anything else of the forked program runs."""
    code = 1
    try:
        _limit(bounds)
        code = _answered(work, answer)
    finally:
        os._exit(code)


def _limit(bounds: Bounds) -> None:
    """Set this process's limits. Its parent ends it in time; the alarm ends it if its parent was killed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C reaches every process; the parent ends this one.
        signal.signal(number, signal.SIG_IGN)
    if (has_bytes := memory_now()) is not None:
        _lower(resource.RLIMIT_AS, has_bytes + bounds.memory_bytes)
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
        except MemoryError:  # Caught here, because there may be no memory left to pickle it as a value.
            return _NO_MEMORY
        except Exception as error:  # noqa: BLE001 -- it is raised again by `opened`
            sealed = pickle.dumps(_Raised(_with_traceback(error)))
    except MemoryError:
        return _NO_MEMORY
    view = memoryview(sealed)
    while view:
        view = view[os.write(answer, view) :]
    return 0  # the exit closes the pipe, so that whoever reads its end finds the status


def _with_traceback(error: Exception) -> Exception:
    """Note in an error where it was raised: a traceback is not pickled."""
    if not isinstance(error, FactoryError | OSError):
        error.add_note("".join(traceback.format_exception(error)))
    return error


@dataclass(frozen=True, slots=True)
class _Value(Generic[_T]):
    value: _T


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


def opened(sealed: bytes, _: Callable[[], _T]) -> _T | Overrun:
    """Return what some work returned, or raise what it raised."""
    import pickle  # noqa: PLC0415 -- as in `sealed`

    answer: _Value[_T] | _Raised | Overrun = pickle.loads(sealed)  # noqa: S301 -- written by a fork of this program
    if isinstance(answer, _Raised):
        raise answer.error
    return answer if isinstance(answer, Overrun) else answer.value
