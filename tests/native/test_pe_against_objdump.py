"""The PE reader against objdump, on Microsoft's linker's programs that packages of the environment bring."""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from factory.pe.pe_file import PeFile
from factory.pe.read import parse
from tests.makers.pe import make_pe

pytestmark = pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is not installed")

PROGRAMS = sorted(Path(sysconfig.get_path("purelib")).glob("pip/_vendor/distlib/*.exe"))
MADE = {
    "made": make_pe(
        imports={"python3.dll": ["Py_IncRef", "PyExc_ValueError"], "KERNEL32.dll": ["Sleep", 17]},
        exports=["PyInit_core", "helper"],
        sections=[".text", ".debug_info"],
    ),
    "32 bits": make_pe(machine=0x014C, imports={"a.dll": ["f"]}, exports=["g"]),
}


def _told(path: Path) -> str:
    return subprocess.run(["objdump", "-p", "-h", path], check=True, capture_output=True, text=True).stdout


def _assert_agree(file: PeFile, told: str) -> None:
    assert list(file.needed) == list(dict.fromkeys(re.findall(r"(?m)^\tDLL Name: (\S+)$", told)))
    imports = re.findall(r"(?m)^\t[0-9a-f]+\t +[0-9]+ +(?!<none>)(\S+)$", told)
    assert [symbol.name for symbol in file.undefined] == imports
    table = told.partition("[Ordinal/Name Pointer] Table")[2]
    assert file.exports == set(re.findall(r"(?m)^\t\[ *[0-9]+\] .*?([A-Za-z_]\w*)$", table))
    assert file.sections == set(re.findall(r"(?m)^ *[0-9]+ (\S+) +[0-9a-f]{8}", told.partition("Idx Name")[2]))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_programs_of_microsofts_linker_tell_what_objdump_prints(program: Path) -> None:
    if "arm" in program.name:
        pytest.skip("objdump knows no ARM64 here")

    _assert_agree(parse(program.read_bytes()), _told(program))


@pytest.mark.parametrize("name", MADE)
def test_what_the_tests_make_is_a_pe_file_to_objdump_too(name: str, tmp_path: Path) -> None:
    path = tmp_path / "made.dll"
    path.write_bytes(MADE[name])

    _assert_agree(parse(MADE[name]), _told(path))


def test_there_are_programs_to_look_at() -> None:
    assert len(PROGRAMS) >= 4
