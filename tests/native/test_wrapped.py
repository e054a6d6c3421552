"""A program of another machine is started by a script, which hands it to the emulator under its own name."""

import subprocess
from pathlib import Path

from packaging.utils import canonicalize_name

from factory.recipe import model
from factory.steps import emulated_python
from factory.tags import Interpreter
from factory.trials.commands import trial_steps
from factory.trials.subjects import Subjects

WHEEL = "spam-1.0-py3-none-manylinux_2_17_aarch64.whl"


def test_a_wrapped_program_gets_its_own_name_and_all_arguments(tmp_path: Path) -> None:
    emulator = tmp_path / "emulator"
    emulator.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n', encoding="utf-8")
    (tmp_path / "bin").mkdir()
    for path in (emulator, tmp_path / "bin/spam"):
        path.touch()
        path.chmod(0o755)
    about, python = Subjects(commands=("spam",), natives=("spam",)), emulated_python(Interpreter(13))
    step = trial_steps(canonicalize_name("spam"), WHEEL, about, model.TestSpec(), python, epoch_s=1)[2]
    places = {"/work/env/bin": str(tmp_path / "bin"), "/userland/emulator -L /userland": f"{emulator} -L /userland"}

    subprocess.run([places.get(word, word) for word in step.argv], check=True)
    said = subprocess.run([tmp_path / "bin/spam", "--name", "two words"], capture_output=True, text=True, check=True)

    own = str(tmp_path / "bin/spam")
    hidden = str(tmp_path / "bin/.spam")
    assert said.stdout.splitlines() == ["-L", "/userland", "-0", own, hidden, "--name", "two words"]
