"""Makers of PE files: each states only the fact that matters to its test."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

AMD64, I386, ARM64 = 0x8664, 0x014C, 0xAA64

_BASE = 0x1000
_FILE_OFFSET = 0x400
_PE_OFFSET = 0x80


class PeFacts(TypedDict, total=False):
    """The arguments of `make_pe`, for tables."""

    imports: Mapping[str, Sequence[str | int]]
    exports: Iterable[str]
    machine: int
    is_library: bool
    sections: Iterable[str]


def make_pe(
    *,
    imports: Mapping[str, Sequence[str | int]] | None = None,
    exports: Iterable[str] = (),
    machine: int = AMD64,
    is_library: bool = True,
    sections: Iterable[str] = (),
) -> bytes:
    """Make a library for 64-bit Windows, or what the arguments say.

    `imports` maps libraries to the symbols that are asked of them, by name or by number; `sections` are names of empty
    sections besides the one that holds all tables.
    """
    bits = 32 if machine == I386 else 64
    maker = _PeMaker(bits)
    import_table = maker.imports(imports or {})
    export_table = maker.exports(list(exports))
    others = list(sections)
    return maker.build(machine, is_library, (export_table, import_table), others)


class _PeMaker:
    """One section's content, whose places are addresses."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.content = bytearray()

    def put(self, data: bytes) -> int:
        self.content += bytes(-len(self.content) % 8)
        address = _BASE + len(self.content)
        self.content += data
        return address

    def imports(self, libraries: Mapping[str, Sequence[str | int]]) -> tuple[int, int]:
        if not libraries:
            return (0, 0)
        rows = b""
        for library, symbols in libraries.items():
            name = self.put(library.encode() + b"\0")
            entries = [self._entry(symbol) for symbol in symbols]
            table = self.put(struct.pack(f"<{len(entries) + 1}{'I' if self.bits == 32 else 'Q'}", *entries, 0))
            rows += struct.pack("<IIIII", table, 0, 0, name, table)
        return self.put(rows + bytes(20)), len(rows) + 20

    def _entry(self, symbol: str | int) -> int:
        if isinstance(symbol, int):
            return 1 << self.bits - 1 | symbol
        return self.put(b"\0\0" + symbol.encode() + b"\0")

    def exports(self, names: list[str]) -> tuple[int, int]:
        if not names:
            return (0, 0)
        count, texts = len(names), [name.encode() + b"\0" for name in sorted(names)]
        start = self.put(b"")
        functions, pointers, ordinals = start + 40, start + 40 + 4 * count, start + 40 + 8 * count
        places = [ordinals + 2 * count + sum(map(len, texts[:index])) for index in range(count)]
        head = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, places[0], 1, count, count, functions, pointers, ordinals)
        tables = struct.pack(f"<{count}I{count}I{count}H", *[_BASE] * count, *places, *range(count))
        self.put(head + tables + b"".join(texts))
        return start, len(head) + len(tables) + sum(map(len, texts))

    def build(
        self, machine: int, is_library: bool, directories: Sequence[tuple[int, int]], sections: list[str]
    ) -> bytes:
        size = len(self.content) or 8
        optional = self._optional(directories)
        symbols = _FILE_OFFSET + size
        names = bytearray(struct.pack("<I", 0))
        table = _section(b".rdata", size, _BASE, size, _FILE_OFFSET)
        address = _BASE + (size + 0xFFF & ~0xFFF)
        for name in sections:
            short = name.encode()
            if len(short) > 8:
                short = f"/{len(names)}".encode()
                names += name.encode() + b"\0"
            table += _section(short, 8, address, 0, 0)
            address += 0x1000
        struct.pack_into("<I", names, 0, len(names))
        flags = 0x2022 if is_library else 0x22
        header = struct.pack(
            "<HHIIIHH", machine, 1 + len(sections), 0, symbols if sections else 0, 0, len(optional), flags
        )
        head = b"MZ" + bytes(0x3A) + struct.pack("<I", _PE_OFFSET)
        head += bytes(_PE_OFFSET - len(head)) + b"PE\0\0" + header + optional + table
        content = bytes(self.content) or bytes(size)
        return head + bytes(_FILE_OFFSET - len(head)) + content + (bytes(names) if sections else b"")

    def _optional(self, directories: Sequence[tuple[int, int]]) -> bytes:
        content = bytearray(240 if self.bits == 64 else 224)
        struct.pack_into("<H", content, 0, 0x20B if self.bits == 64 else 0x10B)
        struct.pack_into("<III", content, 32, 0x1000, 0x200, 0)
        struct.pack_into("<I", content, 60, _FILE_OFFSET)
        first = 112 if self.bits == 64 else 96
        struct.pack_into("<I", content, first - 4, 16)
        for index, (address, size) in enumerate(directories):
            struct.pack_into("<II", content, first + 8 * index, address, size)
        return bytes(content)


def _section(name: bytes, memory_size: int, address: int, file_size: int, offset: int) -> bytes:
    return struct.pack("<8sIIIIIIHHI", name, memory_size, address, file_size, offset, 0, 0, 0, 0, 0x40000040)
