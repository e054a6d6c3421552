"""A recipe before it is text: fields with their origins, and what was left out with the reasons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

Value = str | bool | int | Sequence["Value"] | Mapping[str, "Value"]

_MOST_FIELDS = 200
_MOST_ITEMS = 200
_MOST_CHARACTERS = 4000
_SYSTEM = ("build", "system")
_SCRIPTS = (("build", "before"), ("test", "run"))  # where a line may be there twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of the recipe to be: its keys from the top down, its value, and where that was read.

    `caution` is a warning for the user, who decides whether the field stays: it is printed, and written above it.
    """

    field: tuple[str, ...]
    value: Value
    why: str = ""
    caution: str = ""

    @property
    def dotted(self) -> str:
        """Its name as messages spell it."""
        return ".".join(self.field)

    @property
    def required(self) -> bool:
        """Whether every recipe must have it."""
        return self.field[0] in ("factory", "name", "source", "interpreters", "platforms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was left out of the recipe, as the source has it, and why."""

    what: str
    why: str


Carried = Entry | Left


def shown(value: Value) -> str:
    """Return a value as a comment shows it."""
    match value:
        case str() | int():
            return str(value)
        case Mapping():
            return ", ".join(f"{name}: {shown(inner)}" for name, inner in value.items())
        case items:
            return ", ".join(shown(item) for item in items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A recipe to be. No two fields have the same keys; every text can be written down."""

    title: str
    entries: tuple[Entry, ...]
    left: tuple[Left, ...] = ()

    @classmethod
    def of(cls, title: str, carried: Iterable[Carried]) -> Self:
        """Join what several places say: lists add up, of other fields the first is kept."""
        entries: dict[tuple[str, ...], Entry] = {}
        left: list[Left] = []
        for item in chain.from_iterable(map(_bounded, carried)):
            if isinstance(item, Left):
                left.append(item)
            elif (first := entries.get(item.field)) is None:
                entries[item.field] = item
            else:
                why = f"{first.why}; {item.why}" if item.field[:2] == _SYSTEM and item.why != first.why else first.why
                entries[item.field] = replace(first, value=_joined(item.field, first.value, item.value), why=why)
        kept = list(entries.values())
        left += [Left(what=entry.dotted, why="there are too many fields") for entry in kept[_MOST_FIELDS:]]
        return cls(title=title, entries=tuple(kept[:_MOST_FIELDS]), left=tuple(dict.fromkeys(left)))

    def value(self, field: tuple[str, ...]) -> tuple[str, ...]:
        """Return the texts of a list; none where the field is absent."""
        values = next((entry.value for entry in self.entries if entry.field == field), ())
        return tuple(map(str, values)) if isinstance(values, tuple) else ()

    def least(self, kept: Sequence[str]) -> Self:
        """Return the draft with only what every recipe has, and the fields that are to be kept."""
        entries = (entry for entry in self.entries if entry.required or entry.dotted in kept)
        return replace(self, entries=tuple(entries))

    def replaced(self, field: tuple[str, ...], value: Value) -> Self:
        """Return the draft with another value of a field that it has."""
        entries = (replace(entry, value=value) if entry.field == field else entry for entry in self.entries)
        return replace(self, entries=tuple(entries))


def _joined(field: tuple[str, ...], old: Value, new: Value) -> Value:
    if not isinstance(old, tuple) or not isinstance(new, tuple):
        return old
    return (*old, *new) if field in _SCRIPTS else tuple(dict.fromkeys((*old, *new)))


def _bounded(entry: Carried) -> Iterable[Carried]:
    """Yield a field as far as it can be written: no text is too long or has an invisible character."""
    if isinstance(entry, Left):
        yield entry
        return
    items = entry.value if isinstance(entry.value, tuple) else (entry.value,)
    kept = []
    for item in items[:_MOST_ITEMS]:
        why = _unfit(item)
        if why:
            yield Left(what=f"{entry.dotted}: {shown(item)}", why=why)
        else:
            kept.append(item)
    if len(items) > _MOST_ITEMS:
        yield Left(what=f"{entry.dotted}: items after {_MOST_ITEMS}", why="there are too many")
    if kept:
        yield replace(entry, value=tuple(kept) if isinstance(entry.value, tuple) else kept[0])


def _unfit(value: Value) -> str:
    texts = value.values() if isinstance(value, Mapping) else (value,)
    for text in texts:
        if isinstance(text, str) and len(text) > _MOST_CHARACTERS:
            return f"it has {len(text)} characters"
        if isinstance(text, str) and not all(character.isprintable() or character == "\n" for character in text):
            return "it holds invisible characters"
    return ""
