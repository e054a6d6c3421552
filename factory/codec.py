"""Frozen values to JSON and back.

A value with `parse` and `str` (tags, interpreters, floors) is its text; so are versions, requirements, specifiers,
digests, paths, dates. A union of such values is the text of one. A set is a sorted list. A member of a union of
dataclasses carries its class's name as `kind`.
A field may be written under another name, or its own fields in its place.
A field with `ABSENT` in its metadata is left out where it has its default.
Reading is strict: unknown and missing keys, and numbers where text is meant, are errors that name the field.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, parse_tag
from packaging.version import Version

from factory.digest import Digest

if TYPE_CHECKING:
    from cattrs import Converter

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

WRITTEN_AS: Final = "written_as"
"""In a field's metadata: the field's name in JSON, where it is another."""
INLINED: Final = "inlined"
"""In a field's metadata: the dataclass whose fields are written in its place; null for each where it is None."""
ABSENT: Final = "absent where it has its default"
"""In a field's metadata: it is left out where it has its default, as in documents from before there was the field."""

_T = TypeVar("_T")
_TAG = "kind"


class CodecError(ValueError):
    """JSON that is not the value it should be; the message names every field at fault."""


def dump(value: object) -> JSON:
    """Write a value as JSON: dictionaries, lists, text, numbers, booleans and None only.

    Raises:
        TypeError: the value, or something in it, has no JSON form.
    """
    return cast("JSON", _converter().unstructure(value))


def load(json: JSON, kind: type[_T]) -> _T:
    """Read what `dump` wrote.

    Raises:
        CodecError: the JSON is not such a value.
    """
    from cattrs import BaseValidationError, transform_error  # noqa: PLC0415 -- a start without the store need not pay

    try:
        return _converter().structure(json, kind)
    except BaseValidationError as error:
        raise CodecError("; ".join(transform_error(error, path="value", format_exception=_explain))) from error
    except (TypeError, ValueError) as error:
        raise CodecError(str(error)) from error


def _explain(error: BaseException, kind: type | None) -> str:
    from cattrs.v import format_exception  # noqa: PLC0415 -- as in `load`

    if isinstance(error, (TypeError, ValueError)):
        return str(error)
    return format_exception(error, kind)


@cache
def _converter() -> "Converter":
    from cattrs import Converter  # noqa: PLC0415 -- a start without the store need not pay for it

    def by_class(kind: object) -> Callable[..., object]:
        return _refuse(kind) if isinstance(kind, type) else converter.unstructure

    converter = Converter(
        forbid_extra_keys=True,
        unstructure_fallback_factory=by_class,
        structure_fallback_factory=_refuse,
        unstruct_collection_overrides={AbstractSet: _sorted, Sequence: list, Mapping: dict},
    )
    _add_plain(converter)
    _add_texts(converter)
    _add_mappings(converter)
    converter.register_structure_hook_factory(_is_record, lambda kind: _record_reader(converter, kind))
    converter.register_unstructure_hook_factory(_is_record, lambda kind: _record_writer(converter, kind))
    converter.register_structure_hook_factory(_is_optional, lambda kind: _optional_reader(converter, kind))
    converter.register_structure_hook_factory(_is_tagged, lambda kind: _tagged_reader(converter, kind))
    converter.register_unstructure_hook_factory(_is_tagged, lambda _: _tagged_writer(converter))
    return converter


def _refuse(kind: object) -> Callable[..., object]:
    raise TypeError(f"{kind} has no JSON form")


def _sorted(values: Iterable[object]) -> list[object]:
    return sorted(values, key=repr)


def _add_plain(converter: "Converter") -> None:
    """Check plain values instead of converting them: `"3"` is not a number."""

    def read(json: object, kind: type) -> object:
        if issubclass(kind, Enum):
            return kind(json)
        if type(json) is kind or (kind is float and type(json) is int):
            return json
        raise TypeError(f"{json!r} is not of type {kind.__name__}")

    plain = (bool, int, float, str)
    for kind in plain:
        converter.register_structure_hook(kind, read)
    converter.register_unstructure_hook_func(lambda kind: kind in (*plain, type(None)), lambda value: value)
    converter.register_unstructure_hook(bytes, lambda _: _refuse(bytes))


