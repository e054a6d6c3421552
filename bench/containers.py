"""What a container costs: its start, files into it, a command, and its end, as medians of wall time.

.venv/bin/python -m bench.containers --times 20
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from statistics import median
from time import perf_counter
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from factory.engine.api import ContainerSpec, Engine, FileEntry
from factory.engine.docker import connect
from factory.host import read_host
from factory.images.ready import ensure
from factory.store import Store

_IMAGE = "trial-bookworm"
_FILE = FileEntry(path=PurePosixPath("a"), content=b"text")


class Watch:
    """The seconds that each part took, by its name."""

    def __init__(self) -> None:
        """Measure nothing yet."""
        self.seconds: dict[str, list[float]] = {}

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """Measure the block."""
        began = perf_counter()
        yield
        self.seconds.setdefault(part, []).append(perf_counter() - began)


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a container costs.")
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args(arguments).times
    host, watch, say = read_host(), Watch(), Console(width=100, highlight=False).print
    with Store.open(host.store) as store, connect(host, owner=store.owner, run_id=f"bench-{uuid4().hex}") as engine:
        image = ensure(_IMAGE, engine=engine, host=host, store=store, progress=say).reference
        info, load = engine.info(), os.getloadavg()[0]
        for _ in range(times):
            _measure(engine, ContainerSpec(image=image, label="bench", env={}), watch)
    say(f"{info.cpus} cores, {info.name} {info.version} on {info.driver}; load {load:.1f} before; {times} times\n")
    table = Table("part", "median ms", "least", "most", box=None)
    for part, seconds in watch.seconds.items():
        table.add_row(part, *(f"{figure * 1000:.0f}" for figure in (median(seconds), min(seconds), max(seconds))))
    say(table)
    return 0


def _measure(engine: Engine, spec: ContainerSpec, watch: Watch) -> None:
    running = engine.container(spec)
    with watch.on("whole"):
        with watch.on("start"):
            container = running.__enter__()
        with watch.on("first files"):
            container.copy_in([_FILE])
        with watch.on("more files"):
            container.copy_in([_FILE])
        with watch.on("command"):
            container.run(["true"], timeout_s=60)
        with watch.on("end"):
            running.__exit__(None, None, None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
