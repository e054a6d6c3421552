"""Readers that hang: a named pipe that nobody writes to stands for what no limit foresees."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.makers import NAME, make_wheel


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("others", [0, 3])
def test_an_audit_whose_reader_hangs_ends_when_it_is_told_to(
    number: signal.Signals, others: int, tmp_path: Path
) -> None:
    hanging = [f"hang{index}-1.0-py3-none-any.whl" for index in range(others + 1)]
    for name in hanging:
        os.mkfifo(tmp_path / name)
    factory = Program(folder=tmp_path)
    make_wheel(tmp_path)
    with subprocess.Popen(
        [factory.program, "audit", NAME, *hanging],
        cwd=tmp_path,
        env=factory.surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        _await_readers(child.pid)
        started = time.monotonic()

        child.send_signal(number)

        _, said = child.communicate(timeout=10)
        assert time.monotonic() - started < 2
        assert (child.returncode, said.strip()) == (130, "factory: interrupted")
        assert not _readers_of(tmp_path)


def _await_readers(pid: int) -> None:
    patience = time.monotonic() + 30
    while not _children(pid) and time.monotonic() < patience:
        time.sleep(0.02)
    time.sleep(0.3)


def _children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text()


def _readers_of(folder: Path) -> list[str]:
    """Find processes that still stand in a test's folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink() == folder:
                found.append(place.name)
        except OSError:
            continue
    return found
