"""What is written for Windows' loader, and how what wine says of it is read."""

from pathlib import Path

import pytest

from factory.guests.load_windows import FAULT, lacking, starter, stub
from factory.pe.read import parse

MODULE = Path("/work/unpacked/nh3/nh3.pyd")
IMPORTED = r'imported from L"Z:\\work\\unpacked\\nh3\\nh3.pyd", setting to 0000000000260000'


def test_a_stub_exports_exactly_the_names_that_are_asked_for() -> None:
    file = parse(stub("python3.dll", ["PyList_Append", "PyExc_ValueError"]))

    assert (file.platform, file.is_library) == ("win_amd64", True)
    assert file.exports == {"PyList_Append", "PyExc_ValueError"}
    assert file.needed == ()


def test_a_starter_asks_the_library_first_and_then_for_its_own_end() -> None:
    file = parse(starter("nh3.pyd", ["PyInit_nh3"]))

    assert (file.platform, file.is_library) == ("win_amd64", False)
    assert file.needed == ("nh3.pyd", "KERNEL32.dll")
    assert [(symbol.library, symbol.name) for symbol in file.undefined] == [
        ("nh3.pyd", "PyInit_nh3"),
        ("KERNEL32.dll", "ExitProcess"),
    ]


@pytest.mark.parametrize(
    ("said", "functions", "libraries"),
    [
        pytest.param("wine: failed to open wineboot.exe", [], [], id="nothing"),
        pytest.param(
            f"0024:warn:module:import_dll No implementation for kernel32.dll.Missing {IMPORTED}",
            ["kernel32.dll has no Missing"],
            [],
            id="a function",
        ),
        pytest.param(
            r'No implementation for ntdll.dll.Other imported from L"C:\\windows\\system32\\user32.dll", setting to 0',
            [],
            [],
            id="a function that wine's own library asks for",
        ),
        pytest.param(
            f"No implementation for driver.dll.Missing {IMPORTED}", [], [], id="a library that the user's system has"
        ),
        pytest.param(
            r'0024:err:module:import_dll Library rare.dll (which is needed by L"Z:\\work\\nh3.pyd") not found'
            "\n"
            r'0024:err:module:import_dll Library nh3.pyd (which is needed by L"Z:\\work\\nh3-starter.exe") not found',
            [],
            ["rare.dll"],
            id="a library that wine lacks",
        ),
    ],
)
def test_what_wine_says_is_told_apart(said: str, functions: list[str], libraries: list[str]) -> None:
    assert lacking(said, MODULE, ["driver.dll"]) == (functions, libraries)


def test_the_first_fault_is_the_reason() -> None:
    said = '0024:warn:module:load_dll x\n0024:err:module:loader_init "nh3.pyd" failed to initialize, aborting\n'

    assert FAULT.findall(said) == ['"nh3.pyd" failed to initialize, aborting']
