"""`overrides`: what differs for some cells."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from factory.errors import Span
from factory.form.document import Mapping, Node
from factory.form.kinds import Kind, ListOf, MapOf, Place, Schema
from factory.form.records import Field, Record, Values
from factory.recipe.model import Override
from factory.recipe.sections.build import BUILD
from factory.recipe.sections.gate import AUDIT, REPAIR, SELECT
from factory.recipe.sections.trial import TEST

_ELSEWHERE = "set it under build, or write a recipe of its own for these cells"


@dataclass(frozen=True, slots=True)
class WholeRecipe(Kind[None]):
    """The kind of a field that decides which cells there are: none of them can have its own."""

    name: str = "nothing here"

    def read(self, node: Node, place: Place) -> None:
        """Refuse whatever stands there."""
        place.refuse(node.span, "holds for the whole recipe, not for some of its cells", _ELSEWHERE)

    def schema(self) -> Schema:
        """Admit nothing."""
        return {"not": {}}


def _cell_level(section: Field[object]) -> Field[object]:
    """Return a section as an override may hold it: what differs per cell alone."""
    if not isinstance(section.kind, Record):
        return section
    fields = tuple(
        field if field.level == "cell" else replace(field, kind=WholeRecipe()) for field in section.kind.fields
    )
    return replace(section, kind=replace(section.kind, fields=fields))


_SECTIONS = tuple(_cell_level(section) for section in (BUILD, REPAIR, AUDIT, TEST))


def _check(values: Values, place: Place, span: Span) -> None:
    """Something differs; and for a trial, its test alone."""
    given = [entry for section in _SECTIONS if (entry := values.entry(section))]
    if not given:
        place.refuse(span, "changes nothing", "say what differs for these cells: test: {requires: [pytest<8]}")
    if SELECT not in values or "@" not in values[SELECT]:
        return
    for entry in given:
        if entry.key != TEST.name:
            hint = "select the cell, without the @ and what follows it"
            place.at(entry.key).refuse(entry.key_span, "differs between cells, not between trials of one wheel", hint)


def _override(values: Values) -> Override:
    paths = (
        path
        for section in _SECTIONS
        if (entry := values.entry(section))
        for path in _paths((section.key,), section.kind, entry.value)
    )
    return Override(
        select=values[SELECT],
        paths=tuple(paths),
        build=values[BUILD],
        repair=values[REPAIR],
        audit=values[AUDIT],
        test=values[TEST],
    )


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


OVERRIDES: Field[tuple[Override, ...]] = Field(
    name="overrides",
    example="overrides: [{select: '*-musllinux_*', build: {locked: false}}]",
    kind=ListOf(
        item=Record(fields=(SELECT, *_SECTIONS), build=_override, check=_check),
        name="a list of mappings",
    ),
    doc="Changes for the cells that a glob selects, in order: the last that matches wins, key by key. "
    "A glob with an `@` selects trials, whose `test` alone can differ.",
    default=(),
    level="recipe",
)
