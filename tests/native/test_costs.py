"""What imports cost, measured by the program itself in real environments."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from factory.guests import program
from factory.trials.costs import ImportCost, costs_in

BIG = "import mmap\nKEPT = mmap.mmap(-1, 1 << 25)\n"


@pytest.fixture
def pythons(tmp_path: Path) -> dict[str, str]:
    made = {}
    for name, text in (("new", BIG), ("old", "print('cost: new spam 1 1')\n")):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / name], check=True)
        packages = next((tmp_path / name / "lib").glob("python*/site-packages"))
        (packages / "spam.py").write_text(text)
        (packages / "bad.py").write_text("raise SystemExit(3)\n")
        made[name] = str(tmp_path / name / "bin/python")
    return made


def measured(pythons: dict[str, str], *modules: str, prepare: tuple[list[str], ...] = ()) -> list[str]:
    order = {"modules": modules, "pythons": pythons, "prepare": prepare, "times": 3, "seconds": 60}
    argv = [pythons["new"], "-I", "-c", program("costs.py"), json.dumps(order)]
    ended = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_a_module_that_maps_more_than_the_older_one_is_told_and_one_that_cannot_be_imported_left_out(
    pythons: dict[str, str],
) -> None:
    lines = measured(pythons, "spam", "bad", "nowhere")

    (cost,) = costs_in(lines)
    assert (cost.module, cost.is_larger) == ("spam", True)
    assert cost.mapped_bytes >= 1 << 25
    assert cost.old_mapped_bytes is not None
    assert cost.old_mapped_bytes < 1 << 24


def test_the_same_module_maps_no_more(pythons: dict[str, str]) -> None:
    (cost,) = costs_in(measured({"new": pythons["new"], "old": pythons["new"]}, "spam"))

    assert not cost.is_larger


def test_an_older_wheel_that_cannot_be_installed_is_left_out(pythons: dict[str, str]) -> None:
    lines = measured(pythons, "spam", prepare=(["true"], ["false"]))

    assert lines[0].startswith("note: the older release's wheel cannot be installed")
    assert [cost.old_seconds for cost in costs_in(lines)] == [None]


def test_lines_that_are_no_answer_are_not_read() -> None:
    assert costs_in(["cost: new spam 1", "cost: old spam 1 1", "cost: new sp/am 1 1", "cost: new ham 2000 1"]) == (
        ImportCost(module="ham", seconds=0.002, mapped_bytes=1),
    )
