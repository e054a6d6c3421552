"""The doors for other programs: shells that complete commands, and repositories that use pre-commit."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.program import PROGRAM

ROOT = Path(__file__).parents[2]
ASK = """
eval "$(factory completion bash)"
COMP_WORDS=({words}) COMP_CWORD={place}
_factory_completion factory
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(*words: str) -> list[str]:
    """Ask a real bash for the words that the last may become."""
    script = ASK.format(words=" ".join(f'"{word}"' for word in words), place=len(words) - 1)
    path = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin"}
    ended = subprocess.run(["bash", "-c", script], env=path, capture_output=True, text=True, check=True)
    return ended.stdout.split()


def test_bash_completes_commands_and_flags() -> None:
    assert completed("factory", "bu") == ["build"]
    assert completed("factory", "image", "p") == ["pin", "pull"]
    assert "--keep-going" in completed("factory", "build", "--keep")


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="none"),
        pytest.param({"COMP_WORDS": "factory"}, id="no word's number"),
        pytest.param({"COMP_WORDS": "factory", "COMP_CWORD": "x"}, id="no number"),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_variables_that_no_shell_has_set_are_a_sentence(shell: str, variables: dict[str, str]) -> None:
    env = {"_FACTORY_COMPLETE": f"{shell}_complete", **variables}

    ended = subprocess.run([PROGRAM, "plan"], env=env, capture_output=True, text=True, check=False)

    if shell != "fish" or "COMP_CWORD" not in variables:  # to fish it is the beginning of a word
        assert ended.returncode == 2
        assert "COMP_WORDS and COMP_CWORD are not what a shell sets" in ended.stderr
        assert "hint: unset _FACTORY_COMPLETE" in ended.stderr


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef factory"), ("fish", "complete ")]
)
def test_every_shell_has_a_script(shell: str, word: str) -> None:
    ended = subprocess.run([PROGRAM, "completion", shell], capture_output=True, text=True, check=True)

    assert word in ended.stdout


def test_hooks_of_pre_commit_call_commands_that_there_are_on_files_that_they_take(tmp_path: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    names = {hook["id"]: re.compile(hook["files"]) for hook in hooks}
    assert names["factory-plan"].search("packaging/recipe.yaml")
    assert names["factory-audit"].search("dist/a-1-py3-none-any.whl")
    for hook in hooks:
        program, command = hook["entry"].split()
        ended = subprocess.run([PROGRAM, command, tmp_path / "none"], capture_output=True, text=True, check=False)
        assert program == "factory"
        assert "No such command" not in ended.stderr
