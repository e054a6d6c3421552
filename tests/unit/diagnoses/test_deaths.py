"""What a command died of, by its code and by what it printed."""

import pytest

from factory.diagnoses.deaths import death

CHILD = "subprocess.CalledProcessError: Command '['meson', 'compile']' died with <Signals.SIGSEGV: 11>."


@pytest.mark.parametrize(
    ("code", "output", "sentence"),
    [
        pytest.param(139, "fine so far\n", "was ended by SIGSEGV, a segmentation fault", id="a segmentation fault"),
        pytest.param(134, "terminate called\n", "was ended by SIGABRT, its own abort", id="an abort"),
        pytest.param(137, "", "was ended by SIGKILL", id="killed"),
        pytest.param(
            1, f"x\n{CHILD}\n", "a program that it ran was ended by SIGSEGV, a segmentation fault", id="child"
        ),
    ],
)
def test_a_signal_is_named(code: int, output: str, sentence: str) -> None:
    found = death(code, output)

    assert found is not None
    assert found.sentence == sentence


@pytest.mark.parametrize(
    ("code", "output"),
    [
        pytest.param(1, "error: no\n", id="a failure"),
        pytest.param(127, "sh: 1: x: not found\n", id="a program that is not there"),
        pytest.param(128, "fatal: not a git repository\n", id="git's own code"),
        pytest.param(255, "", id="the highest code"),
        pytest.param(1, f"{CHILD}\ntest_crash passed\n1 failed\n", id="a child that was to end so"),
        pytest.param(1, "Segmentation fault\nAssertionError: 1 != 2\n", id="a word that is only printed"),
    ],
)
def test_a_command_that_ended_by_itself_died_of_nothing(code: int, output: str) -> None:
    assert death(code, output) is None
