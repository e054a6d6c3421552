"""Read wheels for the stages, each time in a process of its own, because strangers made them."""

import copyreg
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from packaging.utils import NormalizedName

from factory.audit import Audit, Expectation, audit, unread
from factory.comparison.changes import Comparison, compared
from factory.comparison.contents import contents
from factory.confined import Bounds, Overrun, Reader
from factory.digest import Artifact, Digest
from factory.repair import Repair, compare, faults
from factory.store import Store
from factory.tags import Interpreter
from factory.trials.subjects import (
    Subjects,
    Wanted,
    WindowsModule,
    loadable,
    subjects,
    tolerated_members,
    windows_modules,
)
from factory.trials.witness import roots_of
from factory.wheel import Wheel, read_wheel

_T = TypeVar("_T")
_Work = Callable[..., _T]
_MOST_SEALED_BYTES = 1 << 26  # the wheel of scipy 1.17 takes 2 MiB; one that takes more is read again


def _frozen(mapping: dict[object, object]) -> MappingProxyType[object, object]:
    return MappingProxyType(mapping)


# A Wheel holds such mappings, whose own class cannot be pickled by its name.
copyreg.pickle(MappingProxyType, lambda mapping: (_frozen, (dict(mapping),)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What loads and trials need to know about a wheel that the gate passed.

    `loadable` are the members that a loader can load, `windows` those that Windows' can, and `tolerated` those among
    them whose defects the recipe waives; `subjects` are by an interpreter's name what its trial loads, imports and
    starts; `roots` are the packages and modules that it brings.
    """

    name: NormalizedName
    requires_dist: tuple[str, ...]
    loadable: tuple[str, ...]
    windows: Mapping[str, WindowsModule]
    tolerated: frozenset[str]
    roots: tuple[str, ...]
    subjects: Mapping[str, Subjects]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The wheels of one cell. The first work that needs one reads it; later work is given what was read.

    All of it happens in processes of their own; `sealed` holds their pickled `Wheel`s, which only they open.
    """

    store: Store
    reader: Reader
    sealed: dict[Digest, bytes] = field(default_factory=dict)

    def judge(self, wheel: Artifact, expectation: Expectation, today: date) -> Audit:
        """Judge a wheel of the store; one that cannot be read within limits is refused."""
        verdict = self._from((wheel,), partial(_judged, expectation, today))
        return unread(wheel.filename, verdict.reason) if isinstance(verdict, Overrun) else verdict

    def differences(self, raw: Artifact, repaired: Artifact) -> tuple[tuple[str, ...], Repair] | Overrun:
        """Say what a repair changed that it may not change, in a few texts, and return all that it did."""
        return self._from((raw, repaired), _differences)

    def compared(self, new: Artifact, old: Artifact) -> Comparison | Overrun | None:
        """Compare a wheel with that of an older release; None where that one cannot be read whole."""
        return self._from((new, old), _compared)

    def contents(
        self, wheel: Artifact, waived: AbstractSet[str], trials: Mapping[Interpreter, Wanted]
    ) -> Contents | Overrun:
        """Read what loads and trials need to know about a wheel.

        `waived` are the subjects of waived errors; `trials` is what the recipe says, by interpreter.
        """
        return self._from((wheel,), partial(_contents, waived, dict(trials)))

    def metadata(self, wheel: Artifact) -> bytes | None:
        """Read a wheel's METADATA; None where it has none, or cannot be read within limits."""
        text = self._from((wheel,), _metadata)
        return None if isinstance(text, Overrun) else text

    def _from(self, wheels: Sequence[Artifact], work: _Work[_T]) -> _T | Overrun:
        bounds = Bounds.of(sum(wheel.size_bytes for wheel in wheels))
        with ExitStack() as stack:
            given = [self.sealed.get(wheel.digest) or stack.enter_context(self.store.lend(wheel)) for wheel in wheels]
            answer = self.reader(partial(_worked, work, given), bounds)
        if isinstance(answer, Overrun):
            return answer
        value, sealed = answer
        self.sealed.update(zip((wheel.digest for wheel in wheels), sealed, strict=True))
        return value


def _worked(work: _Work[_T], given: Sequence[bytes | Path]) -> tuple[_T, list[bytes]]:
    """Work on wheels that are read or opened here; also return them sealed."""
    wheels = [read_wheel(wheel) if isinstance(wheel, Path) else _opened(wheel) for wheel in given]
    return work(*wheels), [
        _sealed(wheel) if isinstance(source, Path) else source for source, wheel in zip(given, wheels, strict=True)
    ]


def _metadata(wheel: Wheel) -> bytes | None:
    return None if wheel.metadata is None else wheel.metadata.text


def _judged(expectation: Expectation, today: date, wheel: Wheel) -> Audit:
    return audit(wheel, expectation, today)


def _differences(raw: Wheel, repaired: Wheel) -> tuple[tuple[str, ...], Repair]:
    return faults(raw, repaired), compare(raw, repaired)


def _compared(new: Wheel, old: Wheel) -> Comparison | None:
    return None if old.has_unread else compared(contents(new), contents(old))


def _contents(waived: AbstractSet[str], trials: Mapping[Interpreter, Wanted], wheel: Wheel) -> Contents:
    if wheel.name is None:
        raise AssertionError("the gate passes no wheel without a name")
    return Contents(
        name=wheel.name.name,
        requires_dist=wheel.metadata.requires_dist if wheel.metadata else (),
        loadable=loadable(wheel),
        windows=windows_modules(wheel),
        tolerated=tolerated_members(wheel, waived),
        roots=roots_of(wheel.members),
        subjects={
            str(interpreter): subjects(wheel, waived, wanted, interpreter) for interpreter, wanted in trials.items()
        },
    )


def _sealed(wheel: Wheel) -> bytes:
    import pickle  # noqa: PLC0415 -- only where a wheel was read

    sealed = pickle.dumps(wheel)
    return sealed if len(sealed) <= _MOST_SEALED_BYTES else b""


def _opened(sealed: bytes) -> Wheel:
    import pickle  # noqa: PLC0415 -- only where a wheel was sealed

    wheel: Wheel = pickle.loads(sealed)  # noqa: S301 -- written by a fork of this program
    return wheel
