"""What is linked for musl, and which of it asks for the libc by its file's name."""

from pathlib import Path

import pytest

from factory.guests.muslcc import is_linked, output_of
from tests.makers.objects import make_object


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        pytest.param(("-shared", "a.o", "-o", "a.so"), "a.so", id="apart"),
        pytest.param(("-oa.so", "a.o"), "a.so", id="in one"),
        pytest.param(("a.o",), "a.out", id="unnamed"),
    ],
)
def test_the_output_is_where_the_compiler_is_told_to_write_it(arguments: tuple[str, ...], written: str) -> None:
    assert output_of(arguments) == Path(written)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(make_object(), True, id="a library"),
        pytest.param(make_object(program=True), True, id="a program"),
        pytest.param(b"\x7fELF" + bytes(12) + b"\x01\x00", False, id="an object file"),
        pytest.param(b"int main;", False, id="text"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_only_what_the_loader_takes_is_linked(tmp_path: Path, content: bytes, expected: bool) -> None:
    path = tmp_path / "output"
    path.write_bytes(content)

    assert is_linked(path) == expected
    assert not is_linked(tmp_path / "absent")
