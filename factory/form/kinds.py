"""Kinds of fields: each reads a node into a value, and describes itself to editors and to the reference."""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from factory.errors import Span
from factory.form.document import Broken, Mapping, Node, Scalar, Sequence
from factory.form.problems import Problems, did_you_mean, quote

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
Schema = dict[str, JsonValue]

K = TypeVar("K")
T_co = TypeVar("T_co", covariant=True)
W_co = TypeVar("W_co", bound=str, covariant=True)

# Characters that would change what a terminal, a shell or a log shows; line breaks and tabs are part of scripts.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WORD_LIMIT = 1_000
_SHOWN = 60
_YAML_MEANINGS = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "date": "a date",
    "null": "nothing",
    "merge": "a merge key",
    "value": "a default value",
}


class RefusalError(ValueError):
    """A text that does not parse: one clause, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the recipe a node is, and the list that its problems go to."""

    field: str
    problems: Problems
    example: str = ""

    def at(self, key: str, example: str = "") -> "Place":
        """Name a field below this one, and show how it is written."""
        shown = key if key.isprintable() and len(key) <= _SHOWN else quote(key)
        return Place(f"{self.field}.{shown}" if self.field else shown, self.problems, example)

    @property
    def by_example(self) -> str:
        """A hint: the field as a line of a recipe. Empty where no example is known."""
        return f"for example {self.example}" if self.example else ""

    def item(self, index: int) -> "Place":
        """Name an item of this list."""
        return Place(f"{self.field}[{index}]", self.problems, self.example)

    def refuse(self, span: Span, message: str, hint: str = "") -> None:
        """Add a problem with this field."""
        self.problems.add(message, span, field=self.field, hint=hint)


class Kind(Protocol[T_co]):
    """What a field may hold. `name` goes into the reference."""

    @property
    def name(self) -> str:
        """A few words for the reference: `text`, `list of requirements`."""

    def read(self, node: Node, place: Place) -> T_co | None:
        """Return the value, or None after refusing."""

    def schema(self) -> Schema:
        """Describe it as JSON Schema."""


def _describe(node: Node) -> str:
    match node:
        case Sequence():
            return "a list"
        case Mapping():
            return "a mapping"
        case Scalar(meaning="null"):
            return "nothing"
        case Scalar(text=text):
            return f"the single value {quote(text)}"
    return "what cannot be read"


def _is_in_braces(node: Mapping) -> bool:
    """Whether a mapping was meant: a text that contains `: ` becomes one by accident, but never in braces."""
    return node.span.text[node.span.column - 1 :].startswith("{")


def refuse_shape(node: Node, place: Place, wanted: str, hint: str = "") -> None:
    """Say which shape was expected and which was found."""
    hint = hint or place.by_example or f"write {wanted}"
    if isinstance(node, Broken):
        return
    if isinstance(node, Scalar) and node.meaning == "null":
        place.refuse(node.span, "has no value", hint)
        return
    if isinstance(node, Mapping) and "mapping" not in wanted and not _is_in_braces(node):
        hint = f"{hint}; quote a text that contains ': ', or write it below a |"
    place.refuse(node.span, f"expected {wanted}, found {_describe(node)}", hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Kind[T_co]):
    """A text with a grammar of its own; `parse` raises RefusalError.

    `number` admits a plain decimal number, `date` a plain date: in such fields either is what it looks like.
    """

    name: str
    parse: Callable[[str], T_co]
    pattern: str = ""
    number: bool = False
    date: bool = False
    empty: bool = False
    limit: int = _WORD_LIMIT

    def read(self, node: Node, place: Place) -> T_co | None:
        """Parse the text of a scalar that YAML reads as text too."""
        if not isinstance(node, Scalar) or node.meaning == "null":
            refuse_shape(node, place, self.name)
            return None
        try:
            self._refuse_unfit(node.text, place)
            value = self.parse(node.text)
        except RefusalError as refusal:
            place.refuse(node.span, refusal.message, refusal.hint or place.by_example)
            return None
        # Asked last: for a text of the wrong form, that it must be quoted would not help.
        if not self._means_text(node):
            message = f"{quote(node.text)} is {_YAML_MEANINGS[node.meaning]} in YAML, not text"
            place.refuse(node.span, message, f'quote it: "{node.text}"')
            return None
        return value

    def schema(self) -> Schema:
        """Describe it as a string; the grammar only where it fits a pattern."""
        text: Schema = {"type": "string", "minLength": 0 if self.empty else 1}
        if self.pattern:
            text["pattern"] = f"^(?:{self.pattern})$"
        return {"anyOf": [text, {"type": "integer", "minimum": 0}]} if self.number else text

    def _refuse_unfit(self, text: str, place: Place) -> None:
        if not text.strip() and not self.empty:
            raise RefusalError("is empty", place.by_example or f"write {self.name}")
        if len(text) > self.limit:
            raise RefusalError(f"is longer than {self.limit} characters", "shorten it")
        if unfit := _CONTROL.search(text):
            raise RefusalError(f"contains the character U+{ord(unfit.group()):04X}", "remove it")

    def _means_text(self, node: Scalar) -> bool:
        # 0777 and 1_000 are numbers too, but not the ones that they look like.
        plain_number = self.number and node.meaning == "int" and re.fullmatch(r"[1-9][0-9]*|0", node.text)
        return node.meaning == "text" or bool(plain_number) or (self.date and node.meaning == "date")


