"""What a run says while it goes on, read from its `events.jsonl`."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import get_args

from factory import codec
from factory.events.model import CellEnded, Event, StepEnded, StepStarted

PATIENCE_S = 120


def wait_for(
    folder: Path, child: "subprocess.Popen[str]", happened: Callable[[Event], bool], *, times: int = 1
) -> None:
    """Wait until the newest run's events tell of something, for the first or a later time."""
    until = monotonic() + PATIENCE_S
    while sum(happened(event) for event in events_of(folder)) < times:
        assert child.poll() is None, child.communicate()
        assert monotonic() < until, f"it did not happen within {PATIENCE_S} s"
        sleep(0.02)


def is_building(recipe: str) -> Callable[[Event], bool]:
    return lambda event: (
        isinstance(event, StepStarted) and event.step == "build" and event.subject.startswith(f"{recipe}/")
    )


def has_ended(recipe: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, CellEnded) and event.record.cell.recipe == recipe


def open_steps(events: Iterable[Event]) -> Iterator[int]:
    """Say after each event of a cell or a trial how many of its like were going on."""
    going = 0
    for event in events:
        if isinstance(event, StepStarted | StepEnded) and "/" in event.subject:
            going += 1 if isinstance(event, StepStarted) else -1
            yield going


def events_of(folder: Path) -> list[Event]:
    runs = sorted((folder / ".factory/runs").glob("*/events.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    lines = runs[-1].read_text(encoding="utf-8").splitlines(keepends=True) if runs else []
    kinds = {kind.__name__: kind for kind in get_args(Event)}
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    return [codec.load(each["event"], kinds[each["kind"]]) for each in whole]
