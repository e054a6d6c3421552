"""Writes plain tables as TOML: enough for a configuration that was read from TOML and reduced."""

import json
from collections.abc import Mapping


def render_toml(table: Mapping[str, object]) -> str:
    """Write a table, one line for each key; tables below it are inline.

    The bytes are in keys, through the digest of a `FetchFolder`.

    Raises:
        TypeError: it has values other than text, numbers, booleans, lists and tables.
    """
    return "".join(f"{_text(name)} = {_value(value)}\n" for name, value in table.items())


def _value(value: object) -> str:
    match value:
        case bool() | int() | float():
            return json.dumps(value)
        case str():
            return _text(value)
        case list():
            return f"[{', '.join(_value(item) for item in value)}]"
        case Mapping():
            return f"{{{', '.join(f'{_text(name)} = {_value(inner)}' for name, inner in value.items())}}}"
        case _:
            raise TypeError(f"{value!r} cannot be written as TOML")


def _text(text: str) -> str:
    """Quote text: JSON's escapes are TOML's, except DEL, which TOML requires to be escaped (TOML 1.0, "String")."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
