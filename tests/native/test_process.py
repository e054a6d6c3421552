"""Tools of ours, as real processes."""

import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from factory.errors import FactoryError, Interrupted, TooMuchOutputError
from factory.process import begin_again, end_all, run

ENV = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(autouse=True)
def _beginning() -> Iterator[None]:
    yield
    begin_again()


def test_output_and_exit_code_come_back(tmp_path: Path) -> None:
    ended = run(["sh", "-c", "echo out; echo err >&2; exit 3"], env=ENV, cwd=tmp_path, timeout_s=10)

    assert (ended.returncode, ended.stdout, ended.stderr) == (3, b"out\n", "err\n")


def test_nothing_of_the_environment_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")

    assert b"SECRET" not in run(["env"], env=ENV, cwd=tmp_path, timeout_s=10).stdout


def test_a_program_that_is_not_there_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match="no-such-program is not installed") as caught:
        run(["no-such-program"], env=ENV, cwd=tmp_path, timeout_s=10)

    assert "factory doctor" in caught.value.hint


def test_a_folder_that_is_not_there_is_not_a_program_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match=f"^sh cannot be run in {tmp_path}/absent: No such file or directory$"):
        run(["sh", "-c", ":"], env=ENV, cwd=tmp_path / "absent", timeout_s=10)


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        pytest.param("#!/bin/sh\n", 0o644, "Permission denied", id="not executable"),
        pytest.param("no program\n", 0o755, "Exec format error", id="no program"),
        pytest.param("#!/absent/sh\n", 0o755, "No such file or directory", id="interpreter missing"),
    ],
)
def test_a_program_that_is_there_but_does_not_start_says_why(
    tmp_path: Path, content: str, mode: int, said: str
) -> None:
    program = tmp_path / "program"
    program.write_text(content)
    program.chmod(mode)

    with pytest.raises(FactoryError, match=f"^{program} cannot be started: {said}$") as caught:
        run([program], env=ENV, cwd=tmp_path, timeout_s=10)

    assert caught.value.hint


def test_a_timeout_ends_grandchildren_too(tmp_path: Path) -> None:
    started = monotonic()

    with pytest.raises(FactoryError, match="did not end within 1 s"):
        run(["sh", "-c", "sleep 60 & wait"], env=ENV, cwd=tmp_path, timeout_s=1)

    assert monotonic() - started < 30


def test_end_all_ends_what_runs_in_another_thread(tmp_path: Path) -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            run(["sh", "-c", "touch started; sleep 60 & wait"], env=ENV, cwd=tmp_path, timeout_s=60)
        except Interrupted as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not (tmp_path / "started").exists():
        sleep(0.01)

    end_all()
    thread.join(timeout=30)

    assert not thread.is_alive()
    assert raised


def test_end_all_ends_what_does_not_want_to_end(tmp_path: Path) -> None:
    """All of them share one grace: what waits for it is a person who pressed Ctrl-C."""
    threads = [threading.Thread(target=_stubborn, args=(tmp_path, str(number))) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(list(tmp_path.iterdir())) < len(threads):
        sleep(0.01)

    started = monotonic()
    end_all()
    for thread in threads:
        thread.join(timeout=30)

    assert not any(thread.is_alive() for thread in threads)
    assert monotonic() - started < 4


def _stubborn(folder: Path, name: str) -> None:
    argv = ["sh", "-c", "trap '' TERM; touch $0; while :; do sleep 1; done", name]
    with pytest.raises(Interrupted):
        run(argv, env=ENV, cwd=folder, timeout_s=60)


def test_nothing_starts_after_end_all(tmp_path: Path) -> None:
    end_all()

    with pytest.raises(Interrupted):
        run(["touch", "started"], env=ENV, cwd=tmp_path, timeout_s=10)

    assert not (tmp_path / "started").exists()


def test_processes_start_again_where_another_run_begins(tmp_path: Path) -> None:
    end_all()
    begin_again()

    assert run(["true"], env=ENV, cwd=tmp_path, timeout_s=10).returncode == 0


def test_a_tool_that_prints_more_than_is_kept_is_ended(tmp_path: Path) -> None:
    started = monotonic()

    with pytest.raises(TooMuchOutputError, match="sh printed more than 1000000 bytes"):
        run(["sh", "-c", "yes & yes"], env=ENV, cwd=tmp_path, timeout_s=60, most_bytes=1_000_000)

    assert monotonic() - started < 30


def test_of_endless_complaints_the_first_are_kept(tmp_path: Path) -> None:
    ended = run(["sh", "-c", "echo first >&2; yes | head -c 9000000 >&2"], env=ENV, cwd=tmp_path, timeout_s=60)

    assert ended.stderr.startswith("first\ny\n")
    assert len(ended.stderr) == 1 << 20


def test_more_is_written_to_a_tool_than_a_pipe_holds_and_one_that_does_not_read_is_no_error(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096

    assert run(["cat"], env=ENV, cwd=tmp_path, timeout_s=60, stdin=content).stdout == content
    assert run(["true"], env=ENV, cwd=tmp_path, timeout_s=60, stdin=content).returncode == 0


def test_a_tool_that_closes_its_streams_and_stays_is_ended_in_time(tmp_path: Path) -> None:
    with pytest.raises(FactoryError, match="sh did not end within 1 s"):
        run(["sh", "-c", "exec <&- >&- 2>&-; sleep 60"], env=ENV, cwd=tmp_path, timeout_s=1)
