"""YAML, strictly: text to a tree of nodes that know their places; nothing is ever constructed.

A recipe needs mappings, lists and scalars. Everything else that YAML can do (anchors, merge keys, tags, several
documents, directives, keys that are not words) is a problem, and so is whatever two readers could understand
differently.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.nodes import ScalarNode

from factory.errors import Span
from factory.form.lines import Source
from factory.form.problems import Problems, StopReading, quote

DEPTH_LIMIT = 20

Meaning = Literal["text", "bool", "int", "float", "date", "null", "merge", "value"]

# libyaml is much faster; either only yields events, and never constructs a value.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
# All but the printable characters of YAML 1.2 (section 5.1); a carriage return only ends a line.
_UNFIT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
_TAG_PREFIX = "tag:yaml.org,2002:"
_MEANINGS: dict[str, Meaning] = {
    "str": "text",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "timestamp": "date",
    "null": "null",
    "merge": "merge",
    "value": "value",
}
# What YAML 1.2 reads as a number and PyYAML's YAML 1.1 as text, or the other way round: both meanings count.
_NUMBER_IN_12 = re.compile(r"0o[0-7]+|[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+|[-+]?[0-9]+")
_CLOSING = {"[": "]", "{": "}"}
_RESOLVER = yaml.resolver.Resolver()
_BOOL_IN_11 = frozenset("yYnN")  # YAML 1.1 reads them as truth values, although PyYAML does not.


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One value as it was written, quotes removed. `meaning` is what YAML would make of it; quoted is always text."""

    text: str
    meaning: Meaning
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One `key: value` of a mapping."""

    key: str
    key_span: Span
    value: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Keys and values in the order of the text; every key is there once."""

    entries: tuple[Entry, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A place whose problem is already in the list, so that nothing else is said about it."""

    span: Span


Node = Scalar | Sequence | Mapping | Broken


def compose(source: Source, problems: Problems) -> Node | None:
    """Read the document of a text; None when there is none, or YAML cannot read it to its end."""
    if unfit := _UNFIT.search(source.text):
        _refuse_unfit(unfit, source, problems)
        return None
    try:
        return _Composer(source, problems).document()
    except yaml.MarkedYAMLError as error:
        message, place, hint = _syntax(error, source)
        problems.add(message, place, hint=hint)
    return None


def _refuse_unfit(unfit: re.Match[str], source: Source, problems: Problems) -> None:
    place = source.span_at(unfit.start())
    if unfit.start() == 0 and unfit.group() == "\ufeff":
        problems.add("begins with a byte order mark", place, hint="save the file as UTF-8 without one")
    else:
        message = f"contains the character U+{ord(unfit.group()):04X}, which is not allowed"
        problems.add(message, place, hint="remove it")


def is_plain_text(word: str) -> bool:
    """Tell whether YAML 1.1 and 1.2 both read an unquoted word as text, not as a number, a date or a truth value."""
    return _meaning(word) == "text"


class _Composer:
    """One pass over YAML's events."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self._events: Iterator[Event] = iter(yaml.parse(source.text, Loader=_LOADER))

    def document(self) -> Node | None:
        """Read the first document, and refuse a second."""
        root: Node | None = None
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if event.version or event.tags:
                self._refuse(event, "contains a YAML directive", hint="remove the line that begins with %")
            if root is not None:
                self._refuse(
                    event,
                    "a second document begins here",
                    hint="a file holds one recipe: move what follows --- to another file",
                )
                return root
            root = self._node(next(self._events), 0)
        return root

    def _node(self, event: Event, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._refuse(
                event, f"*{event.anchor} is a YAML alias", hint="aliases are not allowed: write the value out"
            )
        if anchor := getattr(event, "anchor", None):
            self._refuse(event, f"&{anchor} is a YAML anchor", hint="anchors are not allowed: remove it")
        if tag := getattr(event, "tag", None):
            shown = quote(tag.replace(_TAG_PREFIX, "!!"))
            self._refuse(
                event,
                f"{shown} is a YAML tag",
                hint="tags are not allowed: remove it, and quote the value if it is text",
            )
        node = self._untagged(event, depth)
        return Broken(span=node.span) if tag else node

    def _untagged(self, event: Event, depth: int) -> Node:
        if isinstance(event, ScalarEvent):
            meaning = _meaning(event.value) if event.implicit[0] else "text"
            return Scalar(text=event.value, meaning=meaning, span=self._span(event))
        if depth == DEPTH_LIMIT:
            self._refuse(
                event,
                f"nests deeper than {DEPTH_LIMIT} levels",
                hint="remove the extra levels: no field of a recipe is that deep",
            )
            raise StopReading  # This reader calls itself once per level, and a hostile text has any number of them.
        return self._sequence(event, depth) if isinstance(event, SequenceStartEvent) else self._mapping(event, depth)

    def _sequence(self, start: Event, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(items=tuple(items), span=self._collection_span(start, event))

    def _mapping(self, start: Event, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(key, Scalar):
                self._enter(Entry(key=key.text, key_span=key.span, value=value), entries, key.meaning)
            elif not isinstance(key, Broken):
                self._problems.add("this key is a list or a mapping", key.span, hint="write a plain word as the key")
        return Mapping(entries=tuple(entries.values()), span=self._collection_span(start, event))

    def _enter(self, entry: Entry, entries: dict[str, Entry], meaning: Meaning) -> None:
        if meaning == "merge":
            self._problems.add(
                "<< is a YAML merge key", entry.key_span, hint="merge keys are not allowed: write the fields out"
            )
            return
        if first := entries.get(entry.key):
            message = f"{quote(entry.key)} is set twice; the first is on line {first.key_span.line}"
            self._problems.add(message, entry.key_span, hint="keep one of them, or merge the two")
        entries.setdefault(entry.key, entry)

    def _refuse(self, event: Event, message: str, *, hint: str) -> Broken:
        span = self._span(event)
        self._problems.add(message, span, hint=hint)
        return Broken(span=span)

    def _span(self, event: Event) -> Span:
        """Cover an event; of one that takes several lines, the first."""
        (line, column), (end_line, end_column) = _position(event.start_mark), _position(event.end_mark)
        start = self._source.span(line, column)
        return replace(start, length=max(1, end_column - column if end_line == line else len(start.text) - column))

    def _collection_span(self, start: Event, end: Event) -> Span:
        """Cover a collection that ends on its line; of any other, its first line without the comment."""
        (line, column), (end_line, end_column) = _position(start.start_mark), _position(end.end_mark)
        if line == end_line:
            return self._source.span(line, column, end_column - column)
        first = self._source.span(line, column)
        return replace(first, length=max(1, len(first.text.split(" #", maxsplit=1)[0].rstrip()) - first.column + 1))


class _Mark(Protocol):
    line: int
    column: int


def _position(mark: _Mark | None) -> tuple[int, int]:
    return (mark.line, mark.column) if mark else (0, 0)


def _meaning(text: str) -> Meaning:
    """Say what YAML makes of a plain scalar; where 1.1 and 1.2 differ, the meaning that is not text wins."""
    if _NUMBER_IN_12.fullmatch(text):
        return "int" if re.fullmatch(r"[-+0-9o]+", text) else "float"
    if text in _BOOL_IN_11:
        return "bool"
    tag: str = _RESOLVER.resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # its stub lacks it
    return _MEANINGS[tag.removeprefix(_TAG_PREFIX)]


def _syntax(error: yaml.MarkedYAMLError, source: Source) -> tuple[str, Span, str]:
    """Say in plain words what YAML's scanner refused, and where; rarer problems in its own words."""
    mark, opened = error.problem_mark, error.context_mark
    place = source.span(mark.line, mark.column) if mark else source.span(0, 0)
    problem, character = error.problem or "", place.text[place.column - 1 : place.column]
    if character == "\t":
        return "a tab where YAML allows only spaces", place, "indent with spaces"
    if "cannot start any token" in problem:
        return f"a value cannot begin with {quote(character)}", place, "quote the value"
    if "mapping values are not allowed" in problem:
        return (
            "a key is not allowed here",
            place,
            "quote a value that contains ': ', and give all fields of a mapping the same indentation",
        )
    if opened and ("expected ',' or" in problem or "end of stream" in problem or "flow node" in (error.context or "")):
        start = source.span(opened.line, opened.column)
        bracket = start.text[start.column - 1 : start.column]
        return f"{bracket} is never closed", start, f"close it with {_CLOSING.get(bracket, bracket)}"
    words = ", ".join(part for part in (error.context, error.problem) if part)
    return f"is not YAML: {words}", place, "check the indentation, and that brackets and quotes are closed"
