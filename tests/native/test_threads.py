"""The program that runs tests in threads, with a real interpreter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from factory.guests import program

RACE = """\
import threading
ENTERED = []
def work():
    ENTERED.append(threading.get_ident())
    assert len(ENTERED) < 2, "two threads at once"
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (packages(tmp_path) / "spam.py").write_text("import time\nSEEN = []\ntime.sleep(0.05)\n")
    (packages(tmp_path) / "race.py").write_text(RACE)
    return tmp_path / "env/bin/python"


def packages(folder: Path) -> Path:
    return next((folder / "env/lib").glob("python*/site-packages"))


def said(python: Path, *lines: str, modules: tuple[str, ...] = ("spam",)) -> tuple[int, list[str]]:
    folder = python.parents[2]
    order = {
        "folder": str(folder / "threads"),
        "threads": 4,
        "pytest": False,
        "options": [],
        "modules": modules,
        "script": "\n".join([f"cd {folder}", *lines]),
        "threaded": program("threaded.py"),
    }
    text = json.dumps(order)
    argv = [str(python), "-I", "-c", program("threads.py"), text[:20], text[20:]]
    env = {"PATH": f"{python.parent}:/usr/bin:/bin"}
    ended = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


COUNT = "import spam, threading; spam.SEEN.append(threading.get_ident()); print(len(set(spam.SEEN)) > 0)"
CASES = {
    "code": f"python -c '{COUNT}'",
    "options": f"python -I -W error -c '{COUNT}'",
    "as one word": f"python3 '-c{COUNT}'",
    "input": f"python - <<'E'\n{COUNT}\nE",
    "a file": f"echo '{COUNT}' >it.py; python it.py",
    "after a shell's own words": f"for n in 1; do cd . && python -c '{COUNT}'; done",
}


@pytest.mark.parametrize("line", CASES.values(), ids=CASES)
def test_the_code_of_python_runs_in_every_thread(python: Path, line: str) -> None:
    code, lines = said(python, line)

    assert (code, lines.count("True")) == (0, 4), lines
    assert lines[-1].startswith("note: ran in 4 threads at once: importing spam, python ")


def test_a_module_runs_in_every_thread(python: Path) -> None:
    code, lines = said(python, "python -m this")

    assert (code, lines[-1]) == (0, "note: ran in 4 threads at once: importing spam, python -m this")


def test_a_program_that_only_answers_is_the_interpreters_own(python: Path) -> None:
    code, lines = said(python, "python -V")

    assert (code, lines[0]) == (0, f"Python {sys.version.split()[0]}")


def test_what_fails_in_threads_only_fails(python: Path) -> None:
    code, lines = said(python, "python -c 'import race; race.work()'", modules=("race",))

    assert code == 1
    assert any("two threads at once" in line for line in lines)


@pytest.mark.parametrize("code", [0, 3])
def test_an_exit_code_is_kept(python: Path, code: int) -> None:
    assert said(python, f"python -c 'import sys; sys.exit({code})'")[0] == code


def test_a_module_that_nobody_can_import_was_judged_before(python: Path) -> None:
    assert said(python, "true", modules=("spam", "nowhere"))[0] == 0


def test_where_nothing_is_in_python_and_nothing_imported_nothing_ran_in_parallel(python: Path) -> None:
    assert said(python, "echo 'error: forged'", modules=()) == (
        1,
        ["| error: forged", "error: nothing ran in parallel"],
    )
