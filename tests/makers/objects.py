"""Makers of ELF objects: each states only the fact that matters to its test."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypedDict, Unpack

_BRINGS = {
    "GLIBC": "libc.so.6",
    "GLIBCXX": "libstdc++.so.6",
    "CXXABI": "libstdc++.so.6",
    "GCC": "libgcc_s.so.1",
    "ZLIB": "libz.so.1",
    "DEMO": "libdemo.so",
}
_HEADER = {32: 52, 64: 64}
_PROGRAM_HEADER = {32: 32, 64: 56}


class ObjectFacts(TypedDict, total=False):
    """The arguments of `make_object`, for tables."""

    needed: Iterable[str]
    undefined: Iterable[str]
    weak: Iterable[str]
    exports: Iterable[str]
    soname: str
    rpath: str
    runpath: str
    interpreter: str
    program: bool
    machine: int
    elf_class: Literal[32, 64]
    byte_order: Literal["little", "big"]
    hashes: Literal["sysv", "gnu", "none"]
    stack: Literal["plain", "executable", "absent"]
    relro: bool
    bind_now: bool
    align: int
    writable_code: bool
    isa: int
    entries: Mapping[int, int | str]
    sections: Iterable[str] | None
    defines: Iterable[str]
    loaded: bool


def make_object(
    *,
    needed: Iterable[str] = (),
    undefined: Iterable[str] = (),
    weak: Iterable[str] = (),
    exports: Iterable[str] = (),
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    interpreter: str = "",
    program: bool = False,
    machine: int = 62,
    elf_class: Literal[32, 64] = 64,
    byte_order: Literal["little", "big"] = "little",
    hashes: Literal["sysv", "gnu", "none"] = "sysv",
    stack: Literal["plain", "executable", "absent"] = "plain",
    relro: bool = True,
    bind_now: bool = True,
    align: int = 0,
    writable_code: bool = False,
    isa: int = 0,
    entries: Mapping[int, int | str] | None = None,
    sections: Iterable[str] | None = (),
    defines: Iterable[str] = (),
    loaded: bool = True,
) -> bytes:
    """Make an x86_64 library as a careful linker would, or what the arguments say.

    Symbols are names, or `name@GLIBC_2.17`; a version's library is needed too, unless `needed` has it. `entries` are
    more of the dynamic segment's, a text by its offset; `sections` are names of sections, None leaves the table out;
    `defines` are symbol versions that it offers. One that is not `loaded` has a note instead of a segment to map.
    """
    maker = _ObjectMaker(elf_class, byte_order)
    symbols = [_symbol(text, 0x10) for text in undefined] + [_symbol(text, 0x20) for text in weak]
    libraries = list(dict.fromkeys([*needed, *(s.library for s in symbols if s.library)]))
    maker.add_texts(libraries, soname, rpath, runpath)
    maker.add_symbols(symbols, list(exports), hashes)
    maker.add_definitions(list(defines))
    maker.add_entries({_DT_FLAGS: 8} if bind_now else {})
    maker.add_entries(entries or {})
    flags = 7 if writable_code else 6
    page = align or (1 << 16 if machine in (21, 183, 258) else 1 << 12)
    extra = [*_STACKS[stack], *([(0x6474E552, 4)] if relro else [])]
    return maker.build(
        _Frame(
            program, machine, interpreter, flags, page, extra, isa, None if sections is None else list(sections), loaded
        )
    )


_DT_FLAGS = 30
_DYNAMIC = 0
_SECTION = "IIWWWWIIWW"
# By the tag of DT_NULL's segment or a table of it: the section's name, type, link and size of an entry in both classes.
_TABLES = {
    5: (".dynstr", 3, 0, (0, 0)),
    6: (".dynsym", 11, 1, (16, 24)),
    4: (".hash", 5, 2, (4, 4)),
    0x6FFFFEF5: (".gnu.hash", 0x6FFFFFF6, 2, (0, 0)),
    0x6FFFFFF0: (".gnu.version", 0x6FFFFFFF, 2, (2, 2)),
    0x6FFFFFFE: (".gnu.version_r", 0x6FFFFFFE, 1, (0, 0)),
    0x6FFFFFFC: (".gnu.version_d", 0x6FFFFFFD, 1, (0, 0)),
    _DYNAMIC: (".dynamic", 6, 1, (8, 16)),
}
_STACKS = {"plain": [(0x6474E551, 6)], "executable": [(0x6474E551, 7)], "absent": []}


class _Placed(NamedTuple):
    """A table of the dynamic segment, by the tag of its entry, where it lies."""

    kind: int
    offset: int
    size: int


@dataclass(frozen=True)
class _Frame:
    """What stands around the tables; `extra` are program headers of no content."""

    program: bool
    machine: int
    interpreter: str
    flags: int
    align: int
    extra: list[tuple[int, int]]
    isa: int
    sections: list[str] | None
    loaded: bool


def _library(prefix: str) -> str:
    """Name the library that offers versions of a prefix; of one that is made up, a made-up one."""
    return _BRINGS.get(prefix, f"lib{prefix}.so") if prefix else ""


@dataclass(frozen=True)
class _Symbol:
    name: str
    version: str
    library: str
    info: int


def _symbol(text: str, info: int) -> _Symbol:
    name, _, version = text.partition("@")
    return _Symbol(name, version, _library(version.partition("_")[0]), info)


@dataclass
class _ObjectMaker:
    elf_class: Literal[32, 64]
    byte_order: Literal["little", "big"]
    strings: bytearray = field(default_factory=lambda: bytearray(b"\0"))
    tables: dict[int, bytes] = field(default_factory=dict)
    entries: list[tuple[int, int]] = field(default_factory=list)

    def pack(self, layout: str, *values: int) -> bytes:
        word = "Q" if self.elf_class == 64 else "I"
        return struct.pack(("<" if self.byte_order == "little" else ">") + layout.replace("W", word), *values)

    def text(self, text: str) -> int:
        offset = len(self.strings)
        self.strings += text.encode() + b"\0"
        return offset

    def add_texts(self, libraries: list[str], soname: str, rpath: str, runpath: str) -> None:
        self.entries += [(1, self.text(name)) for name in libraries]
        self.entries += [(tag, self.text(text)) for tag, text in ((14, soname), (15, rpath), (29, runpath)) if text]

    def add_symbols(self, undefined: list[_Symbol], exports: list[str], hashes: str) -> None:
        rows = [(0, 0, 0)] + [(self.text(s.name), s.info, 0) for s in undefined]
        rows += [(self.text(name), 0x12, 1) for name in exports]
        self.tables[6] = b"".join(self._row(*row) for row in rows)
        self.entries.append((11, len(self._row(0, 0, 0))))
        if hashes == "sysv":
            self.tables[4] = self.pack("II", 1, len(rows)) + bytes(4 + 4 * len(rows))
        elif hashes == "gnu":
            first = len(rows) - len(exports)
            chain = [0] * (len(exports) - 1) + [1] if exports else []
            head = self.pack("IIII", 1, first if exports else 1, 1, 0) + self.pack("W", 0)
            self.tables[0x6FFFFEF5] = head + self.pack(f"I{len(chain)}I", first if exports else 0, *chain)
        self._add_versions(undefined, len(rows))

    def _row(self, name: int, info: int, section: int) -> bytes:
        if self.elf_class == 64:
            return self.pack("IBBHQQ", name, info, 0, section, 0, 0)
        return self.pack("IIIBBH", name, 0, 0, info, 0, section)

    def _add_versions(self, undefined: list[_Symbol], count: int) -> None:
        versions = list(dict.fromkeys((s.library, s.version) for s in undefined if s.version))
        if not versions:
            return
        indexes = [versions.index((s.library, s.version)) + 2 if s.version else 1 for s in undefined]
        indexes = [0, *indexes] + [1] * (count - 1 - len(indexes))
        self.tables[0x6FFFFFF0] = self.pack(f"{count}H", *indexes)
        libraries = list(dict.fromkeys(library for library, _ in versions))
        needs = [
            (library, [(i + 2, v) for i, (name, v) in enumerate(versions) if name == library]) for library in libraries
        ]
        self.tables[0x6FFFFFFE] = b"".join(
            self._need(library, held, last=library == libraries[-1]) for library, held in needs
        )
        self.entries.append((0x6FFFFFFF, len(libraries)))

    def _need(self, library: str, versions: list[tuple[int, str]], *, last: bool) -> bytes:
        head = self.pack("HHIII", 1, len(versions), self.text(library), 16, 0 if last else 16 + 16 * len(versions))
        rows = (
            self.pack("IHHII", 0, 0, index, self.text(version), 0 if i == len(versions) - 1 else 16)
            for i, (index, version) in enumerate(versions)
        )
        return head + b"".join(rows)

    def add_definitions(self, versions: list[str]) -> None:
        """DT_VERDEF: for each version its head and its name (System V gABI extensions, Verdef)."""
        if not versions:
            return
        rows = (
            self.pack(
                "HHHHIIIII", 1, 0, index + 2, 1, 0, 20, 28 if version != versions[-1] else 0, self.text(version), 0
            )
            for index, version in enumerate(versions)
        )
        self.tables[0x6FFFFFFC] = b"".join(rows)
        self.entries.append((0x6FFFFFFD, len(versions)))

    def add_entries(self, entries: Mapping[int, int | str]) -> None:
        self.entries += [(tag, self.text(value) if isinstance(value, str) else value) for tag, value in entries.items()]

    def build(self, frame: _Frame) -> bytes:
        """Lay out header, program headers, tables and the dynamic segment; addresses are file offsets."""
        count = 4 + len(frame.extra)
        start = _HEADER[self.elf_class] + count * _PROGRAM_HEADER[self.elf_class]
        note = self._isa_note(frame.isa)
        body = bytearray(note + frame.interpreter.encode() + b"\0")
        if frame.program:
            self.entries.append((0x6FFFFFFB, 0x08000000))
        placed: list[_Placed] = []
        for tag, table in ({5: bytes(self.strings)} | self.tables).items():
            body += bytes(-(start + len(body)) % 8)
            placed.append(_Placed(tag, start + len(body), len(table)))
            self.entries.append((tag, placed[-1].offset))
            body += table
        self.entries.append((10, len(self.strings)))
        body += bytes(-(start + len(body)) % 8)
        dynamic = b"".join(self.pack("WW", *entry) for entry in [*self.entries, (0, 0)])
        placed.append(_Placed(_DYNAMIC, start + len(body), len(dynamic)))
        end = start + len(body) + len(dynamic)
        segments = self._segment(1 if frame.loaded else 4, 0, end, frame.flags, frame.align)
        segments += self._segment(2 if frame.loaded else 0, start + len(body), len(dynamic))
        segments += self._segment(3 if frame.interpreter else 0, start + len(note), len(frame.interpreter) + 1)
        segments += self._segment(0x6474E553 if note else 0, start, len(note))
        segments += b"".join(self._segment(kind, 0, 0, flags) for kind, flags in frame.extra)
        table, number = (b"", 0) if frame.sections is None else self._sections(end, placed, frame.sections)
        return self._header(frame, count, end, number) + segments + bytes(body) + dynamic + table

    def _isa_note(self, isa: int) -> bytes:
        """NT_GNU_PROPERTY_TYPE_0 with GNU_PROPERTY_X86_ISA_1_NEEDED (x86-64 psABI supplement)."""
        return self.pack("III", 4, 16, 5) + b"GNU\0" + self.pack("IIII", 0xC0008002, 4, isa, 0) if isa else b""

    def _sections(self, start: int, placed: list[_Placed], names: list[str]) -> tuple[bytes, int]:
        """The table of sections with the names after it, and how many they are.

        The dynamic segment's tables have sections too, as linkers write them: there are readers that know no others.
        """
        wide, counts = self.elf_class == 64, dict(self.entries)
        text = bytearray(b"\0")
        rows = [self.pack(_SECTION, *[0] * 10)]
        for kind, offset, size in placed:
            name, section, link, entry = _TABLES[kind]
            info = {6: 1, 0x6FFFFFFE: counts.get(0x6FFFFFFF, 0), 0x6FFFFFFC: counts.get(0x6FFFFFFD, 0)}.get(kind, 0)
            place = (2, offset, offset, size, link, info, 8, entry[wide])
            rows.append(self.pack(_SECTION, len(text), section, *place))
            text += name.encode() + b"\0"
        for name in names:
            rows.append(self.pack(_SECTION, len(text), 1, 0, 0, start, 0, 0, 0, 1, 0))
            text += name.encode() + b"\0"
        end = start + (len(rows) + 1) * (64 if wide else 40)
        own, text = len(text), text + b".shstrtab\0"
        rows.append(self.pack(_SECTION, own, 3, 0, 0, end, len(text), 0, 0, 1, 0))
        return b"".join(rows) + bytes(text), len(rows)

    def _segment(self, kind: int, offset: int, size: int, flags: int = 6, align: int = 8) -> bytes:
        if self.elf_class == 64:
            return self.pack("IIQQQQQQ", kind, flags, offset, offset, offset, size, size, align)
        return self.pack("IIIIIIII", kind, offset, offset, offset, size, size, flags, align)

    def _header(self, frame: _Frame, count: int, end: int, sections: int) -> bytes:
        ident = b"\x7fELF" + bytes([self.elf_class // 32, 1 if self.byte_order == "little" else 2, 1]) + bytes(9)
        header, entry = _HEADER[self.elf_class], _PROGRAM_HEADER[self.elf_class]
        shoff, size = (end, 64 if self.elf_class == 64 else 40) if sections else (0, 0)
        return ident + self.pack(
            *("HHIWWWIHHHHHH", 3, frame.machine, 1, 0, header, shoff, 0, header, entry, count, size),
            *(sections, max(sections - 1, 0)),
        )


def make_module(name: str = "core", **facts: Unpack[ObjectFacts]) -> bytes:
    """Make an extension module with its init function."""
    facts["exports"] = [f"PyInit_{name}", *facts.get("exports", ())]
    facts["undefined"] = ["PyModuleDef_Init", *facts.get("undefined", ())]
    return make_object(**facts)
