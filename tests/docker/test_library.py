"""A run without the command line, as docs/how-to/build-from-python.md shows it."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.command import CP313, Command
from tests.docker.projects import make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

PAGE = Path(__file__).parents[2] / "docs/how-to/build-from-python.md"
MOST_LINES = 12


def test_the_page_shows_a_program_that_builds(command: Command) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    command.recipe(make_c_project("library")).rename(command.folder / "recipe.yaml")

    ran = replace(command, program=(sys.executable,))("-c", program)

    assert len(program.splitlines()) <= MOST_LINES
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [f"library/{CP313} passed"]
    assert command.wheels == {f"library-1.0-{CP313}.whl"}
