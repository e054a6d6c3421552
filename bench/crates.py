"""What builds of a Rust project gain by the crates that earlier builds compiled: CPU and wall time, beside none.

    .venv/bin/python -m bench.crates --rounds 3      or: --recipe recipes/nh3.yaml --interpreters cp313

Each round has a folder of its own with the source, so that a project is new to the store, which has all else. Then:
every cell compiles all that it needs (--no-cache); the first build of a new project, whose cells share what does not
depend on an interpreter; and the same after one line of its own crate was edited. CPU seconds are those of every rustc
with what it starts, and of the factory itself; wall seconds are those of the whole run. Each ratio is the median of
its rounds' ratios to the first side.
"""

import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from rich.table import Table

from bench import edits
from bench.compiling import WRAPPER, WRITE, cpu_s
from bench.subject import Subject
from factory.tags import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run made and took: `rustc_s` is rustc's CPU in each cell, in the plan's order, `own_s` the factory's."""

    wheels: int
    rustc_s: tuple[float, ...]
    own_s: float
    wall_s: float

    @property
    def cpu_s(self) -> float:
        return sum(self.rustc_s) + self.own_s


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where a wheel is missing."""
    parser = edits.parser(
        __doc__,
        recipe="recipes/rpds-py.yaml",
        edited="src/lib.rs",
        interpreters=[Interpreter(11), Interpreter(13), Interpreter(14)],
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)

    def built(subject: Subject, source: Path, folder: Path, flags: Sequence[str]) -> Cost:
        build = {"before": WRITE, "env": {"RUSTC_WRAPPER": WRAPPER}}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = edits.run(subject, source, folder, options, flags, build=build)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        addresses = [f"{record['cell']['recipe']}/{record['cell']['tag']}" for record in ran.run["records"]]
        return Cost(
            wheels=ran.wheels,
            rustc_s=tuple(cpu_s(ran.evidence, address) for address in addresses),
            own_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            wall_s=ran.wall_s,
        )

    # Another line each time, or the store remembers a wheel of the same source.
    subject, costs = edits.measured(options, built, lambda: f"// {uuid4().hex}")
    edits.print_table(subject, options, _table(costs))
    return edits.code(subject, costs)


def _table(costs: dict[str, list[Cost]]) -> Table:
    table = Table("side", "rustc CPU s, by cell", "CPU s", "wall s", "CPU ratio", "wall ratio", "wheels", box=None)
    for side, taken in costs.items():
        pairs = list(zip(taken, costs[edits.ALL], strict=True))
        by_cell = [f"{median(cells):.1f}" for cells in zip(*(cost.rustc_s for cost in taken), strict=True)]
        table.add_row(
            side,
            " ".join(by_cell),
            f"{median(cost.cpu_s for cost in taken):.1f}",
            f"{median(cost.wall_s for cost in taken):.1f}",
            f"{median(mine.cpu_s / all_.cpu_s for mine, all_ in pairs):.2f}",
            f"{median(mine.wall_s / all_.wall_s for mine, all_ in pairs):.2f}",
            ", ".join(str(cost.wheels) for cost in taken),
        )
    return table


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
