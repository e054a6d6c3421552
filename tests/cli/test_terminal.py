"""A run whose user sits at a terminal: the board is drawn there, by a thread of its own."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import Program

pytestmark = pytest.mark.thorough

RECIPE = """\
factory: 1
name: demo
source: {path: .}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
"""


def test_a_run_on_a_terminal_says_what_stops_it_and_leaves_the_cursor_visible(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    factory = Program(folder=tmp_path)
    ours, theirs = pty.openpty()

    with subprocess.Popen(
        [factory.program, "build"],
        cwd=tmp_path,
        env={**factory.surroundings, "TERM": "xterm-256color", "COLUMNS": "80"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as child:
        os.close(theirs)
        shown = _read(ours)

    assert child.returncode == 4, shown
    assert "no container engine answers" in shown
    assert "hint: start it" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "a hidden cursor is shown again"


def _read(terminal: int) -> str:
    """Read until the program has closed its side."""
    pieces = []
    while True:
        try:
            pieces.append(os.read(terminal, 4096))
        except OSError:  # Linux says EIO where other systems say the end
            os.close(terminal)
            return b"".join(pieces).decode()
