"""The rounds of benchmarks of what builds keep: with nothing kept, the first build of a project, and one after an edit.

Each round has a folder of its own with the source, so that a project is new to the store, which has all else.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Protocol, TypeVar

import yaml
from rich.console import Console
from rich.table import Table

from bench.subject import Subject, append_line, take
from factory.host import read_host
from factory.tags import Interpreter

ALL, FIRST, EDITED = "nothing kept (--no-cache)", "first build of the project", "one line edited"


class Cost(Protocol):
    """What one run made and took."""

    @property
    def wheels(self) -> int:
        """How many wheels passed."""
        ...

    @property
    def wall_s(self) -> float:
        """The seconds of the whole run."""
        ...


C = TypeVar("C", bound=Cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run as `--json` writes it, where its evidence lies, and how long it took."""

    run: Mapping[str, Any]
    evidence: Path
    wall_s: float

    @property
    def wheels(self) -> int:
        """How many wheels passed."""
        return sum(record["status"] == "passed" for record in self.run["records"])


Build = Callable[[Subject, Path, Path, Sequence[str]], C]
"""Builds a subject's source below a folder with some flags."""


def parser(
    description: str | None, *, recipe: str, edited: str, interpreters: Sequence[Interpreter]
) -> argparse.ArgumentParser:
    """Return the options that such a benchmark has; `--jobs` is its own."""
    made = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    made.add_argument("--recipe", type=Path, default=Path(recipe))
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--families", default="lookalike")
    made.add_argument("--edited", default=edited, help="a file of the source that gets one more line")
    made.add_argument("--interpreters", nargs="+", type=Interpreter.parse, default=interpreters)
    return made


def measured(
    options: argparse.Namespace, build: Build[C], line: Callable[[], str]
) -> tuple[Subject, dict[str, list[C]]]:
    """Measure every side in each round; `line` is what is added to the edited file, another one each time."""
    costs: dict[str, list[C]] = {ALL: [], FIRST: [], EDITED: []}
    with TemporaryDirectory(prefix="edits-") as name:
        work = Path(name)
        (work / "sdist").mkdir()
        subject = take(options.recipe, tuple(options.interpreters), read_host(), work / "sdist")
        for number in range(options.rounds):
            folder = work / f"round-{number}"
            for side, flags in ((FIRST, ()), (EDITED, ()), (ALL, ("--no-cache",))):
                # What --no-cache compiles is kept, too, so that it has another folder.
                source = folder / ("alone" if side == ALL else "source")
                append_line(subject, source, options.edited, line())
                costs[side].append(build(subject, source, folder, flags))
                Console(stderr=True).print(f"{folder.name}: {side}: {costs[side][-1]}", markup=False)
    return subject, costs


def run(
    subject: Subject, source: Path, folder: Path, options: argparse.Namespace, flags: Sequence[str], **fields: object
) -> Ran:
    """Build a source by a recipe with these fields besides those that every one has."""
    recipe = {
        "factory": 1,
        "name": str(subject.recipe.name),
        "source": {"path": str(source)},
        "interpreters": [str(interpreter) for interpreter in subject.interpreters],
        "platforms": [str(platform) for platform in subject.recipe.platforms],
        "test": {"run": list(subject.recipe.test.run)},
        **fields,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    program = Path(sys.executable).with_name("factory")
    given = ["-o", "dist", "--json", "run.json", "--families", options.families, "--jobs", str(options.jobs), *flags]
    started = monotonic()
    subprocess.run([program, "build", "recipe.yaml", *given], cwd=folder, check=True, capture_output=True)
    wall_s = monotonic() - started
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))["run"]
    return Ran(run=told, evidence=folder / told["folder"], wall_s=wall_s)


def print_table(subject: Subject, options: argparse.Namespace, table: Table) -> None:
    """Print a table below what was measured, and on what."""
    console = Console(width=120, highlight=False)
    names = ", ".join(map(str, subject.interpreters))
    console.print(f"{subject.recipe.name} on {names}; {options.rounds} rounds; {options.jobs} jobs", markup=False)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    console.print(table)


def code(subject: Subject, costs: Mapping[str, Sequence[Cost]]) -> int:
    """Return 1 where a wheel is missing."""
    counts = {cost.wheels for taken in costs.values() for cost in taken}
    return int(counts != {len(subject.interpreters)})