@dataclass(frozen=True, slots=True)
class Flag(Kind[bool]):
    """`true` or `false`, and no other spelling."""

    name: str = "true or false"

    def read(self, node: Node, place: Place) -> bool | None:
        """Take YAML 1.2's two words."""
        if not isinstance(node, Scalar) or node.meaning == "null":
            refuse_shape(node, place, self.name)
        elif node.meaning == "bool" and node.text in ("true", "false"):
            return node.text == "true"
        else:
            place.refuse(node.span, f"{quote(node.text)} is neither true nor false", "write true or false, unquoted")
        return None

    def schema(self) -> Schema:
        """Describe it as a boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Version(Kind[int]):
    """The number of the recipe format."""

    number: int
    name: str = "a number"

    def read(self, node: Node, place: Place) -> int | None:
        """Take the one number that this program reads."""
        if not isinstance(node, Scalar) or node.meaning == "null":
            refuse_shape(node, place, self.name)
        elif node.meaning == "int" and node.text == str(self.number):
            return self.number
        else:
            message = f"{quote(node.text)} is not a format that this program reads"
            place.refuse(
                node.span,
                message,
                f"write {self.number}, unquoted; a newer format needs a newer version of the factory",
            )
        return None

    def schema(self) -> Schema:
        """Describe it as a constant."""
        return {"const": self.number}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Kind[W_co]):
    """One word of a few."""

    words: tuple[W_co, ...]

    @property
    def name(self) -> str:
        """List the words."""
        return ", ".join(f"`{word}`" for word in self.words)

    def read(self, node: Node, place: Place) -> W_co | None:
        """Take one of the words, exactly as written."""
        if not isinstance(node, Scalar) or node.meaning == "null":
            refuse_shape(node, place, f"one of {', '.join(self.words)}")
            return None
        for word in self.words:
            if word == node.text:
                return word
        hint = did_you_mean(node.text, self.words) or f"write one of {', '.join(self.words)}"
        place.refuse(node.span, f"{quote(node.text)} is not a known value", hint)
        return None

    def schema(self) -> Schema:
        """Describe it as an enumeration."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Kind[tuple[T_co, ...]]):
    """A list; with `bare`, a single item is read as a list of one. With `unique`, equal items are refused."""

    item: Kind[T_co]
    name: str
    bare: bool = False
    unique: bool = False
    least: int = 0
    if_empty: str = "name at least one, or remove it"

    def read(self, node: Node, place: Place) -> tuple[T_co, ...] | None:
        """Read every item; each that cannot be read is a problem."""
        if self.bare and isinstance(node, Scalar) and node.meaning != "null":
            item = self.item.read(node, place)
            return None if item is None else (item,)
        if not isinstance(node, Sequence):
            refuse_shape(node, place, self.name)
            return None
        if len(node.items) < self.least:
            place.refuse(node.span, "is an empty list", self.if_empty)
            return None
        values = tuple(self.item.read(item, place.item(index)) for index, item in enumerate(node.items))
        if self.unique:
            self._refuse_repeated(values, node, place)
        return tuple(value for value in values if value is not None)

    def _refuse_repeated(self, values: tuple[object, ...], node: Sequence, place: Place) -> None:
        first: dict[Hashable, Scalar] = {}
        for index, (value, item) in enumerate(zip(values, node.items, strict=True)):
            if value is None or not isinstance(item, Scalar) or not isinstance(value, Hashable):
                continue
            if value in first:
                earlier = first[value].text
                twice = "is listed twice" if earlier == item.text else f"is the same as {quote(earlier)}"
                place.item(index).refuse(item.span, f"{quote(item.text)} {twice}", "keep one of the two")
            first.setdefault(value, item)

    def schema(self) -> Schema:
        """Describe it as an array, or as its item."""
        item = self.item.schema()
        array: Schema = {"type": "array", "items": item}
        if self.least:
            array["minItems"] = self.least
        if self.unique:
            array["uniqueItems"] = True
        return {"anyOf": [item, array]} if self.bare else array


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf(Kind[MappingProxyType[K, T_co]], Generic[K, T_co]):
    """A mapping whose keys the recipe chooses."""

    key: Text[K]
    value: Kind[T_co]
    name: str

    def read(self, node: Node, place: Place) -> MappingProxyType[K, T_co] | None:
        """Read every key and value; each that cannot be read is a problem."""
        if not isinstance(node, Mapping):
            refuse_shape(node, place, self.name)
            return None
        values: dict[K, T_co] = {}
        for entry in node.entries:
            key = self.key.read(Scalar(text=entry.key, meaning="text", span=entry.key_span), place.at(entry.key))
            value = self.value.read(entry.value, place.at(entry.key))
            if key is not None and value is not None:
                values[key] = value
        return MappingProxyType(values)

    def schema(self) -> Schema:
        """Describe it as an object with any keys that fit."""
        return {"type": "object", "propertyNames": self.key.schema(), "additionalProperties": self.value.schema()}
