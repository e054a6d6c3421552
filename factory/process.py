"""The one module that starts processes on this machine: tools of ours, never a package's code."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from factory.errors import FactoryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a process of ours ended; `stderr` holds both streams' text unless stdout was kept apart."""

    returncode: int
    stdout: bytes
    stderr: str
    duration_s: float


def run(  # noqa: PLR0913 -- a process has this many independent facts
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout_s: float,
    stdin: bytes = b"",
    stdout: BinaryIO | None = None,
) -> Completed:
    """Run a tool to its end in its own session, so that a timeout or Ctrl-C ends its children too.

    `stdout` receives the output instead of `Completed.stdout` when a file is given.

    Raises:
        FactoryError: the program does not exist, or it outlived `timeout_s`.
    """
    started = monotonic()
    try:
        child = subprocess.Popen(
            [os.fspath(part) for part in argv],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise FactoryError(f"{argv[0]} is not installed", hint="run `factory doctor`") from error
    with child:
        try:
            out, err = child.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise FactoryError(f"{argv[0]} did not end within {timeout_s:.0f} s") from error
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    return Completed(
        returncode=child.returncode,
        stdout=out or b"",
        stderr=err.decode(errors="replace"),
        duration_s=monotonic() - started,
    )
