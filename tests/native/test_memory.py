"""Two processes at one key."""

import subprocess
import sys
from pathlib import Path

_ONCE = """
import sys, time
from pathlib import Path
from factory.store import Store
from tests.doubles.run import Outcome, ToyStage, make_memory

store, log, word = sys.argv[1:]

def make():
    with Path(log).open("a") as made:
        made.write(f"{word}\\n")
    time.sleep(1)
    return Outcome(word=word)

with Store.open(Path(store)) as opened:
    print("ready", flush=True)
    sys.stdin.readline()
    outcome, _ = make_memory(opened).once(ToyStage(), make)
    print(outcome.word)
"""


def test_two_processes_make_an_outcome_once(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _ONCE, str(tmp_path / "store"), str(tmp_path / "log")]
    processes = [
        subprocess.Popen(
            [*argv, word], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        for word in ("one", "two")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = {process.communicate(timeout=60)[0] for process in processes}

    (made,) = (tmp_path / "log").read_text().splitlines()
    assert told == {f"{made}\n"}
