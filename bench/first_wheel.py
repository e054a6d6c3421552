"""How long a machine with nothing on it waits for its first wheel: no image, no store, no registry.

    make bench-first        or, on an engine that has nothing: .venv/bin/python -m bench.first_wheel RECIPE CELL

Prints when each image was ready and when each wheel was there, in seconds from the start of the run.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Flag
from time import monotonic

from factory.events.model import CellEnded, Event, ImageReady
from factory.host import read_host
from factory.run.build import Caller, build
from factory.run.load import load
from factory.run.options import Options, Selection


def main(arguments: Sequence[str]) -> int:
    """Build a cell of a recipe and print the times; 1 where it did not pass."""
    recipe, cell = arguments
    started = monotonic()

    def show(event: Event) -> None:
        match event:
            case ImageReady(image=image):
                print(f"{monotonic() - started:6.1f} s  image {image}", flush=True)
            case CellEnded(record=record):
                print(f"{monotonic() - started:6.1f} s  wheel {record.cell.id}: {record.status}", flush=True)

    with TemporaryDirectory(prefix="first-wheel-") as name:
        folder = Path(name)
        finished = build(
            load([Path(recipe)]),
            Options(output=folder / "dist", selection=Selection(only=[cell]), evidence=folder / "runs"),
            host=replace(read_host(), store=folder / "store"),
            caller=Caller(listener=show, cancelled=Flag()),
        )
    for error in finished.errors:
        print(error.message, file=sys.stderr)
    return 0 if finished.run.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
