"""Programs of this machine that signals end: what they print, and what is said of it."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from factory.diagnoses.deaths import death

FAULTY = "def reads_nowhere():\n    import ctypes\n    ctypes.CDLL(None).strlen(None)\nreads_nowhere()\n"
MAPPED = """
import mmap, tempfile
with tempfile.TemporaryFile() as file:
    file.truncate(1 << 20)
    with mmap.mmap(file.fileno(), 1 << 20) as mapped:
        file.truncate(0)
        mapped[0]
"""


def by_shell(*argv: str) -> tuple[int, str]:
    """Run a program as a trial's test does: from a shell that ends with its code."""
    done = subprocess.run(
        ["sh", "-ec", 'ulimit -c 0; "$@"; true', "sh", *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_segmentation_fault_names_the_function_that_python_was_in(tmp_path: Path) -> None:
    program = tmp_path / "test_it.py"
    program.write_text(FAULTY)

    found = death(*by_shell(sys.executable, "-X", "faulthandler", str(program)))

    assert found is not None
    assert found.sentence == f"was ended by SIGSEGV, a segmentation fault, in reads_nowhere ({program}:3)"


def test_a_mapped_file_that_lost_its_end_is_a_bus_error_with_what_helps() -> None:
    found = death(*by_shell(sys.executable, "-c", MAPPED))

    assert found is not None
    assert found.sentence == "was ended by SIGBUS, a bus error"
    assert "build: {memory: …}" in found.hint


def pid_of(program: str, parent: int) -> int:
    """Wait for a child of a process to be this program; return its id."""
    give_up = monotonic() + 30
    while monotonic() < give_up:
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            with suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text().strip() == program:
                    return int(child)
        sleep(0.01)
    raise AssertionError(f"{parent} did not start {program}")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_a_compiler_whose_own_program_was_ended_is_told_from_an_error_in_the_code(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "endless.c")
    argv = ["gcc", "-c", "endless.c"]
    with subprocess.Popen(
        argv, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"}
    ) as gcc:
        os.kill(pid_of("cc1", gcc.pid), signal.SIGKILL)
        said = gcc.communicate()[1]

    found = death(gcc.returncode, said)
    assert found is not None, said
    assert found.sentence == "the compiler's cc1 was ended by SIGKILL"
