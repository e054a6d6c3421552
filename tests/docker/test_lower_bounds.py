"""A wheel that is tried with the oldest versions that its METADATA allows, from the real index."""

from dataclasses import replace

import pytest

from tests.docker.command import Command
from tests.docker.projects import Project, make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

TEST = {"run": "python -c 'from typing_extensions import ReadOnly'", "resolve": ["highest", "lowest-direct"]}


def requiring(bound: str) -> Project:
    """A project whose wheel requires typing-extensions; ReadOnly came with its version 4.9."""
    project = make_c_project("bounds")
    text = project.files["pyproject.toml"]
    line = f'version = "1.0"\ndependencies = ["typing-extensions{bound}"]\n'
    changed = text.replace('version = "1.0"\n', line)
    assert changed != text
    return replace(project, files={**project.files, "pyproject.toml": changed})


def test_a_bound_that_is_too_low_fails_the_wheel_and_names_the_requirement(command: Command) -> None:
    ended = command.build(command.recipe(requiring(">=4.7"), test=TEST))

    failure = ended.failure("bounds")
    assert ended.code == 1
    assert failure.message.startswith("with typing-extensions 4.7.0 (typing-extensions>=4.7): ")
    assert "ReadOnly" in failure.message
    assert "raise that lower bound" in failure.hint


def test_a_true_bound_passes_and_the_report_says_with_what(command: Command) -> None:
    ended = command.build(command.recipe(requiring(">=4.9"), test=TEST))

    assert ended.code == 0, ended.stderr
    (trial,) = ended.records["bounds"].trials
    assert trial.notes[-1] == "passed with typing-extensions 4.9.0 (typing-extensions>=4.9)"
