"""The JSON Schema of what the codec writes of a frozen value, read from the value's own annotations."""

import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.version import Version

from factory.codec import JSON, absent, written_fields
from factory.digest import Digest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Mapping[object, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_TEXTS = (Version, Requirement, SpecifierSet, Tag, Path, PurePosixPath)
Node = Mapping[str, JSON]
FIELDS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("fields.toml").read_text(encoding="utf-8")
)


def schema_of(kind: type, title: str) -> Node:
    """Return the schema of one document."""
    records: dict[str, Node] = {}
    top = _record(kind, records)
    return {"$schema": DIALECT, "title": title, **top, "$defs": dict(sorted(records.items()))}


def schema_of_line(kinds: Sequence[type], title: str) -> Node:
    """Return the schema of a line that names its event's kind beside the event."""
    records: dict[str, Node] = {}
    lines: list[JSON] = [
        _table({"kind": {"const": kind.__name__}, "event": _node(kind, records)}, description=_caption(kind))
        for kind in kinds
    ]
    return {"$schema": DIALECT, "title": title, "oneOf": lines, "$defs": dict(sorted(records.items()))}


def _node(kind: object, records: dict[str, Node]) -> Node:
    origin: object = typing.get_origin(kind)
    inner: tuple[object, ...] = typing.get_args(kind)
    if isinstance(kind, typing.NewType):
        return _node(kind.__supertype__, records)
    if origin is typing.Literal:
        values = [typing.cast("JSON", value) for value in inner]
        return {"enum": values} if len(values) > 1 else {"const": values[0]}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_node(member, records) for member in inner]}
    if origin is tuple and inner[1:] == (...,):
        return {"type": "array", "items": _node(inner[0], records)}
    if origin is frozenset:
        return {"type": "array", "items": _node(inner[0], records), "uniqueItems": True}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _node(inner[1], records)}
    if not isinstance(kind, type):
        raise TypeError(f"{kind} has no schema")
    return _class(kind, records)


def _class(kind: type, records: dict[str, Node]) -> Node:
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if kind is Digest:
        return {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
    if kind is date:
        return {"type": "string", "format": "date"}
    if kind in _TEXTS or callable(getattr(kind, "parse", None)):
        return {"type": "string"}
    if kind.__name__ not in records:
        records[kind.__name__] = {}  # It stands before its fields are read: a record may hold its own kind.
        records[kind.__name__] = _record(kind, records)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _record(kind: type, records: dict[str, Node]) -> Node:
    words = described(kind)
    fields = {
        name: {"description": words[name], **_node(inner, records)} for name, inner in written_fields(kind).items()
    }
    return _table(fields, description=_caption(kind), absent=absent(kind))


def described(kind: type) -> Mapping[str, str]:
    """Return what each field of a record means, in the order of its fields; it has to be said of every one."""
    words, fields = FIELDS.get(kind.__name__, {}), list(written_fields(kind))
    if set(words) != set(fields):
        named = ", ".join(f"{kind.__name__}.{name}" for name in sorted(set(words) ^ set(fields)))
        raise KeyError(f"tools/fields.toml must describe exactly the fields that there are: {named}")
    return {name: words[name] for name in fields}


def _caption(kind: type) -> str:
    """Take the docstring, on one line."""
    return " ".join((kind.__doc__ or "").split())


def _table(properties: Mapping[str, Node], *, description: str, absent: frozenset[str] = frozenset()) -> Node:
    return {
        "description": description,
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in absent],
        "additionalProperties": False,
    }
