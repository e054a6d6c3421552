"""What a trial's tests import, in real environments of this interpreter."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from factory.trials.witness import witness_files


@dataclass(frozen=True)
class Trial:
    """An environment with an installed package `spam`, and a source with another one."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "env/bin/python"

    @property
    def packages(self) -> Path:
        return next((self.folder / "env/lib").glob("python*/site-packages"))

    def run(self, *argv: str, **env: str) -> str:
        done = subprocess.run(
            [str(self.python), *argv], cwd=self.folder / "run", env=env, check=True, capture_output=True, text=True
        )
        assert done.stderr == ""
        return done.stdout

    def said(self, *options: str) -> tuple[int, str]:
        argv = [str(self.python), "-I", str(self.packages / "_factory_witness.py"), *options]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode, done.stdout


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    made = Trial(tmp_path)
    for folder in (made.packages / "spam", tmp_path / "source/spam", tmp_path / "run"):
        folder.mkdir(parents=True)
    (made.packages / "spam/__init__.py").touch()
    (tmp_path / "source/spam/__init__.py").touch()
    for name, content in witness_files(["spam", "space.ham"]):
        (made.packages / name).write_bytes(content)
    return made


def test_a_module_that_comes_from_the_environment_is_named(trial: Trial) -> None:
    trial.run("-c", "import spam")

    assert trial.said("--expects-some") == (0, f"spam from {trial.packages}/spam/__init__.py\n")


FORKED = """
import os
if os.fork():
    os.wait()
else:
    import spam
    os._exit(0)
"""
BY_PATH = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("spam", "../source/spam/__init__.py")
sys.modules["spam"] = importlib.util.module_from_spec(spec)
"""
BEFORE = """
import sys, importlib.machinery
class First:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.PathFinder.find_spec(name, ["../source"]) if name == "spam" else None
sys.meta_path.insert(0, First())
import spam
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("import sys; sys.path.insert(0, '../source'); import spam", id="a path"),
        pytest.param("import os; os.chdir('../source'); import spam", id="the working folder"),
        pytest.param("import sys; sys.path.insert(0, '../source')" + FORKED, id="a fork that ends at once"),
        pytest.param(BY_PATH, id="a file by its path"),
        pytest.param(BEFORE, id="a finder before the others"),
        pytest.param(
            "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import spam'], cwd='../source')",
            id="another process",
        ),
    ],
)
def test_a_module_that_comes_from_elsewhere_is_an_error_with_both_paths(trial: Trial, program: str) -> None:
    trial.run("-c", program)

    code, said = trial.said("--expects-some")
    (line,) = said.splitlines()
    told, _, rest = line.partition(" from ")
    place, _, installed = rest.partition("; the wheel's is ")
    assert (code, told, installed) == (1, "error: the tests imported spam", f"{trial.packages}/spam/__init__.py")
    assert (trial.folder / "run" / place).resolve() == trial.folder / "source/spam/__init__.py"


def test_a_namespace_that_others_share_is_not_the_wheels_but_its_module_is(trial: Trial) -> None:
    for place in (trial.packages, trial.folder / "source"):
        (place / "space").mkdir()
    (trial.packages / "space/ham.py").touch()
    (trial.folder / "source/space/eggs.py").touch()

    trial.run("-c", "import space.ham, space.eggs", PYTHONPATH=str(trial.folder / "source"))

    assert trial.said() == (0, f"space.ham from {trial.packages}/space/ham.py\n")


def test_a_module_without_a_file_that_tests_make_is_no_copy_of_the_wheels(trial: Trial) -> None:
    trial.run("-c", "import sys, types; sys.modules['spam'] = types.ModuleType('spam')")

    assert trial.said() == (0, "")


def test_tests_that_import_nothing_of_a_wheel_with_extension_modules_are_noted(trial: Trial) -> None:
    trial.run("-c", "import json")

    note = "note: no Python of the trial's environment imported a module of the wheel in test.run\n"
    assert trial.said("--expects-some") == (0, note)
    assert trial.said() == (0, "")
