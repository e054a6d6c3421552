"""What builds of a project in C or C++ gain by what ccache remembers of earlier ones, beside none.

    .venv/bin/python -m bench.objects --rounds 3      or: --recipe FILE --edited src/module.c --interpreters cp313

Each round has a folder of its own with the source, so that a project is new to the store, which has all else. Then:
everything is compiled (--no-cache); the first build of a new project; and the same after one line of a file was edited.
Seconds are those of the build step in each cell, and of the whole run. Each ratio is the median of its rounds' ratios
to the first side.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic
from uuid import uuid4

import yaml
from rich.console import Console
from rich.table import Table

from bench.subject import Subject, take
from factory.host import read_host
from factory.tags import Interpreter

_ALL, _FIRST, _EDITED = "nothing kept (--no-cache)", "first build of the project", "one line edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run made and took: `build_s` are the seconds of each cell's build step, in the order of their end."""

    wheels: int
    build_s: tuple[float, ...]
    wall_s: float


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where a wheel is missing."""
    options = _options().parse_args(arguments)
    host = read_host()
    costs: dict[str, list[Cost]] = {_ALL: [], _FIRST: [], _EDITED: []}
    with TemporaryDirectory(prefix="objects-") as name:
        work = Path(name)
        (work / "sdist").mkdir()
        subject = take(options.recipe, tuple(options.interpreters), host, work / "sdist")
        for number in range(options.rounds):
            _round(subject, work / f"round-{number}", options, costs)
    _print(subject, options, costs)
    counts = {cost.wheels for taken in costs.values() for cost in taken}
    return int(counts != {len(subject.interpreters)})


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recipe", type=Path, default=Path("recipes/kiwisolver.yaml"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="one, so that no build takes another one's time")
    parser.add_argument("--families", default="lookalike")
    parser.add_argument("--edited", default="py/src/strength.cpp", help="a file of the source that gets one more line")
    parser.add_argument("--interpreters", nargs="+", type=Interpreter.parse, default=[Interpreter(11), Interpreter(13)])
    return parser


def _round(subject: Subject, folder: Path, options: argparse.Namespace, costs: dict[str, list[Cost]]) -> None:
    """Measure every side once. What --no-cache compiles is kept, too, so that it has another folder."""
    for side, flags in ((_FIRST, ()), (_EDITED, ()), (_ALL, ("--no-cache",))):
        source = folder / ("alone" if side == _ALL else "source")
        if not source.exists():
            shutil.copytree(subject.source, source)
        with (source / options.edited).open("a", encoding="utf-8") as file:
            file.write(f"extern int edited_{uuid4().hex};\n")  # ccache would know a file that has only one comment more
        costs[side].append(_built(subject, source, folder, options, *flags))
        Console(stderr=True).print(f"{folder.name}: {side}: {costs[side][-1]}", markup=False)


def _built(subject: Subject, source: Path, folder: Path, options: argparse.Namespace, *flags: str) -> Cost:
    recipe = {
        "factory": 1,
        "name": str(subject.recipe.name),
        "source": {"path": str(source)},
        "interpreters": [str(interpreter) for interpreter in subject.interpreters],
        "platforms": [str(platform) for platform in subject.recipe.platforms],
        "test": {"run": list(subject.recipe.test.run)},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    program = Path(sys.executable).with_name("factory")
    given = ["-o", "dist", "--json", "run.json", "--families", options.families, "--jobs", str(options.jobs), *flags]
    started = monotonic()
    subprocess.run([program, "build", "recipe.yaml", *given], cwd=folder, check=True, capture_output=True)
    wall_s = monotonic() - started
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))["run"]
    events = (folder / run["folder"] / "events.jsonl").read_text(encoding="utf-8")
    ended = [told["event"] for line in events.splitlines() if (told := json.loads(line))["kind"] == "StepEnded"]
    return Cost(
        wheels=sum(record["status"] == "passed" for record in run["records"]),
        build_s=tuple(step["duration_s"] for step in ended if step["step"] == "build"),
        wall_s=wall_s,
    )


def _print(subject: Subject, options: argparse.Namespace, costs: dict[str, list[Cost]]) -> None:
    table = Table("side", "build s, by cell", "build ratio", "wall s", "wall ratio", "wheels", box=None)
    for side, taken in costs.items():
        pairs = list(zip(taken, costs[_ALL], strict=True))
        by_cell = [f"{median(cells):.1f}" for cells in zip(*(cost.build_s for cost in taken), strict=True)]
        table.add_row(
            side,
            " ".join(by_cell),
            f"{median(sum(mine.build_s) / sum(all_.build_s) for mine, all_ in pairs):.2f}",
            f"{median(cost.wall_s for cost in taken):.1f}",
            f"{median(mine.wall_s / all_.wall_s for mine, all_ in pairs):.2f}",
            ", ".join(str(cost.wheels) for cost in taken),
        )
    console = Console(width=120, highlight=False)
    names = ", ".join(map(str, subject.interpreters))
    console.print(f"{subject.recipe.name} on {names}; {options.rounds} rounds; {options.jobs} jobs", markup=False)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    console.print(table)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