def _add_texts(converter: "Converter") -> None:
    """Teach the types that are written as one text."""
    readers: dict[type, Callable[[str], object]] = {
        Digest: lambda text: Digest(text.removeprefix("sha256:")),
        Tag: _parse_tag,
        **{kind: kind for kind in (Version, Requirement, SpecifierSet, Path, PurePosixPath)},
    }
    for kind, reader in readers.items():
        converter.register_structure_hook(kind, _text_reader(reader))
        converter.register_unstructure_hook(kind, str)
    for day in (date, datetime):
        converter.register_structure_hook(day, _text_reader(day.fromisoformat))
        converter.register_unstructure_hook(day, day.isoformat)
    converter.register_structure_hook_factory(_has_parse, lambda kind: _text_reader(kind.parse))
    converter.register_unstructure_hook_func(_has_parse, str)
    converter.register_structure_hook_factory(_all_are_texts, lambda union: _text_reader(_any_parser(_members(union))))
    converter.register_unstructure_hook_func(_all_are_texts, str)


def _has_parse(kind: object) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind) and callable(getattr(kind, "parse", None))


def _all_are_texts(kind: object) -> bool:
    members = _members(kind)
    return (
        len(members) > 1
        and type(None) not in typing.get_args(kind)
        and all(_has_parse(member) or _words(member) for member in members)
    )


def _words(kind: object) -> tuple[str, ...]:
    """Return the words of a `Literal`."""
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else ()


def _any_parser(kinds: Sequence[type]) -> Callable[[str], object]:
    """Return what reads a text as the first kind that can; a word of a `Literal` stands for itself."""
    words = frozenset(word for kind in kinds for word in _words(kind))

    def parse(text: str) -> object:
        if text in words:
            return text
        errors = []
        for kind in kinds:
            if _words(kind):
                continue
            try:
                return typing.cast("typing.Any", kind).parse(text)
            except ValueError as error:
                errors.append(str(error))
        raise ValueError("; ".join(errors))

    return parse


def _parse_tag(text: str) -> Tag:
    (tag,) = parse_tag(text)
    return tag


def _text_reader(reader: Callable[[str], object]) -> Callable[[object, object], object]:
    def read(json: object, _: object) -> object:
        if not isinstance(json, str):
            raise TypeError(f"{json!r} is not text")
        return reader(json)

    return read


def _add_mappings(converter: "Converter") -> None:
    """Read mappings that cannot be changed."""

    def reader(kind: object) -> Callable[[object, object], object]:
        inner = types.GenericAlias(dict, typing.get_args(kind))
        of_dict = converter.get_structure_hook(inner)
        return lambda json, _: types.MappingProxyType(of_dict(_table(json), inner))

    def write(values: Mapping[str, object]) -> dict[str, object]:
        return {name: converter.unstructure(value) for name, value in values.items()}

    converter.register_structure_hook_factory(_is_mapping, reader)
    converter.register_unstructure_hook(types.MappingProxyType, write)


def _is_mapping(kind: object) -> bool:
    origin: object = typing.get_origin(kind)
    return origin is Mapping


def _table(json: object) -> Mapping[str, object]:
    if not isinstance(json, Mapping):
        raise TypeError(f"{json!r} is not a table")
    return json


def _is_record(kind: object) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind) and not _has_parse(kind) and kind is not Digest


def _record_reader(converter: "Converter", kind: type) -> Callable[[object, object], object]:
    from cattrs.gen import make_dict_structure_fn  # noqa: PLC0415 -- as in `load`

    of_dict: Callable[..., object] = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, **_rules(kind)
    )
    inlined = _inlined(kind)

    def read(json: object, _: object) -> object:
        fields = dict(_table(json))
        for name, inner in inlined.items():
            part = {key: fields.pop(key) for key in inner if key in fields}
            if part:
                fields[name] = part if any(value is not None for value in part.values()) else None
        return of_dict(fields, kind)

    return read


