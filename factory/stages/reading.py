"""Read wheels for the stages, each time in a process of its own, because strangers made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from packaging.utils import NormalizedName

from factory.audit import Audit, Expectation, audit, unread
from factory.confined import Bounds, Overrun, Reader
from factory.digest import Artifact
from factory.recipe.model import AuditSpec, TestSpec
from factory.repair import Repair, compare, faults
from factory.store import Store
from factory.tags import Interpreter
from factory.trials.subjects import Subjects, loadable, subjects, tolerated_members
from factory.trials.witness import roots_of
from factory.wheel import read_wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What loads and trials need to know about a wheel that the gate passed.

    `loadable` are the members that a loader can load, `tolerated` those among them whose defects the recipe waives;
    `subjects` are by interpreter what its trial loads, imports and starts; `roots` are the packages and modules that it
    brings.
    """

    name: NormalizedName
    requires_dist: tuple[str, ...]
    loadable: tuple[str, ...]
    tolerated: frozenset[str]
    roots: tuple[str, ...]
    subjects: Mapping[Interpreter, Subjects]


def judge(store: Store, reader: Reader, wheel: Artifact, expectation: Expectation, today: date) -> Audit:
    """Judge a wheel of the store; one that cannot be read within limits is refused."""
    with store.lend(wheel) as path:
        verdict = reader(partial(_judged, path, expectation, today), Bounds.of(wheel.size_bytes))
    return unread(wheel.filename, verdict.reason) if isinstance(verdict, Overrun) else verdict


def differences(
    store: Store, reader: Reader, raw: Artifact, repaired: Artifact
) -> tuple[tuple[str, ...], Repair] | Overrun:
    """Say what a repair changed that it may not change, in a few texts, and return all that it did."""
    bounds = Bounds.of(raw.size_bytes + repaired.size_bytes)
    with store.lend(raw) as before, store.lend(repaired) as after:
        return reader(partial(_differences, before, after), bounds)


def contents(
    store: Store,
    reader: Reader,
    wheel: Artifact,
    verdict: Audit,
    trials: Mapping[Interpreter, tuple[AuditSpec, TestSpec]],
) -> Contents | Overrun:
    """Read what loads and trials need to know about a wheel; `trials` is what the recipe says, by interpreter."""
    with store.lend(wheel) as path:
        return reader(partial(_contents, path, verdict, dict(trials)), Bounds.of(wheel.size_bytes))


def _judged(path: Path, expectation: Expectation, today: date) -> Audit:
    return audit(read_wheel(path), expectation, today)


def _differences(before: Path, after: Path) -> tuple[tuple[str, ...], Repair]:
    raw, repaired = read_wheel(before), read_wheel(after)
    return faults(raw, repaired), compare(raw, repaired)


def _contents(path: Path, verdict: Audit, trials: Mapping[Interpreter, tuple[AuditSpec, TestSpec]]) -> Contents:
    wheel = read_wheel(path)
    if wheel.name is None:
        raise AssertionError("the gate passes no wheel without a name")
    return Contents(
        name=wheel.name.name,
        requires_dist=wheel.metadata.requires_dist if wheel.metadata else (),
        loadable=loadable(wheel),
        tolerated=tolerated_members(wheel, verdict),
        roots=roots_of(wheel.members),
        subjects={
            interpreter: subjects(wheel, verdict, expected, test, interpreter)
            for interpreter, (expected, test) in trials.items()
        },
    )
