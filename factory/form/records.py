"""Mappings with known keys: fields, read into the frozen value that they describe."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from factory.errors import Span
from factory.form.document import Entry, Mapping, Node, Scalar
from factory.form.fields import Field, fields_of
from factory.form.kinds import Kind, Place, Schema, refuse_shape
from factory.form.problems import did_you_mean, nearest, quote

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Values:
    """What a mapping held: values by the names of their fields, and the nodes they were read from."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self._fields = {field.name: field for field in fields}
        self._read: dict[str, object] = {}
        self._entries: dict[str, Entry] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 -- each field's kind says of which type its value is
        """Return what was read, else the default; only asked once all required fields are there."""
        return self._read.get(name, self._fields[name].default)

    def __contains__(self, name: str) -> bool:
        return name in self._read

    def entry(self, name: str) -> Entry | None:
        """Return the `key: value` a field was read from, None where the field is absent."""
        return self._entries.get(name)

    def put(self, name: str, value: object, entry: Entry) -> None:
        """Keep what was read; of what could not be read (None), only the place."""
        self._entries[name] = entry
        if value is not None:
            self._read[name] = value

    def attributes(self) -> dict[str, object]:
        """Return what was read, by the attributes that it becomes."""
        return {self._fields[name].key: value for name, value in self._read.items()}


Check = Callable[[Values, Place, Span], None]


def _no_check(_values: Values, _place: Place, _span: Span) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record(Kind[T_co]):
    """A mapping with known keys.

    `build` is called only when nothing in the mapping was refused; `check` applies the rules between its fields, and
    is always called.
    """

    fields: tuple[Field, ...]
    build: Callable[[Values], T_co]
    check: Check = _no_check
    name: str = "a mapping"
    elsewhere: Callable[[str], str] = lambda _key: ""

    def read(self, node: Node, place: Place) -> T_co | None:
        """Read every known key; unknown and missing ones are problems."""
        if not isinstance(node, Mapping):
            refuse_shape(node, place, self.name)
            return None
        before = len(place.problems)
        values = self.values(node, place)
        return self.build(values) if len(place.problems) == before else None

    def values(self, node: Mapping, place: Place) -> Values:
        """Read the fields without building anything of them."""
        values, known = Values(self.fields), {field.name: field for field in self.fields}
        meant = set()
        for entry in node.entries:
            if (field := known.get(entry.key)) is None:
                meant.add(self._refuse_unknown(entry.key, entry.key_span, place))
            else:
                values.put(field.name, _read_field(field, entry.value, place.at(entry.key, field.example)), entry)
        for field in self.fields:
            if field.required and values.entry(field.name) is None and field.name not in meant:
                place.refuse(node.span, f"{field.name} is missing", field.hint)
        self.check(values, place, node.span)
        return values

    def _refuse_unknown(self, key: str, span: Span, place: Place) -> str:
        """Refuse a key, and return the field that was meant, which is then not missing too; empty if none is near."""
        names = [field.name for field in self.fields]
        near = nearest(key, names)
        hint = did_you_mean(key, names) or self.elsewhere(key) or f"known fields: {', '.join(names)}"
        place.refuse(span, f"unknown field {quote(key)}", hint)
        return near

    def schema(self) -> Schema:
        """Describe it as an object with exactly these properties."""
        described: Schema = {"type": "object", "additionalProperties": False}
        described["properties"] = {field.name: field_schema(field) for field in self.fields}
        if required := [field.name for field in self.fields if field.required]:
            described["required"] = list(required)
        return described


def record(section: type[T], *, check: Check = _no_check) -> Record[T]:
    """Describe a mapping by the section that it becomes."""
    return Record(fields=fields_of(section), build=built(section), check=check)


def built(make: Callable[..., T]) -> Callable[[Values], T]:
    """Return what calls a class with the values that were read; the class has the defaults."""
    return lambda values: make(**values.attributes())


def _read_field(field: Field, node: Node, place: Place) -> object:
    if isinstance(node, Scalar) and node.meaning == "null":
        place.refuse(node.span, "has no value", _absent_hint(field))
        return None
    return field.kind.read(node, place)


def _absent_hint(field: Field) -> str:
    return f"for example {field.example}{'' if field.required else '; or remove the line'}"


def field_schema(field: Field) -> Schema:
    """Describe one field."""
    return {"description": field.doc, **field.kind.schema()}


def walk(fields: tuple[Field, ...], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field with its dotted name, a section before what is in it."""
    for field in fields:
        inner, suffix = _inner(field.kind)
        yield prefix + field.name, field
        yield from walk(inner, f"{prefix}{field.name}{suffix}.")


def _inner(kind: Kind[object]) -> tuple[tuple[Field, ...], str]:
    if isinstance(kind, Record):
        return kind.fields, ""
    item = getattr(kind, "item", None)
    return (item.fields, "[]") if isinstance(item, Record) else ((), "")