def _record_writer(converter: "Converter", kind: type) -> Callable[[object], object]:
    from cattrs.gen import make_dict_unstructure_fn  # noqa: PLC0415 -- as in `load`

    to_dict: Callable[..., dict[str, object]] = make_dict_unstructure_fn(kind, converter, **_rules(kind))
    inlined = _inlined(kind)

    def write(value: object) -> object:
        fields = to_dict(value)
        for name, inner in inlined.items():
            fields |= cast("dict[str, object] | None", fields.pop(name)) or dict.fromkeys(inner)
        return fields

    return write if inlined else to_dict


def _rules(kind: type) -> dict[str, typing.Any]:
    from cattrs.gen import override  # noqa: PLC0415 -- as in `load`

    return {
        field.name: override(rename=field.metadata.get(WRITTEN_AS), omit_if_default=ABSENT in field.metadata)
        for field in dataclasses.fields(kind)
        if not {WRITTEN_AS, ABSENT}.isdisjoint(field.metadata)
    }


def _inlined(kind: type) -> dict[str, tuple[str, ...]]:
    """Return the names of the fields that stand in place of each inlined one."""
    parts = {field.name: field.metadata.get(INLINED) for field in dataclasses.fields(kind)}
    return {name: tuple(field.name for field in dataclasses.fields(part)) for name, part in parts.items() if part}


def written_fields(kind: type) -> dict[str, object]:
    """Return the type of each field of a record, by its name in JSON."""
    hints, written = typing.get_type_hints(kind), dict[str, object]()
    for field in dataclasses.fields(kind):
        part: type | None = field.metadata.get(INLINED)
        if part is None:
            written[field.metadata.get(WRITTEN_AS, field.name)] = hints[field.name]
        else:
            written |= {name: typing.Optional[inner] for name, inner in typing.get_type_hints(part).items()}  # noqa: UP045
    return written


def absent(kind: type) -> frozenset[str]:
    """Return the fields of a frozen value's class that are left out where they have their default."""
    return frozenset(field.name for field in dataclasses.fields(kind) if ABSENT in field.metadata)


def _is_optional(kind: object) -> bool:
    return type(None) in typing.get_args(kind) and (len(_members(kind)) == 1 or _all_are_texts(_without_none(kind)))


def _optional_reader(converter: "Converter", kind: object) -> Callable[[object, object], object]:
    inner = _without_none(kind)
    of_inner = converter.get_structure_hook(inner)
    return lambda json, _: None if json is None else of_inner(json, inner)


def _without_none(optional: object) -> object:
    """Return `A` for `A | None`, `A | B` for `A | B | None`."""
    return typing.Union[_members(optional)]  # noqa: UP007 -- the members are known at run time only


def _members(union: object) -> tuple[type, ...]:
    if typing.get_origin(union) not in (typing.Union, types.UnionType):
        return ()
    return tuple(kind for kind in typing.get_args(union) if kind is not type(None))


def _is_tagged(kind: object) -> bool:
    members = _members(kind)
    return len(members) > 1 and all(_is_record(member) for member in members)


def _tagged_reader(converter: "Converter", union: object) -> Callable[[object, object], object]:
    members = {member.__name__: member for member in _members(union)}
    allows_none = type(None) in typing.get_args(union)

    def read(json: object, _: object) -> object:
        if json is None and allows_none:
            return None
        fields = dict(_table(json))
        name = fields.pop(_TAG, None)
        if not isinstance(name, str) or name not in members:
            raise ValueError(f"{_TAG} is {name!r}, not one of {', '.join(members)}")
        return converter.structure(fields, members[name])

    return read


def _tagged_writer(converter: "Converter") -> Callable[[object], object]:
    def write(value: object) -> object:
        if value is None:
            return None
        return {_TAG: type(value).__name__, **converter.unstructure(value)}

    return write
