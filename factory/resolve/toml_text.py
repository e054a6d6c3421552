"""Writes plain tables as TOML: just enough for a configuration that was read from TOML and cut down."""

import json
from collections.abc import Mapping


def render_toml(table: Mapping[str, object]) -> str:
    """Write a table, a line for each of its keys; tables below it stand inline.

    Raises:
        TypeError: it holds something else than text, numbers, booleans, lists and tables.
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
            raise TypeError(f"{value!r} has no place in a configuration")


def _text(text: str) -> str:
    """Quote text: JSON's escapes are TOML's, but for DEL, which TOML wants escaped (TOML 1.0, "String")."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
