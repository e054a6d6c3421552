"""`build.floor`: how the abi3 floor reaches the build."""

from dataclasses import dataclass
from typing import Literal

from factory.form.document import Entry, Mapping, Node, Scalar
from factory.form.kinds import Kind, Place, Schema, Text, refuse_shape
from factory.form.problems import did_you_mean, quote
from factory.recipe import texts

_WORDS: tuple[Literal["default", "interpreter", "project"], ...] = ("default", "interpreter", "project")
_KEYS: tuple[Literal["feature", "option"], ...] = ("feature", "option")
_ALL = "write default, interpreter, project, {feature: NAME} or {option: TEXT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorWay:
    """How the abi3 floor reaches the build; `value` is the feature's or option's text, with its placeholders."""

    kind: Literal["default", "feature", "option", "interpreter", "project"] = "default"
    value: str = ""


@dataclass(frozen=True, slots=True)
class FloorKind(Kind[FloorWay]):
    """One of three words, or a mapping with one of two keys."""

    name: str = "`default`, `interpreter`, `project`, `{feature: NAME}` or `{option: TEXT}`"

    def read(self, node: Node, place: Place) -> FloorWay | None:
        """Read a word, or a mapping with one key."""
        if isinstance(node, Mapping):
            return self._read_key(node, place)
        if not isinstance(node, Scalar) or node.meaning == "null":
            refuse_shape(node, place, "a word or a mapping with one key", _ALL)
            return None
        for word in _WORDS:
            if node.text == word:
                return FloorWay(kind=word)
        message = f"{quote(node.text)} does not say how a floor reaches the build"
        place.refuse(node.span, message, did_you_mean(node.text, _WORDS) or _ALL)
        return None

    def _read_key(self, node: Mapping, place: Place) -> FloorWay | None:
        if len(node.entries) != 1:
            place.refuse(node.span, "needs exactly one of feature and option", _ALL)
            return None
        (entry,) = node.entries
        for key in _KEYS:
            if entry.key == key:
                return self._with_text(key, entry, place.at(key))
        place.refuse(entry.key_span, f"unknown field {quote(entry.key)}", did_you_mean(entry.key, _KEYS) or _ALL)
        return None

    def _with_text(self, key: Literal["feature", "option"], entry: Entry, place: Place) -> FloorWay | None:
        text = Text(name="text", parse=texts.floor_text).read(entry.value, place)
        return None if text is None else FloorWay(kind=key, value=text)

    def schema(self) -> Schema:
        """Describe the words and the two mappings."""
        mapping: Schema = {
            "type": "object",
            "properties": {key: {"type": "string", "minLength": 1} for key in _KEYS},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"anyOf": [{"enum": list(_WORDS)}, mapping]}
