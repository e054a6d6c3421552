"""The shell steps of the composite action and of workflows, run as a CI server runs them."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
EXPRESSION = re.compile(r"\$\{\{ ([^}]*) \}\}")
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""What a step with `shell: bash` is run by."""


@dataclass(frozen=True, kw_only=True)
class ShellStep:
    """One step: its script, and its variables as they are written, with expressions."""

    name: str
    script: str
    env: Mapping[str, str]

    def run(
        self, context: Mapping[str, str], *, cwd: Path, env: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        """Run it in a folder, with the values of the expressions in its variables."""
        given = {name: EXPRESSION.sub(lambda found: context[found[1]], text) for name, text in self.env.items()}
        return subprocess.run(
            [*SHELL, "-c", self.script],
            cwd=cwd,
            env={**env, **given},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def parsed(path: Path) -> Mapping[str, object]:
    """Read an action or a workflow."""
    return cast("Mapping[str, object]", yaml.safe_load(path.read_text(encoding="utf-8")))


def steps_in(node: object) -> Iterator[ShellStep]:
    """Yield every step that has a script, wherever it stands."""
    if isinstance(node, list):
        for part in node:
            yield from steps_in(part)
    elif isinstance(node, dict):
        if isinstance(node.get("run"), str):
            yield ShellStep(name=str(node.get("name", node["run"])), script=node["run"], env=node.get("env", {}))
        for part in node.values():
            yield from steps_in(part)


def action_inputs() -> dict[str, str]:
    """Return the action's inputs with their defaults, as expressions name them."""
    inputs = cast("Mapping[str, Mapping[str, str]]", parsed(ACTION)["inputs"])
    return {f"inputs.{name}": declared["default"] for name, declared in inputs.items()}
