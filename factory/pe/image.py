"""The bytes of a PE file, found by its headers and section table; every read is checked."""

import struct
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from factory.objects import PLACE_BYTES, STRING_BYTES, Budget, ObjectError

_PE_OFFSET = 0x3C
_FILE_HEADER = struct.Struct("<HHIIIHH")
_SECTION = struct.Struct("<8sIIIIIIHHI")
_MAGICS = {0x10B: 32, 0x20B: 64}
_DIRECTORIES_AT = {32: 96, 64: 112}
_HEADERS_SIZE_AT, _ALIGNMENT_AT = 60, 32
_PAGE_BYTES, _SECTOR_BYTES = 4096, 512
_DIRECTORIES = 16
_SECTIONS = 96  # the limit of the PE format's specification, "COFF File Header"
_SYMBOL_BYTES = 18
_NAME_BYTES = 1 << 16

IS_DLL = 0x2000


class Section(NamedTuple):
    """One row of the section table: where it is loaded, and where its bytes lie in the file."""

    name: str
    address: int
    memory_size: int
    offset: int
    file_size: int

    @property
    def loaded_bytes(self) -> int:
        """How many of its bytes come from the file; those behind are zero."""
        return min(self.file_size, self.memory_size) if self.memory_size else self.file_size


class Directory(NamedTuple):
    """Where one of the tables is loaded; (0, 0) for one that is not there."""

    address: int
    size: int


@dataclass(slots=True)
class Image:
    """A file's bytes with what its headers say: reads by file offset, and by address relative to the image's base."""

    content: bytes | bytearray
    budget: Budget
    machine: int
    characteristics: int
    bits: int
    header_bytes: int
    directories: tuple[Directory, ...]
    sections: tuple[Section, ...]
    _starts: tuple[int, ...]
    _names: dict[int, str]

    def locate(self, address: int, what: str) -> tuple[int, int]:
        """Find where in the file the bytes at an address begin, and where the bytes of their section end.

        Raises:
            ObjectError: the file has no bytes for the address.
        """
        if address < self.header_bytes:
            return address, self.header_bytes
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            section = self.sections[index]
            skip = address - section.address
            if skip < section.loaded_bytes:
                return section.offset + skip, section.offset + section.loaded_bytes
        raise ObjectError(f"{what} at {address:#x} is in no section")

    def at(self, address: int, size: int, what: str) -> memoryview:
        """Return the bytes loaded at an address.

        Raises:
            ObjectError: they are not all in one section.
        """
        start, end = self.locate(address, what)
        if size > end - start:
            raise ObjectError(f"{what} does not end within its section")
        return memoryview(self.content)[start : start + size]

    def rest(self, address: int, what: str) -> memoryview:
        """Return all bytes that the file has from an address to the end of its section.

        Raises:
            ObjectError: it has none.
        """
        start, end = self.locate(address, what)
        return memoryview(self.content)[start:end]

    def name(self, address: int, what: str) -> str:
        """Return the text at an address, up to its zero byte.

        Each place's text is kept once, and taken from the budget of the whole wheel.

        Raises:
            ObjectError: it does not end within its section.
        """
        known = self._names.get(address)
        if known is None:
            start, end = self.locate(address, what)
            stop = self.content.find(b"\0", start, min(end, start + _NAME_BYTES))
            if stop < 0:
                raise ObjectError(f"{what} at {address:#x} has no end")
            self.budget.take(size_bytes=stop - start + STRING_BYTES)
            known = self._names[address] = self.content[start:stop].decode(errors="backslashreplace")
        return known


