import struct

import pytest

from factory.objects import Budget, ObjectError
from factory.pe.pe_file import Import
from factory.pe.read import parse
from tests.makers.pe import AMD64, ARM64, I386, make_pe

PLATFORMS = {"win_amd64": AMD64, "win32": I386, "win_arm64": ARM64}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_machine_tells_the_same_facts(platform: str) -> None:
    content = make_pe(
        machine=PLATFORMS[platform],
        imports={"python313.dll": ["PyLong_FromLong", "PyExc_ValueError"], "KERNEL32.dll": ["Sleep", 17]},
        exports=["PyInit_core", "helper"],
    )

    file = parse(content)

    assert (file.platform, file.machine_name, file.is_library) == (platform, platform, True)
    assert file.needed == ("python313.dll", "KERNEL32.dll")
    assert file.undefined == (
        Import("PyLong_FromLong", "python313.dll"),
        Import("PyExc_ValueError", "python313.dll"),
        Import("Sleep", "KERNEL32.dll"),
    )
    assert file.exports == {"PyInit_core", "helper"}


def test_a_file_without_tables_needs_and_offers_nothing() -> None:
    file = parse(make_pe(is_library=False))

    assert (file.is_library, file.needed, file.undefined, file.exports) == (False, (), (), frozenset())


def test_an_unknown_machine_is_named_by_its_number() -> None:
    file = parse(make_pe(machine=0x5064))

    assert (file.platform, file.machine_name) == (None, "machine 0x5064")


def test_long_names_of_sections_are_read_from_the_string_table() -> None:
    assert parse(make_pe(sections=[".text", ".debug_info"])).sections == {".rdata", ".text", ".debug_info"}


def test_a_name_that_is_not_utf8_is_escaped() -> None:
    content = make_pe(imports={"ab.dll": []}).replace(b"ab.dll", b"\xff\xfe.dll")

    assert parse(content).needed == (r"\xff\xfe.dll",)


GOOD = make_pe(imports={"python3.dll": ["Py_IncRef"]}, exports=["PyInit_core"])
HEADER = 0x80 + 4
OPTIONAL = HEADER + 20
SECTION = OPTIONAL + 240


def _patched(offset: int, layout: str, value: int, content: bytes = GOOD) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, offset, value)
    return bytes(changed)


def _import_row(field: int, value: int) -> bytes:
    """Replace a field of the import directory's first row."""
    (address,) = struct.unpack_from("<I", GOOD, OPTIONAL + 112 + 8)
    return _patched(address - 0x1000 + 0x400 + 4 * field, "<I", value)


def _export_field(field: int, value: int) -> bytes:
    (address,) = struct.unpack_from("<I", GOOD, OPTIONAL + 112)
    return _patched(address - 0x1000 + 0x400 + field, "<I", value)


BROKEN = {
    "nothing but the magic": (b"MZ", "past the end"),
    "no PE header": (_patched(0x3C, "<I", 8), "no PE header"),
    "a PE header past the end": (_patched(0x3C, "<I", 0xFFFFFFFF), "no PE header"),
    "cut behind the file header": (GOOD[:OPTIONAL], "optional header lies past the end"),
    "another optional header": (_patched(OPTIONAL, "<H", 0x107), "magic number 0x107"),
    "too many sections": (_patched(HEADER + 2, "<H", 97), "97 sections are claimed"),
    "sections past the end": (GOOD[: SECTION + 20], "section table lies past the end"),
    "a section past the end": (_patched(SECTION + 16, "<I", 1 << 30), "a section lies past the end"),
    "imports nowhere": (_patched(OPTIONAL + 112 + 8, "<I", 1 << 30), "import directory at 0x40000000"),
    "exports nowhere": (_patched(OPTIONAL + 112, "<I", 1 << 30), "export directory at 0x40000000"),
    "a library's name nowhere": (_import_row(3, 1 << 30), "name of a needed library at"),
    "imported names nowhere": (_import_row(0, 1 << 30), "import lookup table at"),
    "a billion exports": (_export_field(24, 1 << 30), "more names and table entries in all"),
    "more exports than bytes": (_export_field(24, 1 << 12), "table of exported names does not end"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_field_is_an_error_that_says_which(name: str) -> None:
    content, message = BROKEN[name]

    with pytest.raises(ObjectError, match=message):
        parse(content)


def test_sections_that_overlap_are_refused_as_the_loader_does() -> None:
    content = make_pe(sections=[".a", ".b"])
    second = SECTION + 40

    with pytest.raises(ObjectError, match="overlap"):
        parse(_patched(second + 12, "<I", 0x1000, content))


def test_a_table_without_an_end_is_refused() -> None:
    content = make_pe(imports={"a.dll": [7]})
    table = content.index(struct.pack("<Q", 1 << 63 | 7))
    endless = _patched(SECTION + 16, "<I", table + 8 - 0x400, _patched(SECTION + 8, "<I", table + 8 - 0x400, content))

    with pytest.raises(ObjectError):
        parse(endless)


def test_many_rows_of_one_table_do_not_multiply_a_small_file_into_gigabytes() -> None:
    content = bytearray(make_pe(imports={f"{index}.dll": ["symbol"] for index in range(200)}))
    budget = Budget(entries_left=200 * 256)

    with pytest.raises(ObjectError, match="more names and table entries in all"):
        parse(bytes(content), budget)
