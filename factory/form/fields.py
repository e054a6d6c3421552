"""Fields of a form: one definition gives the parser, the schema, the reference, and the attribute with its default."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar, dataclass_transform

from factory.form.kinds import Kind

T = TypeVar("T")

Level = Literal["recipe", "cell"]
Stage = Literal["source", "prepare", "build", "repair", "audit", "trial", "programs"]

_FIELD = "field"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """One row of the table of fields.

    `example` is the field as a line of a recipe. `default` is what an absent field means; `shown_default` says it
    to people where Python's own form would not. `level` says whether `overrides` may change it per cell, `enters` which
    stages' keys it is part of. `attribute` is its name in the value that its section becomes, where that is not its own
    with `_` for `-`.
    """

    name: str
    kind: Kind[object]
    doc: str
    example: str
    default: object = None
    required: bool = False
    shown_default: str = ""
    level: Level = "cell"
    enters: tuple[Stage, ...] = ()
    attribute: str = ""
    hint: str = ""

    @property
    def key(self) -> str:
        """Its name in the value that its section becomes."""
        return self.attribute or self.name.replace("-", "_")


def required(
    *,
    kind: Kind[T],
    doc: str,
    example: str,
    hint: str,
    name: str = "",
    level: Level = "cell",
    enters: tuple[Stage, ...] = (),
) -> T:
    """Define an attribute of a section whose field must be there; `name` is the field's, where it is another."""
    field = Field(name=name, kind=kind, doc=doc, example=example, hint=hint, level=level, enters=enters, required=True)
    attribute: T = dataclasses.field(metadata={_FIELD: field})
    return attribute


def optional(
    *,
    kind: Kind[T],
    doc: str,
    example: str,
    default: T,
    shown_default: str = "",
    name: str = "",
    level: Level = "cell",
    enters: tuple[Stage, ...] = (),
) -> T:
    """Define an attribute of a section whose field may be absent; `name` is the field's, where it is another."""
    field = Field(
        name=name,
        kind=kind,
        doc=doc,
        example=example,
        default=default,
        shown_default=shown_default,
        level=level,
        enters=enters,
    )
    # A factory, because dataclasses refuse defaults that cannot be hashed, such as a MappingProxyType.
    return dataclasses.field(default_factory=lambda: default, metadata={_FIELD: field})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(required, optional))
def section(cls: type[T]) -> type[T]:
    """Make a frozen dataclass of a class whose attributes are fields."""
    return dataclass(frozen=True, slots=True, kw_only=True)(cls)


def fields_of(cls: type) -> tuple[Field, ...]:
    """Return the fields that a section's attributes define, in their order."""
    return tuple(_fields_of(cls))


def field_of(cls: type, attribute: str) -> Field:
    """Return the field that an attribute of a section defines."""
    return next(field for field in _fields_of(cls) if field.key == attribute)


def _fields_of(cls: type) -> Iterator[Field]:
    for attribute in dataclasses.fields(cls):
        field = attribute.metadata.get(_FIELD)
        if isinstance(field, Field):
            name = field.name or attribute.name.replace("_", "-")
            yield dataclasses.replace(field, name=name, attribute=attribute.name)
