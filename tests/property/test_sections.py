"""Sections are what `configparser` reads in them: it is the one that setuptools and installers use."""

import configparser

from hypothesis import given
from hypothesis import strategies as st

from factory.untrusted import UntrustedTextError, parse_configuration, parse_entry_points

_PIECES = [
    "[a]",
    "[b ]x",
    "[]",
    "[",
    "]",
    "a",
    "B",
    "=",
    ":",
    " ",
    "  ",
    "\t",
    "\n",
    "\n",
    "\r",
    "#",
    ";",
    "c d",
    "é",
    "",
]
TEXTS = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)


def _read(parser: configparser.RawConfigParser, text: str) -> dict[str, dict[str, str]] | None:
    try:
        parser.read_string(text)
    except (configparser.Error, AttributeError):
        return None
    return {section: dict(parser.items(section)) for section in parser.sections()}


@given(TEXTS)
def test_a_configuration_reads_as_configparser_reads_it(text: str) -> None:
    expected = _read(configparser.RawConfigParser(), text)

    try:
        found = parse_configuration(text)
    except UntrustedTextError:
        assert expected is None
    else:
        assert found == expected


@given(TEXTS)
def test_entry_points_read_as_configparser_reads_them(text: str) -> None:
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # the documented way
    expected = _read(parser, text)

    try:
        found = parse_entry_points(text.encode())
    except UntrustedTextError:
        assert expected is None
    else:
        assert found == expected
