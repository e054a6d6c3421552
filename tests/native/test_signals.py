"""What a signal does to a program whose main thread is busy."""

import signal
import subprocess
import sys
from time import sleep

import pytest

BUSY = """
import sys
from time import monotonic
from factory.cli.signals import handled_signals

with handled_signals() as signals:
    print("ready", flush=True)
    while not signals.cancelled.is_set() or "deaf" in sys.argv:
        pass
print("ended in order", flush=True)
"""


def busy(*arguments: str) -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [sys.executable, "-c", BUSY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_asks_and_one_that_comes_with_it_is_the_same(number: signal.Signals) -> None:
    child = busy()

    child.send_signal(number)
    child.send_signal(number)

    assert child.communicate(timeout=60) == ("ended in order\n", "")
    assert child.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(number: signal.Signals) -> None:
    child = busy("deaf")
    child.send_signal(number)
    sleep(1)
    assert child.poll() is None

    child.send_signal(number)
    said, errors = child.communicate(timeout=60)

    assert (child.returncode, said) == (130, "")
    assert errors == "factory: interrupted twice, stopped at once. The next run cleans up.\n"