def open_image(content: bytes | bytearray, budget: Budget) -> Image:
    """Read the headers and the section table.

    Raises:
        ObjectError: one of them is broken.
    """
    (at,) = _unpack("<I", content, _PE_OFFSET, "the offset of the PE header")
    if content[at : at + 4] != b"PE\0\0":
        raise ObjectError("no PE header is where the DOS header says")
    fields = _unpack(_FILE_HEADER.format, content, at + 4, "the file header")
    machine, count, _, symbols, symbol_count, optional_bytes, characteristics = fields
    optional = at + 4 + _FILE_HEADER.size
    (magic,) = _unpack("<H", content, optional, "the optional header")
    if magic not in _MAGICS:
        raise ObjectError(f"the optional header has the magic number {magic:#x}; 0x10b or 0x20b is expected")
    bits = _MAGICS[magic]
    (alignment,) = _unpack("<I", content, optional + _ALIGNMENT_AT, "the optional header")
    (header_bytes,) = _unpack("<I", content, optional + _HEADERS_SIZE_AT, "the optional header")
    names = symbols + symbol_count * _SYMBOL_BYTES if symbols else None
    rows = _rows(content, optional + optional_bytes, count, budget)
    sections = tuple(_section(content, row, names, rounded=alignment >= _PAGE_BYTES) for row in rows)
    if any(second.address < first.address + max(first.memory_size, 1) for first, second in pairwise(sections)):
        raise ObjectError("sections overlap, or are not in the order of their addresses")
    return Image(
        content=content,
        budget=budget,
        machine=machine,
        characteristics=characteristics,
        bits=bits,
        header_bytes=min(header_bytes, len(content)),
        directories=_directories(content, optional, optional_bytes, bits),
        sections=sections,
        _starts=tuple(section.address for section in sections),
        _names={},
    )


def _directories(content: bytes | bytearray, optional: int, size: int, bits: int) -> tuple[Directory, ...]:
    """Read the table of directories; those that the header has no room for are not there."""
    first = _DIRECTORIES_AT[bits]
    (count,) = _unpack("<I", content, optional + first - 4, "the optional header")
    count = min(count, _DIRECTORIES, max(size - first, 0) // 8)
    values = _unpack(f"<{2 * count}I", content, optional + first, "the table of directories")
    held = [Directory(address, length) for address, length in zip(values[::2], values[1::2], strict=True)]
    return (*held, *[Directory(0, 0)] * (_DIRECTORIES - count))


def _rows(
    content: bytes | bytearray, at: int, count: int, budget: Budget
) -> list[tuple[bytes, int, int, int, int, int, int, int, int, int]]:
    if count > _SECTIONS:
        raise ObjectError(f"{count} sections are claimed; {_SECTIONS} are the most that the format allows")
    size = count * _SECTION.size
    if at + size > len(content):
        raise ObjectError("the section table lies past the end of the file")
    budget.take(count, count * PLACE_BYTES)
    return list(_SECTION.iter_unpack(content[at : at + size]))


def _section(
    content: bytes | bytearray,
    row: tuple[bytes, int, int, int, int, int, int, int, int, int],
    names: int | None,
    *,
    rounded: bool,
) -> Section:
    """Read one row; the loader takes a file offset down to a whole sector where sections are whole pages."""
    name, memory_size, address, file_size, offset, *_ = row
    if rounded:
        offset -= offset % _SECTOR_BYTES
    if file_size and offset + file_size > len(content):
        raise ObjectError("a section lies past the end of the file")
    return Section(_section_name(content, name, names), address, memory_size, offset, file_size)


def _section_name(content: bytes | bytearray, name: bytes, names: int | None) -> str:
    """Return a section's name; `/123` is at that place of the symbols' string table, as GNU's linker writes long ones.

    The loader reads no names, so that one which cannot be read is no error.
    """
    text = name.rstrip(b"\0").decode(errors="backslashreplace")
    if names is None or not (text.startswith("/") and text[1:].isascii() and text[1:].isdigit()):
        return text
    start = names + int(text[1:])
    end = content.find(b"\0", start, start + 256)
    return text if end < 0 else content[start:end].decode(errors="backslashreplace")


def _unpack(layout: str, content: bytes | bytearray, at: int, what: str) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > len(content):
        raise ObjectError(f"{what} lies past the end of the file")
    return struct.unpack_from(layout, content, at)
