"""`overrides`: what differs for some cells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field

from factory.errors import Span
from factory.form.document import Mapping, Node
from factory.form.fields import Field, fields_of, optional, section
from factory.form.kinds import Kind, MapOf, Place, Schema
from factory.form.records import Record, Values, record
from factory.recipe.sections.build import BuildSpec, check_build
from factory.recipe.sections.gate import AuditSpec, RepairSpec, Selecting
from factory.recipe.sections.trial import TestSpec

_ELSEWHERE = "set it under build, or write a separate recipe for these cells"


@section
class Sections:
    """The sections that an override may change per cell."""

    build: BuildSpec = optional(
        kind=record(BuildSpec, check=check_build),
        doc="How a wheel is made.",
        example="build: {features: [simd]}",
        default=BuildSpec(),
    )
    repair: RepairSpec = optional(
        kind=record(RepairSpec),
        doc="Options for auditwheel.",
        example="repair: {strip: true}",
        default=RepairSpec(),
    )
    audit: AuditSpec = optional(
        kind=record(AuditSpec),
        doc="What the gate expects of the wheel.",
        example="audit: {modules: [nh3.nh3]}",
        default=AuditSpec(),
    )
    test: TestSpec = optional(
        kind=record(TestSpec),
        doc="How the installed wheel is tried, once per interpreter.",
        example="test: {import: [nh3]}",
        default=TestSpec(),
    )


@section
class Override(Sections):
    """What differs for the cells that a glob selects, or with an `@` in it for their trials.

    Each of `paths` names a value that counts, by attributes from the section down and in a mapping by its key; all else
    in the sections is a default without meaning. `span` is where the glob is written.
    """

    select: str
    paths: tuple[tuple[str, ...], ...]
    span: Span | None = dataclass_field(compare=False)


@dataclass(frozen=True, slots=True)
class WholeRecipe(Kind[None]):
    """The kind of a field that decides which cells there are, so that no cell can have its own."""

    name: str = "nothing here"

    def read(self, node: Node, place: Place) -> None:
        """Refuse whatever is there."""
        place.refuse(node.span, "applies to the whole recipe, not to some of its cells", _ELSEWHERE)

    def schema(self) -> Schema:
        """Admit nothing."""
        return {"not": {}}


def _cell_level(field: Field) -> Field:
    """Return a section's field as an override may hold it: only what may differ per cell."""
    if not isinstance(field.kind, Record):
        return field
    fields = tuple(
        inner if inner.level == "cell" else replace(inner, kind=WholeRecipe()) for inner in field.kind.fields
    )
    return replace(field, kind=replace(field.kind, fields=fields))


_SECTIONS = tuple(_cell_level(field) for field in fields_of(Sections))


def _check(values: Values, place: Place, span: Span) -> None:
    """Refuse an override that changes nothing, or for a trial anything but its test."""
    given = [entry for field in _SECTIONS if (entry := values.entry(field.name))]
    if not given:
        place.refuse(span, "changes nothing", "say what differs for these cells: test: {requires: [pytest<8]}")
    if "select" not in values or "@" not in values["select"]:
        return
    for entry in given:
        if entry.key != "test":
            hint = "select the cell, without the @ and what follows it"
            place.at(entry.key).refuse(
                entry.key_span, "can differ between cells, but not between the trials of one wheel", hint
            )


def _override(values: Values) -> Override:
    paths = (
        path
        for field in _SECTIONS
        if (entry := values.entry(field.name))
        for path in _paths((field.key,), field.kind, entry.value)
    )
    make: Callable[..., Override] = Override
    select = values.entry("select")
    return make(paths=tuple(paths), span=select.value.span if select else None, **values.attributes())


def _paths(path: tuple[str, ...], kind: Kind[object], node: Node) -> Iterator[tuple[str, ...]]:
    """Yield where the values lie that a node names, one for each key of a mapping."""
    if isinstance(kind, Record) and isinstance(node, Mapping):
        known = {field.name: field for field in kind.fields}
        for entry in node.entries:
            field = known[entry.key]
            yield from _paths((*path, field.key), field.kind, entry.value)
    elif isinstance(kind, MapOf) and isinstance(node, Mapping):
        yield from ((*path, entry.key) for entry in node.entries)
    else:
        yield path


OVERRIDE = Record(fields=(*fields_of(Selecting), *_SECTIONS), build=_override, check=_check)
