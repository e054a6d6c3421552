"""Which environments get a wheel of a run, and which do not."""

from collections.abc import Iterable, Iterator

from factory.coverage.choice import Offer, coverage
from factory.coverage.rows import Row, rows
from factory.events.model import CellRecord, Run
from factory.tags import Interpreter, PlatformTag


def covered_lines(run: Run) -> Iterator[str]:
    """Say for each release, machine and libc which interpreters get a wheel that passed, and which get none."""
    good = [record for record in run.records if record.passed and record.wheel is not None]
    offers = [Offer(filename=record.wheel.filename) for record in good if record.wheel is not None]
    for release in coverage(offers, _machines(good)):
        for row in rows(release):
            if any(taken.kind == "wheel" for taken in row.taken):
                yield f"{release.name} {release.version} on {row.machine}, {row.libc}: {_said(row)}"


def _machines(records: Iterable[CellRecord]) -> tuple[str, ...]:
    platforms = (record.cell.platform for record in records)
    return tuple(dict.fromkeys(platform.arch for platform in platforms if isinstance(platform, PlatformTag)))


def _said(row: Row) -> str:
    """Say it as `a wheel for 3.9, 3.13; none for 3.10`."""
    with_wheel = [taken.interpreter for taken in row.taken if taken.kind == "wheel"]
    without = [taken.interpreter for taken in row.taken if taken.kind != "wheel"]
    none = f"; none for {_versions(without)}" if without else ""
    return f"a wheel for {_versions(with_wheel)}{none}"


def _versions(interpreters: Iterable[str]) -> str:
    return ", ".join(Interpreter.parse(text).marked_version for text in interpreters)
