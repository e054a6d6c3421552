"""What a trial asks of the real loader, here of this machine's: what it cannot resolve fails, but what is left out."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from factory.steps import trial_python
from factory.tags import Interpreter
from factory.trials.load import load_steps

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


def make_linked(folder: Path) -> Path:
    """Make an object that needs libdriver.so.1, which is nowhere."""
    gcc = ["gcc", "-shared", "-fPIC", "-x", "c", "-"]
    library = [*gcc, "-o", "libdriver.so", "-Wl,-soname,libdriver.so.1"]
    subprocess.run(library, input="int driver(void) { return 1; }", text=True, check=True, cwd=folder)
    module = [*gcc, "-o", "module.so", "-Wl,--no-as-needed", "-L.", "-ldriver"]
    subprocess.run(module, input="int answer(void) { return 42; }", text=True, check=True, cwd=folder)
    (folder / "libdriver.so").unlink()
    return folder / "module.so"


def load(path: Path, *excluded: str, tolerated: bool = False) -> "subprocess.CompletedProcess[str]":
    """Load a file where it lies, not where a wheel's member would be unpacked."""
    objects = ["member.so"]
    (_, step) = load_steps(
        "a.whl", objects, trial_python(Interpreter(13)), excluded=excluded, tolerated=objects if tolerated else ()
    )
    argv = [word.replace("/work/unpacked/member.so", str(path)) for word in step.argv[1:]]
    return subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=False)


def test_a_library_that_is_nowhere_cannot_be_resolved(tmp_path: Path) -> None:
    module = make_linked(tmp_path)

    ended = load(module, "libother.so.*")

    assert ended.returncode == 1
    assert f"error: the loader cannot resolve {module}: libdriver.so.1 => not found\n" in ended.stdout


def test_a_library_that_the_recipe_leaves_out_may_be_nowhere(tmp_path: Path) -> None:
    ended = load(make_linked(tmp_path), "libdriver.so.*")

    assert ended.returncode == 0, ended.stdout
    assert "libdriver.so.1 => not found" in ended.stdout


def test_what_is_no_object_cannot_be_resolved_whatever_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("not an object")

    assert load(tmp_path / "text.so", "*").returncode == 1


def test_an_object_with_a_waived_finding_may_need_what_is_nowhere(tmp_path: Path) -> None:
    ended = load(make_linked(tmp_path), tolerated=True)

    assert ended.returncode == 0, ended.stdout
    assert "note: waived: the loader cannot resolve" in ended.stdout
