"""Strangers' TOML, JSON and comma-separated values."""

import csv
import io
import json
import re
import tomllib

from factory.untrusted.limits import (
    UntrustedTextError,
    decoded,
    refuse_bulk,
    refuse_longer,
    refuse_more_lines,
    refusing,
)

_TOML_CHARACTERS = 1 << 22
_ELEMENTS = 250_000  # a table takes a kilobyte while it is read
_JSON_BYTES = 1 << 20
_ROWS_BYTES = 1 << 23
_DEEPEST = 64
_KEY_PARTS = 32

# Every string ends at the latest where its line or the text ends, so that each character is looked at once.
_TOKEN = re.compile(
    r'''
    """(?:[^"\\]++|\\.|"(?!""))*+(?:""")?
  | \'\'\'(?:[^']++|'(?!''))*+(?:\'\'\')?
  | "(?:[^"\\\n]++|\\[^\n])*+"?
  | '[^'\n]*+'?
  | \#[^\n]*+
  | [][{}.=,]
    ''',
    re.VERBOSE | re.DOTALL,
)


def parse_toml(text: str, *, times: int = 1) -> dict[str, object]:
    """Read TOML of at most 4 MiB and 250 000 elements, or `times` as much.

    Raises:
        UntrustedTextError: it is not valid, larger than that, or nested too deep.
    """
    refuse_longer(text, _TOML_CHARACTERS * times)
    refuse_bulk(text, _TOKEN, most_elements=_ELEMENTS * times, most_depth=_DEEPEST, most_dots=_KEY_PARTS)
    with refusing("is not valid TOML"):
        return tomllib.loads(text)


def parse_json(content: bytes, *, most_bytes: int = _JSON_BYTES, most_elements: int = _ELEMENTS) -> object:
    """Read JSON of at most 1 MiB and 250 000 elements, or of the limits given.

    Raises:
        UntrustedTextError: it is not valid, larger than that, or nested too deep.
    """
    text = decoded(content, most_bytes)
    refuse_bulk(text, _TOKEN, most_elements=most_elements, most_depth=_DEEPEST)
    with refusing("is not valid JSON"):
        value: object = json.loads(text)
        return value


def parse_rows(content: bytes, most_rows: int) -> list[list[str]]:
    """Read rows of comma-separated values; an empty line is an empty row.

    Raises:
        UntrustedTextError: they are not valid, not UTF-8, or more than that.
    """
    if len(content) > _ROWS_BYTES:
        raise UntrustedTextError(f"has {len(content)} bytes; at most {_ROWS_BYTES} are read")
    with refusing("is not valid UTF-8"):
        text = content.decode("utf-8")
    refuse_more_lines(text, most_rows + 1)
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:  # it is not a ValueError
        raise UntrustedTextError(f"cannot be read as comma-separated values: {error}") from error
