"""What musl's loader says that an object lacks."""

import pytest

from factory.guests.load_musl import lacking

LISTED = "\t/lib/ld-musl-x86_64.so.1 (0x7f0000000000)\n"
PYTHONS = "Error relocating a.so: PyLong_FromLong: symbol not found\n"
PRIVATE = "Error relocating a.so: _Py_NoneStruct: symbol not found\n"
GLIBCS = "Error relocating a.so: __printf_chk: symbol not found"
ABSENT = "Error loading shared library libfoo.so.1: No such file or directory (needed by a.so)"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(LISTED, [], id="all is there"),
        pytest.param(PYTHONS + PRIVATE + LISTED, [], id="an interpreter is not"),
        pytest.param(PYTHONS + GLIBCS, [GLIBCS], id="a symbol of glibc's"),
        pytest.param(ABSENT, [ABSENT], id="a library"),
    ],
)
def test_what_is_lacking_is_what_the_loader_says_but_pythons_own(said: str, expected: list[str]) -> None:
    assert lacking(said, ()) == expected


def test_a_library_that_the_system_adds_may_define_the_symbols_that_are_lacking() -> None:
    assert lacking(f"{ABSENT}\n{GLIBCS}\n", ("libfoo.so*",)) == []
