"""The bytes of an ELF file, found by its program headers; every read is checked."""

import struct
from array import array
from dataclasses import dataclass
from typing import Literal, NamedTuple

from factory.objects import STRING_BYTES, Budget, ObjectError

_EHDR_BYTES = {32: 52, 64: 64}
_PHDR_BYTES = {32: 32, 64: 56}
_PN_XNUM = 0xFFFF
_STRING_BYTES = 1 << 16
_CHUNK_BYTES = 3 << 18  # a whole number of relocations and of words

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3


class Header(NamedTuple):
    """The fields of the ELF header that matter."""

    type: int
    machine: int
    phoff: int
    phentsize: int
    phnum: int
    shoff: int = 0
    shentsize: int = 0
    shnum: int = 0
    shstrndx: int = 0


class Segment(NamedTuple):
    """One program header."""

    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int
    align: int


@dataclass(slots=True)
class Image:
    """A file's bytes with its class and byte order: reads by file offset, and by address through PT_LOAD."""

    content: bytes | bytearray
    elf_class: Literal[32, 64]
    byte_order: Literal["little", "big"]
    header: Header
    budget: Budget
    segments: tuple[Segment, ...] = ()

    @property
    def data(self) -> memoryview:
        """The content without copies."""
        return memoryview(self.content)

    @property
    def order(self) -> str:
        """The byte order as `struct` writes it."""
        return "<" if self.byte_order == "little" else ">"

    @property
    def word(self) -> str:
        """The address-sized unsigned integer as `struct` and `array` write it."""
        return "Q" if self.elf_class == 64 else "I"  # noqa: PLR2004 -- ELFCLASS64

    def at_offset(self, offset: int, size: int, what: str) -> memoryview:
        """Return the bytes at a file offset.

        Raises:
            ObjectError: they are not all in the file.
        """
        if offset < 0 or size < 0 or offset + size > len(self.content):
            raise ObjectError(f"{what} lies past the end of the file")
        return self.data[offset : offset + size]

    def locate(self, address: int, what: str) -> tuple[int, int]:
        """Find where in the file the bytes loaded at an address begin, and where their segment ends.

        Where segments overlap, the later one counts: it is mapped over the earlier one.

        Raises:
            ObjectError: no loaded segment holds the address.
        """
        for segment in reversed(self.segments):
            if segment.type == PT_LOAD and segment.address <= address < segment.address + segment.file_size:
                skip = address - segment.address
                return segment.offset + skip, segment.offset + segment.file_size
        raise ObjectError(f"{what} at {address:#x} is in no loaded segment")

    def from_address(self, address: int, what: str) -> memoryview:
        """Return all bytes of the file that are loaded from an address to the end of its segment.

        Raises:
            ObjectError: no loaded segment holds the address.
        """
        start, end = self.locate(address, what)
        return self.data[start:end]

    def at_address(self, address: int, size: int, what: str) -> memoryview:
        """Return the bytes loaded at an address.

        Raises:
            ObjectError: they are not all in one loaded segment.
        """
        rest = self.from_address(address, what)
        if size > len(rest):
            raise ObjectError(f"{what} does not end within its segment")
        return rest[:size]

    def unpack(self, layout: str, view: memoryview, what: str) -> tuple[int, ...]:
        """Read integers from the start of a view in the file's byte order.

        Raises:
            ObjectError: the view is too short.
        """
        size = struct.calcsize(self.order + layout)
        if size > len(view):
            raise ObjectError(f"{what} is cut short")
        return struct.unpack(self.order + layout, view[:size])

    def integers(self, typecode: str, view: memoryview) -> "array[int]":
        """Read a whole table of unsigned integers; bytes after the last whole one are left."""
        values = array(typecode)
        values.frombytes(view[: len(view) - len(view) % values.itemsize])
        if (self.byte_order == "little") != (struct.pack("=H", 1) == b"\1\0"):
            values.byteswap()
        return values

    def highest(self, typecode: str, view: memoryview, *, first: int = 0, step: int = 1) -> int:
        """Find the greatest of every `step`-th integer of a table, -1 of none, without a copy of the whole."""
        self.budget.take(len(view) >> 8)
        chunks = range(0, len(view), _CHUNK_BYTES)
        tables = (self.integers(typecode, view[at : at + _CHUNK_BYTES])[first::step] for at in chunks)
        return max((max(table, default=-1) for table in tables), default=-1)


