"""Bytes to PeFile: what is loaded with it and asked of others, and what others can ask of it."""

import struct
from collections.abc import Iterator

from factory.objects import NEEDED_ENTRIES, OBJECT_ENTRIES, PLACE_BYTES, Budget, ObjectError
from factory.pe.image import IS_DLL, Directory, Image, open_image
from factory.pe.pe_file import Import, PeFile

MAGIC = b"MZ"

_EXPORTS, _IMPORTS = 0, 1
_DESCRIPTOR = struct.Struct("<IIIII")
_EXPORT_TABLE = struct.Struct("<IIHHIIIIIII")
_LIBRARIES = 1 << 12
_OBJECT_BYTES = 1 << 11


def parse(content: bytes | bytearray, budget: Budget | None = None) -> PeFile:
    """Read a PE file from its whole content; what it keeps is taken from the budget of all objects of a wheel.

    Raises:
        ObjectError: Windows' loader could not read it either, or a table claims more than the file can hold.
    """
    budget = budget or Budget()
    budget.take(OBJECT_ENTRIES, _OBJECT_BYTES)
    image = open_image(content, budget)
    imports = list(_imports(image))
    return PeFile(
        machine=image.machine,
        is_library=bool(image.characteristics & IS_DLL),
        needed=tuple(dict.fromkeys(library for library, _ in imports)),
        undefined=tuple(Import(name, library) for library, names in imports for name in names),
        exports=frozenset(_exports(image)),
        sections=frozenset(section.name for section in image.sections),
    )


def _imports(image: Image) -> Iterator[tuple[str, list[str]]]:
    """Yield each library of the import directory with the names that are asked of it; the last row is zero.

    The loader goes by that row and not by the directory's size.
    """
    directory = image.directories[_IMPORTS]
    if directory.address == 0:
        return
    table = image.rest(directory.address, "the import directory")
    for count in range(_LIBRARIES):
        row = table[count * _DESCRIPTOR.size : (count + 1) * _DESCRIPTOR.size]
        if len(row) < _DESCRIPTOR.size:
            raise ObjectError("the import directory has no end")
        names, _, _, library, bound = _DESCRIPTOR.unpack(row)
        if library == 0 or bound == 0:
            return
        image.budget.take(NEEDED_ENTRIES, PLACE_BYTES)
        yield image.name(library, "the name of a needed library"), list(_names(image, names or bound))
    raise ObjectError(f"the import directory has more than {_LIBRARIES} libraries")


def _names(image: Image, address: int) -> Iterator[str]:
    """Yield the names in an import lookup table; symbols that are asked for by number have none."""
    layout = struct.Struct("<Q" if image.bits == 64 else "<I")  # noqa: PLR2004 -- PE32+
    by_number = 1 << image.bits - 1
    table = image.rest(address, "an import lookup table")
    for at in range(0, len(table) - layout.size + 1, layout.size):
        (entry,) = layout.unpack_from(table, at)
        if entry == 0:
            return
        image.budget.take(1, PLACE_BYTES)
        if not entry & by_number:
            yield image.name(entry + 2, "the name of an import")  # behind a hint of two bytes
    raise ObjectError("an import lookup table has no end")


def _exports(image: Image) -> Iterator[str]:
    directory: Directory = image.directories[_EXPORTS]
    if directory.address == 0:
        return
    table = image.at(directory.address, _EXPORT_TABLE.size, "the export directory")
    *_, count, _, names, _ = _EXPORT_TABLE.unpack(table)
    if count == 0:
        return
    image.budget.take(count, count * PLACE_BYTES)
    for (address,) in struct.iter_unpack("<I", image.at(names, 4 * count, "the table of exported names")):
        yield image.name(address, "an exported name")
