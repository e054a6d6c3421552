"""What builds of a project in C or C++ gain by what ccache remembers of earlier ones, beside none.

    .venv/bin/python -m bench.objects --rounds 3      or: --recipe FILE --edited src/module.c --interpreters cp313

Each round has a folder of its own with the source, so that a project is new to the store, which has all else. Then:
everything is compiled (--no-cache); the first build of a new project; and the same after one line of a file was edited.
Seconds are those of the build step in each cell, and of the whole run. Each ratio is the median of its rounds' ratios
to the first side.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from rich.table import Table

from bench import edits
from bench.subject import Subject
from factory.tags import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run made and took: `build_s` are the seconds of each cell's build step, in the order of their end."""

    wheels: int
    build_s: tuple[float, ...]
    wall_s: float


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where a wheel is missing."""
    parser = edits.parser(
        __doc__,
        recipe="recipes/kiwisolver.yaml",
        edited="py/src/strength.cpp",
        interpreters=[Interpreter(11), Interpreter(13)],
    )
    parser.add_argument("--jobs", type=int, default=1, help="one, so that no build takes another one's time")
    options = parser.parse_args(arguments)

    def built(subject: Subject, source: Path, folder: Path, flags: Sequence[str]) -> Cost:
        ran = edits.run(subject, source, folder, options, flags)
        events = (ran.evidence / "events.jsonl").read_text(encoding="utf-8")
        ended = [told["event"] for line in events.splitlines() if (told := json.loads(line))["kind"] == "StepEnded"]
        build_s = tuple(step["duration_s"] for step in ended if step["step"] == "build")
        return Cost(wheels=ran.wheels, build_s=build_s, wall_s=ran.wall_s)

    # ccache would know a file that has only one comment more.
    subject, costs = edits.measured(options, built, lambda: f"extern int edited_{uuid4().hex};")
    edits.print_table(subject, options, _table(costs))
    return edits.code(subject, costs)


def _table(costs: dict[str, list[Cost]]) -> Table:
    table = Table("side", "build s, by cell", "build ratio", "wall s", "wall ratio", "wheels", box=None)
    for side, taken in costs.items():
        pairs = list(zip(taken, costs[edits.ALL], strict=True))
        by_cell = [f"{median(cells):.1f}" for cells in zip(*(cost.build_s for cost in taken), strict=True)]
        table.add_row(
            side,
            " ".join(by_cell),
            f"{median(sum(mine.build_s) / sum(all_.build_s) for mine, all_ in pairs):.2f}",
            f"{median(cost.wall_s for cost in taken):.1f}",
            f"{median(mine.wall_s / all_.wall_s for mine, all_ in pairs):.2f}",
            ", ".join(str(cost.wheels) for cost in taken),
        )
    return table


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
