"""Mappings with known keys: fields with their defaults, read into values that a builder turns into a frozen value."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, cast

from factory.errors import Span
from factory.form.document import Entry, Mapping, Node, Scalar
from factory.form.kinds import Kind, Place, Schema, refuse_shape
from factory.form.problems import did_you_mean, nearest, quote

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

NOT_YET = "this version of the factory does not do that yet"

Level = Literal["recipe", "cell"]
Stage = Literal["source", "prepare", "build", "repair", "audit", "trial"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field(Generic[T_co]):
    """One row of the table of fields.

    `example` is a line that could stand in a recipe. `default` is what an absent field means; `shown_default` says it
    to people where Python's own form would not. `level` says whether `overrides` may change it per cell, `enters` in
    which stages' keys it stands. `attribute` is its name in the value that its section becomes, where that is not its
    own with `_` for `-`. `not_yet` marks what the format knows and this program does not do yet.
    """

    name: str
    kind: Kind[T_co]
    doc: str
    example: str
    default: T_co | None = None
    required: bool = False
    shown_default: str = ""
    level: Level = "cell"
    enters: tuple[Stage, ...] = ()
    attribute: str = ""
    not_yet: bool = False
    hint: str = ""

    @property
    def key(self) -> str:
        """Its name in the value that its section becomes."""
        return self.attribute or self.name.replace("-", "_")


class Values:
    """What a mapping held: values by field, and the nodes they were read from."""

    def __init__(self) -> None:
        self._read: dict[str, object] = {}
        self._entries: dict[str, Entry] = {}

    def __getitem__(self, field: Field[T]) -> T:
        """Return what was read, else the default; only asked once all required fields are there."""
        return cast("T", self._read.get(field.name, field.default))

    def __contains__(self, field: Field[object]) -> bool:
        return field.name in self._read

    def entry(self, field: Field[object]) -> Entry | None:
        """Return the `key: value` a field was read from, None where the field is absent."""
        return self._entries.get(field.name)

    def put(self, field: Field[T], value: T | None, entry: Entry) -> None:
        """Keep what was read; None (unreadable) keeps the place alone."""
        self._entries[field.name] = entry
        if value is not None:
            self._read[field.name] = value


Check = Callable[[Values, Place, Span], None]


def _no_check(_values: Values, _place: Place, _span: Span) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record(Kind[T_co]):
    """A mapping with known keys.

    `build` is called only when nothing in the mapping was refused; `check` holds the rules between its fields and is
    always called.
    """

    fields: tuple[Field[object], ...]
    build: Callable[[Values], T_co]
    check: Check = _no_check
    name: str = "a mapping"
    elsewhere: Callable[[str], str] = lambda _key: ""

    def read(self, node: Node, place: Place) -> T_co | None:
        """Read every known key, and complain about unknown and missing ones."""
        if not isinstance(node, Mapping):
            refuse_shape(node, place, self.name)
            return None
        before = len(place.problems)
        values = self.values(node, place)
        return self.build(values) if len(place.problems) == before else None

    def values(self, node: Mapping, place: Place) -> Values:
        """Read the fields without building anything of them."""
        values, known = Values(), {field.name: field for field in self.fields}
        meant = set()
        for entry in node.entries:
            if (field := known.get(entry.key)) is None:
                meant.add(self._refuse_unknown(entry.key, entry.key_span, place))
            else:
                values.put(field, _read_field(field, entry.value, place.at(entry.key, field.example)), entry)
        for field in self.fields:
            if field.required and values.entry(field) is None and field.name not in meant:
                place.refuse(node.span, f"{field.name} is missing", field.hint)
        self.check(values, place, node.span)
        return values

    def _refuse_unknown(self, key: str, span: Span, place: Place) -> str:
        """Complain about a key, and return the field that was meant: that is not missing too. Empty if none is near."""
        known = ", ".join(field.name for field in self.fields if not field.not_yet)
        names = [field.name for field in sorted(self.fields, key=lambda field: field.not_yet)]
        near = nearest(key, names)
        hint = did_you_mean(key, names) or self.elsewhere(key) or f"known here: {known}"
        place.refuse(span, f"unknown field {quote(key)}", hint)
        return near

    def schema(self) -> Schema:
        """Describe it as an object with exactly these properties."""
        described: Schema = {"type": "object", "additionalProperties": False}
        described["properties"] = {field.name: field_schema(field) for field in self.fields}
        if required := [field.name for field in self.fields if field.required]:
            described["required"] = list(required)
        return described


def _read_field(field: Field[T], node: Node, place: Place) -> T | None:
    if isinstance(node, Scalar) and node.meaning == "null":
        place.refuse(node.span, "has no value", _absent_hint(field))
        return None
    before = len(place.problems)
    value = field.kind.read(node, place)
    if field.not_yet and len(place.problems) == before:
        place.refuse(node.span, NOT_YET, field.hint)
    return None if field.not_yet else value


def _absent_hint(field: Field[object]) -> str:
    return f"for example {field.example}{'' if field.required else '; or take the line out'}"


def field_schema(field: Field[T]) -> Schema:
    """Describe one field; what is not done yet admits nothing, so that an editor says so too."""
    if field.not_yet:
        return {"description": f"{field.doc} Not in this version yet.", "not": {}}
    return {"description": field.doc, **field.kind.schema()}


def walk(fields: tuple[Field[object], ...], prefix: str = "") -> Iterator[tuple[str, Field[object]]]:
    """Yield every field with its dotted name, a section before what is in it."""
    for field in fields:
        inner, suffix = _inner(field.kind)
        yield prefix + field.name, field
        yield from walk(inner, f"{prefix}{field.name}{suffix}.")


def _inner(kind: Kind[object]) -> tuple[tuple[Field[object], ...], str]:
    if isinstance(kind, Record):
        return kind.fields, ""
    item = getattr(kind, "item", None)
    return (item.fields, "[]") if isinstance(item, Record) else ((), "")
