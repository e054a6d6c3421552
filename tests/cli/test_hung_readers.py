"""Readers that hang, or take long: whoever ends the command waits for none of them, and leaves none."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.makers.wheels import NAME, make_wheel
from tests.slow_sdists import await_reader, living, write_slow_recipe

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("count", [1, 4])
def test_an_audit_whose_reader_hangs_ends_when_it_is_told_to(
    number: signal.Signals, count: int, tmp_path: Path
) -> None:
    """A named pipe that nobody writes to stands for what no limit foresees."""
    hanging = [f"hang{index}-1.0-py3-none-any.whl" for index in range(count)]
    for name in hanging:
        os.mkfifo(tmp_path / name)
    make_wheel(tmp_path)

    _assert_ends_at_once(Program(folder=tmp_path), ["audit", NAME, *hanging], number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_plan_whose_source_takes_long_to_read_ends_when_it_is_told_to(number: signal.Signals, tmp_path: Path) -> None:
    recipe = write_slow_recipe(tmp_path, tmp_path / "store")

    _assert_ends_at_once(Program(folder=tmp_path), ["plan", recipe.name], number)


def _assert_ends_at_once(factory: Program, arguments: list[str], number: signal.Signals) -> None:
    with subprocess.Popen(
        [factory.program, *arguments],
        cwd=factory.folder,
        env=factory.surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        readers = await_reader(child.pid, depth=1)
        time.sleep(0.3)
        started = time.monotonic()

        child.send_signal(number)

        _, said = child.communicate(timeout=10)
        assert time.monotonic() - started < 2
        assert (child.returncode, said.strip()) == (130, "factory: interrupted")
        assert not living(readers)
