"""Reading TOML tables: every error names the file and the path of the field."""

from collections.abc import Callable

import pytest

from factory.errors import ImageError
from factory.tables import Table

TEXT = """
name = "spam"
count = 3
[env]
LANG = "C"
[[crate]]
path = "a"
[[crate]]
path = 1
"""


def test_a_table_is_read_field_by_field() -> None:
    table = read(TEXT)

    assert table.required_text("name") == "spam"
    assert dict(table.required_table("env").text_items()) == {"LANG": "C"}
    assert table.tables("crate")[0].text("path") == "a"
    assert table.texts("absent") == ()
    assert table.table("absent", "below").text("name") is None


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        pytest.param(lambda table: table.text("count"), "file: count is an integer; it must be a string", id="type"),
        pytest.param(lambda table: table.required_texts("x"), "file: x is missing; it must be an array", id="absent"),
        pytest.param(lambda table: table.required_table("x"), "file: x is missing; it must be a table", id="no table"),
        pytest.param(
            lambda table: table.tables("crate")[1].text("path"), "file: crate: path is an integer", id="below an array"
        ),
        pytest.param(
            lambda table: table.table("env").flag("LANG", default=False),
            "file: env: LANG is a string; it must be true or false",
            id="in a table",
        ),
    ],
)
def test_an_error_names_the_field_by_its_path(ask: Callable[[Table], object], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        ask(read(TEXT))


def test_a_file_that_is_not_toml_is_named() -> None:
    with pytest.raises(ImageError, match="file is not valid TOML"):
        read("[")


def read(text: str) -> Table:
    return Table.parse(text, "file", ImageError)