class Strings:
    """A string table from its first byte to the end of its segment, which is what the loader sees.

    Overlapping names could multiply a small file into gigabytes, so each is taken from the budget of the whole wheel.
    """

    def __init__(self, content: bytes | bytearray, start: int, end: int, budget: Budget) -> None:
        self._content, self._start, self._end = content, start, end
        self._known: dict[int, str] = {}
        self._budget = budget

    def __getitem__(self, offset: int) -> str:
        known = self._known.get(offset)
        return self._read(offset) if known is None else known

    def _read(self, offset: int) -> str:
        start = self._start + offset
        end = self._content.find(b"\0", start, min(start + _STRING_BYTES, self._end))
        if end < 0:
            raise ObjectError(f"no name ends after offset {offset} of the string table")
        self._budget.take(size_bytes=end - start + STRING_BYTES)
        text = self._known[offset] = self._content[start:end].decode(errors="backslashreplace")
        return text


def open_image(content: bytes | bytearray, budget: Budget) -> Image:
    """Read the ELF header and the program headers.

    Raises:
        ObjectError: either is broken.
    """
    elf_class: Literal[32, 64]
    byte_order: Literal["little", "big"]
    match bytes(content[:4]), bytes(content[4:5]), bytes(content[5:6]):
        case b"\x7fELF", b"\1" | b"\2" as width, b"\1" | b"\2" as order:
            elf_class = 64 if width == b"\2" else 32
            byte_order = "little" if order == b"\1" else "big"
        case _:
            raise ObjectError("the ELF identification names no class and byte order")
    image = Image(content, elf_class, byte_order, Header(0, 0, 0, 0, 0), budget)
    image.header = _header(image)
    image.segments = _segments(image)
    return image


def _header(image: Image) -> Header:
    view = image.at_offset(16, _EHDR_BYTES[image.elf_class] - 16, "the ELF header")
    word = image.word
    fields = image.unpack(f"HHI{word * 3}IHHHHHH", view, "the ELF header")
    kind, machine, _, _, phoff, shoff, _, _, phentsize, phnum, *sections = fields
    return Header(kind, machine, phoff, phentsize, phnum, shoff, *sections)


def _segments(image: Image) -> tuple[Segment, ...]:
    header, size = image.header, _PHDR_BYTES[image.elf_class]
    if header.phnum == 0:
        return ()
    if header.phnum == _PN_XNUM or header.phentsize != size:
        raise ObjectError(
            f"{header.phnum} program headers of {header.phentsize} bytes; the loader takes {size}-byte ones"
        )
    view = image.at_offset(header.phoff, header.phnum * size, "the program header table")
    image.budget.take(header.phnum)
    if image.elf_class == 64:  # noqa: PLR2004 -- ELFCLASS64
        rows = struct.iter_unpack(f"{image.order}IIQQQQQQ", view)
        segments = [Segment(t, flags, off, addr, fsz, msz, align) for t, flags, off, addr, _, fsz, msz, align in rows]
    else:
        rows = struct.iter_unpack(f"{image.order}IIIIIIII", view)
        segments = [Segment(t, flags, off, addr, fsz, msz, align) for t, off, addr, _, fsz, msz, flags, align in rows]
    for segment in segments:
        if segment.type in (PT_LOAD, PT_DYNAMIC, PT_INTERP) and segment.offset + segment.file_size > len(image.content):
            raise ObjectError("a segment lies past the end of the file")
    return tuple(segments)
