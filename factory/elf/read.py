"""Bytes to SharedObject, by program headers alone, as the loader reads them: sections may be stripped, or lie."""

import struct
from collections import defaultdict

from factory.elf.image import PT_DYNAMIC, PT_INTERP, Image, Strings, open_image
from factory.elf.layout import read_layout
from factory.elf.shared_object import PROCESSORS, Kind, SharedObject, Traits
from factory.elf.symbols import Table, read_table
from factory.objects import FOLDER_ENTRIES, NEEDED_ENTRIES, OBJECT_ENTRIES, PLACE_BYTES, Budget, ObjectError

MAGIC = b"\x7fELF"

_ET_DYN = 3
_KINDS: dict[int, Kind] = {1: "relocatable", 2: "program", _ET_DYN: "library"}
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH, _DT_FLAGS_1 = 1, 5, 14, 15, 29, 0x6FFFFFFB
_DT_TEXTREL, _DT_BIND_NOW, _DT_FLAGS, _DT_RELR = 22, 24, 30, 36
_DT_AUXILIARY, _DT_FILTER, _DT_AUDIT, _DT_DEPAUDIT = 0x7FFFFFFD, 0x7FFFFFFF, 0x6FFFFEFC, 0x6FFFFEFB
_DF_TEXTREL, _DF_BIND_NOW, _DF_STATIC_TLS = 4, 8, 16
_DF_1_NOW, _DF_1_PIE = 1, 0x08000000
_DYNAMIC_ENTRIES = 1 << 16
_OBJECT_BYTES = 1 << 11


def parse(content: bytes | bytearray, budget: Budget | None = None) -> SharedObject:
    """Read an ELF object from its whole content; what it keeps is taken from the budget of all objects of a wheel.

    Raises:
        ObjectError: the loader could not read it either, or a table claims more than the file can hold.
    """
    budget = budget or Budget()
    budget.take(OBJECT_ENTRIES, _OBJECT_BYTES)
    image = open_image(content, budget)
    if image.header.machine not in PROCESSORS:
        return SharedObject(
            kind="other", machine=image.header.machine, elf_class=image.elf_class, byte_order=image.byte_order
        )
    dynamic = _dynamic(image)
    strings = _strings(image, dynamic)
    table = read_table(image, dynamic, strings) if strings else Table()
    return SharedObject(
        kind=_kind(image, dynamic),
        machine=image.header.machine,
        elf_class=image.elf_class,
        byte_order=image.byte_order,
        interpreter=_interpreter(image),
        soname=_last(_texts(dynamic, strings, _DT_SONAME)),
        needed=_needed(image, dynamic, strings),
        rpath=_folders(image, _texts(dynamic, strings, _DT_RPATH)),
        runpath=_folders(image, _texts(dynamic, strings, _DT_RUNPATH)),
        version_needs=table.version_needs,
        version_definitions=table.version_definitions,
        undefined=table.undefined,
        exports=table.exports,
        layout=read_layout(image),
        traits=_traits(dynamic, strings),
    )


def _traits(dynamic: dict[int, list[int]], strings: Strings | None) -> Traits:
    flags, flags_1 = dynamic.get(_DT_FLAGS, [0])[-1], dynamic.get(_DT_FLAGS_1, [0])[-1]
    return Traits(
        bind_now=_DT_BIND_NOW in dynamic or bool(flags & _DF_BIND_NOW or flags_1 & _DF_1_NOW),
        static_tls=bool(flags & _DF_STATIC_TLS),
        text_relocations=_DT_TEXTREL in dynamic or bool(flags & _DF_TEXTREL),
        relative_relocations=_DT_RELR in dynamic,
        filters=_texts(dynamic, strings, _DT_AUXILIARY) + _texts(dynamic, strings, _DT_FILTER),
        auditors=_texts(dynamic, strings, _DT_AUDIT) + _texts(dynamic, strings, _DT_DEPAUDIT),
    )


def _dynamic(image: Image) -> dict[int, list[int]]:
    """PT_DYNAMIC's entries up to DT_NULL, values by tag in their order.

    The loader reads them where they are mapped, and does not use the file offset in the header.
    """
    entries: defaultdict[int, list[int]] = defaultdict(list)
    segments = [segment for segment in image.segments if segment.type == PT_DYNAMIC]
    if not segments:
        return entries
    layout = struct.Struct(image.order + image.word * 2)
    view = image.at_address(segments[-1].address, segments[-1].file_size, "the dynamic segment")
    view = view[: len(view) - len(view) % layout.size]
    for count, (tag, value) in enumerate(layout.iter_unpack(view)):
        if tag == 0:
            break
        if count > _DYNAMIC_ENTRIES:
            raise ObjectError(f"the dynamic segment has more than {_DYNAMIC_ENTRIES} entries")
        entries[tag].append(value)
    image.budget.take(sum(map(len, entries.values())))
    return entries


def _strings(image: Image, dynamic: dict[int, list[int]]) -> Strings | None:
    address = dynamic.get(_DT_STRTAB)
    if not address:
        return None
    return Strings(image.content, *image.locate(address[-1], "the string table"), image.budget)


def _texts(dynamic: dict[int, list[int]], strings: Strings | None, tag: int) -> tuple[str, ...]:
    offsets = dynamic.get(tag, [])
    if strings is None:
        if offsets:
            raise ObjectError("the dynamic segment refers to names but has no string table")
        return ()
    return tuple(strings[offset] for offset in offsets)


def _last(texts: tuple[str, ...]) -> str | None:
    return texts[-1] if texts else None


def _needed(image: Image, dynamic: dict[int, list[int]], strings: Strings | None) -> tuple[str, ...]:
    count = len(dynamic.get(_DT_NEEDED, []))
    image.budget.take(count * NEEDED_ENTRIES, count * PLACE_BYTES)
    return _texts(dynamic, strings, _DT_NEEDED)


def _folders(image: Image, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Split the last entry, which alone counts for the loader; an empty folder means the working folder."""
    if not texts:
        return ()
    count = texts[-1].count(":") + 1
    image.budget.take(count * FOLDER_ENTRIES, count * PLACE_BYTES + len(texts[-1]))
    return tuple(texts[-1].split(":"))


def _interpreter(image: Image) -> str | None:
    for segment in image.segments:
        if segment.type == PT_INTERP:
            view = image.at_offset(segment.offset, min(segment.file_size, 4096), "the program interpreter's path")
            return bytes(view).partition(b"\0")[0].decode(errors="backslashreplace")
    return None


def _kind(image: Image, dynamic: dict[int, list[int]]) -> Kind:
    """Recognise programs by DF_1_PIE: a library can have an entry point and an interpreter too (Qt's do)."""
    kind = _KINDS.get(image.header.type, "other")
    return "program" if kind == "library" and dynamic.get(_DT_FLAGS_1, [0])[-1] & _DF_1_PIE else kind
