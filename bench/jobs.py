"""What the factory's own work costs beside containers: trivial jobs on a double of the engine, and a second run.

    make bench-idle         or: .venv/bin/python -m bench.jobs

The double answers every command at once, so what is left is planning, keys, the store, the gate and the scheduler.
Prints CPU seconds beside the targets; the least of some rounds, because other work only adds to them.
"""

import sys
from collections.abc import Callable
from time import process_time

from tests.doubles.projects import PLAIN
from tests.doubles.run import World, make_world

JOBS = 200
JOB_TARGET_MS = 10.0
CELLS = 40
UNCHANGED_TARGET_S = 1.0
ROUNDS = 3


def recipes(cells: int) -> list[str]:
    """Write recipes of two cells, each with one trial."""
    text = PLAIN.replace("[cp313]", "[cp311, cp313]")
    return [text.replace("plain", f"plain{number}") for number in range(cells // 2)]


def jobs_s(world: World) -> float:
    """Carry out the jobs in an empty store; the CPU seconds beyond planning."""
    texts = recipes(JOBS // 2)
    for text in texts:
        world.planned(text)  # fetched and read, so that the run below only plans
    planning_s = _cpu_s(lambda: [world.planned(text) for text in texts])
    return _cpu_s(lambda: world.run(*texts)) - planning_s


def unchanged_s(world: World) -> float:
    """Run recipes again of which nothing changed; the CPU seconds."""
    texts = recipes(CELLS)
    world.run(*texts)
    started, read = len(world.engine.started), world.read
    took_s = _cpu_s(lambda: world.run(*texts))
    if (len(world.engine.started), world.read) != (started, read):
        raise SystemExit("a run of which nothing changed started a container, or read an archive")
    return took_s


def _cpu_s(work: Callable[[], object]) -> float:
    began_s = process_time()
    work()
    return process_time() - began_s


def _least(measure: Callable[[World], float]) -> float:
    figures = []
    for _ in range(ROUNDS):
        with make_world() as world:
            figures.append(measure(world))
    return min(figures)


def main() -> int:
    """Print the figures and the targets; 1 where one is missed."""
    job_ms = 1000 * _least(jobs_s) / JOBS
    unchanged = _least(unchanged_s)
    print(f"{JOBS} trivial jobs: {job_ms:.1f} ms of CPU each, target {JOB_TARGET_MS:.1f} ms")
    print(f"nothing changed in {CELLS} cells: {unchanged:.2f} s of CPU, target {UNCHANGED_TARGET_S:.2f} s")
    return int(job_ms > JOB_TARGET_MS or unchanged > UNCHANGED_TARGET_S)


if __name__ == "__main__":
    sys.exit(main())
