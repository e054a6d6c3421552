"""Take secrets out of events: out of every text that something outside the factory may have shaped."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Waiver
from factory.digest import Artifact, Digest
from factory.events.model import (
    JobEnded,
    JobStarted,
    Progress,
    RecipeFailed,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    TrialEnded,
    TrialResult,
    WorkStarted,
)
from factory.failure import Failure
from factory.plan.model import Cell, Plan

T = TypeVar("T")

_WHOLE = (Plan, Cell, Waiver, Artifact, Digest, RunStarted, WorkStarted, JobStarted, JobEnded, StepStarted, StepEnded)
"""Left as they are: what plan and recipe say, which were read before anything ran; artifacts, whose names were searched
before they were kept; and events that hold only our own words."""
_OURS: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        Progress: frozenset({"subject"}),
        TrialEnded: frozenset({"address"}),
        RecipeFailed: frozenset({"recipe"}),
        RunEnded: frozenset({"at"}),
        Failure: frozenset({"step", "log"}),
        TrialResult: frozenset({"image"}),
        Finding: frozenset({"rule"}),
        Ruling: frozenset({"check"}),
    }
)
"""Fields that hold names from the plan and words of our own; readers join events by them, so they stay as they are."""


def without_secrets(value: T, hide: Callable[[str], str]) -> T:
    """Return the same frozen value with `hide` applied to its texts, those in tuples and mappings included."""
    return _hidden(value, hide)  # type: ignore[return-value]  # each branch returns the type that it was given


def _hidden(value: object, hide: Callable[[str], str]) -> object:
    match value:
        case Enum():
            return value
        case str():
            return hide(value)
        case tuple():
            return tuple(_hidden(part, hide) for part in value)
        case Mapping():
            return MappingProxyType({name: _hidden(part, hide) for name, part in value.items()})
        case _ if is_dataclass(value) and not isinstance(value, (type, *_WHOLE)):
            return replace(value, **dict(_changes(value, _texts(type(value)), hide)))
        case _:
            return value


def _changes(value: object, names: Iterable[str], hide: Callable[[str], str]) -> Iterator[tuple[str, object]]:
    """Yield those of a dataclass's fields in which something is hidden, with their new values."""
    for name in names:
        part = getattr(value, name)
        hidden = _hidden(part, hide)
        if hidden != part:
            yield name, hidden


@cache
def _texts(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that may hold a text from outside; tags and versions, once parsed, cannot."""
    if hasattr(kind, "parse"):
        return ()
    hints = get_type_hints(kind)
    ours = _OURS.get(kind, frozenset())
    return tuple(part.name for part in fields(kind) if part.name not in ours and not _is_literal(hints[part.name]))


def _is_literal(hint: object) -> bool:
    return get_origin(hint) is Literal or any(get_origin(part) is Literal for part in get_args(hint))
