"""The only module that starts processes on this machine: our own tools, never a package's code."""

import os
import select
import selectors
import shutil
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from time import monotonic, sleep
from typing import BinaryIO, cast

from factory.errors import FactoryError, Interrupted, TooMuchOutputError, TooSlowError

MOST_BYTES = 64 << 20
"""How much a tool may print unless its caller says otherwise."""

_GRACE_S = 5
_INTERRUPT_GRACE_S = 0.7  # shorter, because somebody has typed Ctrl-C and waits
_POLL_S = 0.05
_PIECE_BYTES = 1 << 16
_COMPLAINT_BYTES = 1 << 20

_lock = Lock()
_children: set[subprocess.Popen[bytes]] = set()
_ending = Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a process ended; of its stderr the first mebibyte is kept."""

    returncode: int
    stdout: bytes
    stderr: str
    duration_s: float


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout_s: float,
    stdin: bytes = b"",
    stdout: BinaryIO | None = None,
    most_bytes: int = MOST_BYTES,
) -> Completed:
    """Run a tool to its end in its own session, so that a timeout or Ctrl-C ends its children too.

    With a file as `stdout` the output goes there instead of into `Completed.stdout`, which may have `most_bytes`.

    Raises:
        FactoryError: the program or `cwd` does not exist or cannot be used.
        TooSlowError: it outlived `timeout_s`, and was ended.
        TooMuchOutputError: it printed more than `most_bytes`, and was ended.
        Interrupted: `end_all` ended it, or was called before.
    """
    started = monotonic()
    with _started(argv, env=env, cwd=cwd, stdout=stdout) as child:
        try:
            out, err = _talked(child, stdin, started + timeout_s, most_bytes)
            child.wait(started + timeout_s - monotonic())
        except subprocess.TimeoutExpired as error:
            _end([child], _GRACE_S)
            raise TooSlowError(f"{argv[0]} did not end within {timeout_s:.0f} s") from error
        except BaseException:
            _end([child], _GRACE_S)
            raise
        finally:
            is_ended = _forget(child)
    if is_ended:
        raise Interrupted("interrupted")
    return Completed(
        returncode=child.returncode,
        stdout=bytes(out),
        stderr=err.decode(errors="replace"),
        duration_s=monotonic() - started,
    )


def attach(argv: Sequence[str], *, env: Mapping[str, str]) -> int:
    """Run a program on this process's own terminal until a person ends it; return its exit code.

    Raises:
        FactoryError: the program does not exist or cannot be used.
    """
    try:
        return subprocess.run(list(argv), env=dict(env), check=False).returncode
    except OSError as error:
        raise _not_started(argv[0], env, Path(), error) from error


def _talked(child: subprocess.Popen[bytes], stdin: bytes, until: float, most_bytes: int) -> tuple[bytearray, bytearray]:
    """Write a process's input and read its output until it closes both streams; return what it printed to each.

    Raises:
        TimeoutExpired: `until` came first, by the monotonic clock.
        TooMuchOutputError: it printed more than `most_bytes`.
    """
    kept = {stream: bytearray() for stream in (child.stdout, child.stderr) if stream is not None}
    left = memoryview(stdin)
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ)
        if child.stdin is not None:
            selector.register(child.stdin, selectors.EVENT_WRITE)
        while selector.get_map():
            for key, _ in _ready(selector, child, until):
                stream = cast("BinaryIO", key.fileobj)
                if stream is child.stdin:
                    left = _fed(key.fd, left)
                    is_over = not left
                else:
                    is_over = not _taken(key.fd, kept[stream], None if stream is child.stderr else most_bytes, child)
                if is_over:
                    selector.unregister(stream)
                    with suppress(BrokenPipeError):  # A tool need not read all of its input.
                        stream.close()
    empty = bytearray()
    return (kept[child.stdout] if child.stdout else empty, kept[child.stderr] if child.stderr else empty)


def _ready(
    selector: selectors.BaseSelector, child: subprocess.Popen[bytes], until: float
) -> list[tuple[selectors.SelectorKey, int]]:
    left_s = until - monotonic()
    if left_s <= 0:
        raise subprocess.TimeoutExpired(child.args, left_s)
    return selector.select(left_s)


def _fed(pipe: int, left: memoryview) -> memoryview:
    """Write as much as a ready pipe surely takes; return the rest, or nothing where its reader is gone."""
    try:
        return left[os.write(pipe, left[: select.PIPE_BUF]) :]
    except BrokenPipeError:
        return left[:0]


def _taken(pipe: int, kept: bytearray, most_bytes: int | None, child: subprocess.Popen[bytes]) -> bool:
    """Read what a pipe holds; return whether there was anything. Of stderr (most_bytes None) keep a mebibyte."""
    piece = os.read(pipe, _PIECE_BYTES)
    if most_bytes is None:
        kept += piece[: _COMPLAINT_BYTES - len(kept)]
    else:
        kept += piece
        if len(kept) > most_bytes:
            program = cast("Sequence[str]", child.args)[0]
            raise TooMuchOutputError(f"{program} printed more than {most_bytes} bytes")
    return bool(piece)


def end_all() -> None:
    """End every process that `run` waits for, with their children, as after Ctrl-C; any thread may call it.

    None can be started afterwards.
    """
    with _lock:
        _ending.set()
        _end(_children, _INTERRUPT_GRACE_S)
        _children.clear()  # by which `_forget` knows that they were ended


def begin_again() -> None:
    """Let processes start again after `end_all`: another run begins in this process."""
    _ending.clear()


def _started(
    argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, stdout: BinaryIO | None
) -> subprocess.Popen[bytes]:
    with _lock:
        if _ending.is_set():
            raise Interrupted("interrupted")
        child = _popen(argv, env=env, cwd=cwd, stdout=stdout)
        _children.add(child)
        return child


def _forget(child: subprocess.Popen[bytes]) -> bool:
    """Take a process off the list, once `end_all` is done with it; return whether `end_all` ended it."""
    with _lock:
        if child not in _children:
            return True
        _children.remove(child)
        return False


def _popen(
    argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, stdout: BinaryIO | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [os.fspath(part) for part in argv],
            env=dict(env),
            cwd=os.fspath(cwd),
            stdin=subprocess.PIPE,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise _not_started(argv[0], env, cwd, error) from error


def _not_started(program: str | Path, env: Mapping[str, str], cwd: Path, error: OSError) -> FactoryError:
    """Say whether the program or the folder is at fault: Popen puts a folder that it cannot enter into `filename`."""
    if error.filename == os.fspath(cwd):
        return FactoryError(
            f"{program} cannot be run in {cwd}: {error.strerror}", hint="the folder must be there until the run ends"
        )
    if isinstance(error, FileNotFoundError) and shutil.which(program, path=env.get("PATH")) is None:
        return FactoryError(f"{program} is not installed", hint="run `factory doctor`")
    return FactoryError(f"{program} cannot be started: {error.strerror}", hint="install it again, or correct its mode")


def _end(children: Collection[subprocess.Popen[bytes]], grace_s: float) -> None:
    """Ask running processes, and all that they started, to end; kill those that do not within a grace period."""
    give_up = monotonic() + grace_s
    left = [child for child in children if _is_signalled(child, signal.SIGTERM)]
    while left and monotonic() < give_up:
        sleep(_POLL_S)
        # Signal 0 only asks: what a tool started may outlive it, and is to be ended, too.
        left = [child for child in left if child.poll() is None or _is_signalled(child, 0)]
    for child in left:
        _is_signalled(child, signal.SIGKILL)
    for child in children:
        child.wait()


def _is_signalled(child: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to a process and all that it started; return whether any of them still exists."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return False
    return True
