import struct

import pytest

from factory.elf.read import parse
from factory.elf.shared_object import Symbol, VersionNeed
from factory.objects import ObjectError
from tests.makers.objects import ObjectFacts, make_object

FORMS: dict[str, ObjectFacts] = {
    "x86_64": {"elf_class": 64, "byte_order": "little", "machine": 62},
    "i686": {"elf_class": 32, "byte_order": "little", "machine": 3},
    "armv7l": {"elf_class": 32, "byte_order": "little", "machine": 40},
    "s390x": {"elf_class": 64, "byte_order": "big", "machine": 22, "hashes": "gnu"},
    "32-bit big-endian ppc64": {"elf_class": 32, "byte_order": "big", "machine": 21},
}


@pytest.mark.parametrize("name", FORMS)
def test_every_class_and_byte_order_tells_the_same_facts(name: str) -> None:
    facts: ObjectFacts = {
        "needed": ["libfoo.so.1"],
        "undefined": ["Py_IncRef", "qsort_r@GLIBC_2.34"],
        "weak": ["maybe@GLIBC_2.18"],
        "exports": ["PyInit_x"],
        "soname": "x.so",
        "runpath": "$ORIGIN/../x.libs:/opt",
    }
    facts.update(FORMS[name])
    content = make_object(**facts)

    shared = parse(content)

    assert shared.machine_name == name
    assert (shared.kind, shared.soname, shared.interpreter) == ("library", "x.so", None)
    assert shared.needed == ("libfoo.so.1", "libc.so.6")
    assert (shared.runpath, shared.rpath) == (("$ORIGIN/../x.libs", "/opt"), ())
    assert shared.undefined == (
        Symbol("Py_IncRef", "", "", weak=False),
        Symbol("qsort_r", "GLIBC_2.34", "libc.so.6", weak=False),
        Symbol("maybe", "GLIBC_2.18", "libc.so.6", weak=True),
    )
    assert shared.version_needs == (
        VersionNeed("libc.so.6", "GLIBC_2.34", weak=False),
        VersionNeed("libc.so.6", "GLIBC_2.18", weak=False),
    )
    assert shared.exports == {"PyInit_x"}


def test_the_gnu_hash_counts_the_symbols_where_there_is_no_other() -> None:
    shared = parse(make_object(undefined=["a", "b"], exports=["c", "d"], hashes="gnu"))

    assert [symbol.name for symbol in shared.undefined] == ["a", "b"]
    assert shared.exports == {"c", "d"}


def test_a_program_is_told_by_its_flag_and_names_its_interpreter() -> None:
    shared = parse(make_object(program=True, interpreter="/lib64/ld-linux-x86-64.so.2"))

    assert (shared.kind, shared.interpreter) == ("program", "/lib64/ld-linux-x86-64.so.2")


def test_a_library_with_an_interpreter_stays_a_library() -> None:
    assert parse(make_object(interpreter="/lib64/ld-linux-x86-64.so.2")).kind == "library"


def test_code_for_a_gpu_is_data_whatever_else_it_holds() -> None:
    shared = parse(make_object(machine=190, needed=["libcuda.so"]))

    assert (shared.kind, shared.for_a_processor, shared.needed) == ("other", False, ())


def test_a_name_that_is_not_utf8_is_escaped() -> None:
    content = make_object(needed=["libé.so"]).replace("é".encode(), b"\xff\xfe")

    assert parse(content).needed == (r"lib\xff\xfe.so",)


def _patched(offset: int, layout: str, value: int) -> bytes:
    content = bytearray(make_object(undefined=["a@GLIBC_2.17"], exports=["b"], soname="x.so", sections=None))
    struct.pack_into(layout, content, offset, value)
    return bytes(content)


def _entry(tag: int, value: int) -> bytes:
    """Replace the value of one dynamic entry, found by its tag from the end."""
    content = bytearray(make_object(undefined=["a@GLIBC_2.17"], exports=["b"], soname="x.so", sections=None))
    at = content.rindex(struct.pack("<Q", tag), 0, len(content) - 16)
    struct.pack_into("<Q", content, at + 8, value)
    return bytes(content)


BROKEN = {
    "nothing but the magic": (b"\x7fELF", "names no class"),
    "no class": (_patched(4, "B", 9), "names no class"),
    "cut in the header": (make_object()[:40], "past the end"),
    "cut in the dynamic segment": (make_object(soname="x.so", sections=None)[:-8], "past the end"),
    "program headers past the end": (_patched(32, "<Q", 1 << 40), "past the end"),
    "program headers of another size": (_patched(54, "<H", 8), "8 bytes; the loader takes 56"),
    "more program headers than 16 bits": (_patched(56, "<H", 0xFFFF), "65535 program headers"),
    "string table nowhere": (_entry(5, 1 << 60), "string table at 0x1000000000000000 is in no loaded segment"),
    "symbol table nowhere": (_entry(6, 1 << 60), "symbol table at"),
    "symbols of another size": (_entry(11, 16), "symbols of 16 bytes"),
    "a billion symbols": (
        make_object(exports=["b"]).replace(struct.pack("<II", 1, 2), struct.pack("<II", 1, 1 << 30)),
        "1073741824 dynamic symbols are claimed",
    ),
    "soname past the string table": (_entry(14, 1 << 30), "no name ends after"),
    "needed versions nowhere": (_entry(0x6FFFFFFE, 1 << 60), "needed versions at"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_field_is_an_elf_error_that_says_which(name: str) -> None:
    content, message = BROKEN[name]

    with pytest.raises(ObjectError, match=message):
        parse(content)


def test_overlapping_names_do_not_multiply_a_small_file_into_gigabytes() -> None:
    name = "a" * 60_000
    content = bytearray(make_object(exports=[name, *(f"x{i}" for i in range(5000))]))
    at, size = content.index(name.encode()), 24
    table = content.index(struct.pack("<IBBH", at - content.index(b"\0" + name.encode()), 0x12, 0, 1))
    for index in range(5000):
        struct.pack_into("<I", content, table + index * size, 1 + index)

    with pytest.raises(ObjectError, match="more names and table entries in all"):
        parse(bytes(content))
