"""How an object asks to be mapped (program headers)."""

import re
import struct
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Literal

from factory.elf.image import PT_DYNAMIC, PT_LOAD, Image, Segment
from factory.elf.shared_object import Layout
from factory.objects import PLACE_BYTES, ObjectError

_PT_NOTE, _PT_GNU_STACK, _PT_GNU_RELRO, _PT_GNU_PROPERTY = 4, 0x6474E551, 0x6474E552, 0x6474E553
_PF_X, _PF_W = 1, 2
_CURRENT = 1  # EV_CURRENT
_ABIS = (0, 3)  # ELFOSABI_SYSV, ELFOSABI_GNU
_ABI_ARM, _EM_ARM = 97, 40
_ET_EXEC, _ET_DYN = 2, 3
_PAGE_BYTES = 4096  # the smallest page of any architecture here: the loader takes no smaller alignment
_NT_GNU_PROPERTY_TYPE_0 = 5
_X86_ISA_1_NEEDED = 0xC0008002  # x86-64 psABI supplement, "Program Property"
_NOTE_BYTES, _NOTE_HEAD_BYTES = 1 << 16, 12
_SECTIONS = 1 << 14
_NAMES_BYTES = 1 << 20
_BUILD_PATH = re.compile(rb"/(?:home/|root/|Users/|project/|tmp/pip-)[\w.+@/-]{0,194}")
_LIBPYTHON = re.compile(rb"libpy(?:thon[23%]|py)")
_REST = re.compile(rb"[\w.%+-]{0,80}?\.so[\w.%]{0,20}\0")
_FOLDER = re.compile(rb"(?:[\w.%+~/-]*+(?<=/))?")
_UNPRINTABLE = re.compile(rb"[^\x20-\x7e]")
_PATH_BYTES = 256
_BUILD_PATHS, _BUILD_TRIES = 8, 1 << 12


def read_layout(image: Image) -> Layout:
    """Read what the program headers ask for; unreadable sections are no error: the loader never reads them."""
    loads = [segment for segment in image.segments if segment.type == PT_LOAD]
    return Layout(
        stack=_stack(image),
        writable_code=any(segment.flags & _PF_X and segment.flags & _PF_W for segment in loads),
        relro=any(segment.type == _PT_GNU_RELRO for segment in image.segments),
        page_bytes=min((segment.align for segment in loads), default=0),
        refused=_header_refused(image) or _refused(loads),
        isa_needed=_isa_needed(image),
        sections=_sections(image),
        build_paths=tuple(sorted(set(islice(_build_paths(image.content), _BUILD_PATHS)))),
        libpythons=tuple(sorted(set(islice(_libpythons(image.content), _BUILD_PATHS)))),
    )


def _stack(image: Image) -> Literal["absent", "plain", "executable"]:
    flags = [segment.flags for segment in image.segments if segment.type == _PT_GNU_STACK]
    if not flags:
        return "absent"
    return "executable" if flags[-1] & _PF_X else "plain"


def _header_refused(image: Image) -> str:
    """Say why glibc's open_verify and _dl_map_object_from_fd refuse the ELF header, in glibc's own words."""
    version, abi, abi_version, *padding = image.content[6:16]
    (file_version,) = image.unpack("I", image.at_offset(20, 4, "the ELF header"), "the ELF header")
    if version != _CURRENT or file_version != _CURRENT:
        return f"ELF file version does not match current one ({version}, {file_version})"
    if abi not in _ABIS and (abi, image.header.machine) != (_ABI_ARM, _EM_ARM):
        return f"ELF file OS ABI invalid ({abi})"
    if abi == 0 and abi_version:
        return f"ELF file ABI version invalid ({abi_version})"
    if any(padding):
        return "nonzero padding in e_ident"
    if image.header.type not in (_ET_EXEC, _ET_DYN):
        return f"only ET_DYN and ET_EXEC can be loaded (it has type {image.header.type})"
    if image.header.type == _ET_DYN and not any(segment.type == PT_DYNAMIC for segment in image.segments):
        return "object file has no dynamic section"
    return ""


def _refused(loads: list[Segment]) -> str:
    """Say why glibc's _dl_map_object_from_fd refuses it, in glibc's own words (those about alignment until 2.34)."""
    if not loads:
        return "object file has no loadable segments"
    for segment in loads:
        if segment.align % _PAGE_BYTES:
            return f"ELF load command alignment not page-aligned ({segment.align:#x})"
        if segment.align and (segment.address - segment.offset) % segment.align:
            return f"ELF load command address/offset not properly aligned ({segment.address:#x}, {segment.offset:#x})"
    if any(second.address < first.address for first, second in pairwise(loads)):
        return "loaded segments are not in the order of their addresses"
    return ""


def _isa_needed(image: Image) -> int:
    """Find the x86 instruction set levels that the loader checks before it maps an object (glibc 2.33)."""
    properties = [segment for segment in image.segments if segment.type == _PT_GNU_PROPERTY]
    for segment in properties or [segment for segment in image.segments if segment.type == _PT_NOTE]:
        image.budget.take(min(segment.file_size, _NOTE_BYTES) // _NOTE_HEAD_BYTES)
        view = image.content[segment.offset : segment.offset + min(segment.file_size, _NOTE_BYTES)]
        for kind, value in _properties(image, bytes(view)):
            if kind == _X86_ISA_1_NEEDED and len(value) == 4:  # noqa: PLR2004 -- a 32-bit mask
                return int.from_bytes(value, image.byte_order)
    return 0


def _properties(image: Image, notes: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk notes named GNU of the property type; a broken one ends the walk, as in the loader."""
    step = image.elf_class // 8
    head, at = struct.Struct(f"{image.order}III"), 0
    while at + head.size <= len(notes):
        name_bytes, size, kind = head.unpack_from(notes, at)
        name, start = at + head.size, at + head.size + _padded(name_bytes, 4)
        if kind == _NT_GNU_PROPERTY_TYPE_0 and notes[name : min(start, name + 8)] == b"GNU\0":
            yield from _property_rows(image, notes[start : start + size], step)
        at = start + _padded(size, step)


def _property_rows(image: Image, rows: bytes, step: int) -> Iterator[tuple[int, bytes]]:
    head, at = struct.Struct(f"{image.order}II"), 0
    while at + head.size <= len(rows):
        kind, size = head.unpack_from(rows, at)
        yield kind, rows[at + head.size : at + head.size + min(size, 8)]
        at += head.size + _padded(size, step)


def _padded(size: int, step: int) -> int:
    return -(-size // step) * step


def _sections(image: Image) -> frozenset[str] | None:
    """Return the names of the sections, None where no tool could read them."""
    header, wide = image.header, image.elf_class == 64  # noqa: PLR2004 -- ELFCLASS64
    layout = struct.Struct(f"{image.order}{'IIQQQQIIQQ' if wide else 'IIIIIIIIII'}")
    if not header.shnum or header.shnum > _SECTIONS or header.shentsize != layout.size:
        return None
    try:
        rows = list(
            layout.iter_unpack(image.at_offset(header.shoff, header.shnum * layout.size, "the section headers"))
        )
        _, _, _, _, offset, size, *_ = rows[header.shstrndx]
        names = bytes(image.at_offset(offset, min(size, _NAMES_BYTES), "the sections' names"))
    except (ObjectError, IndexError):
        return None
    section_names = frozenset(_section_name(names, row[0]) for row in rows)
    image.budget.take(len(rows), sum(len(name) + PLACE_BYTES for name in section_names))
    return section_names


def _section_name(names: bytes, at: int) -> str:
    return names[at : at + 80].partition(b"\0")[0].decode(errors="backslashreplace")


def _build_paths(content: bytes | bytearray) -> Iterator[str]:
    """Find names of folders on the machine that built it; those of crates' registries are the same everywhere."""
    for match in islice(_BUILD_PATH.finditer(content), _BUILD_TRIES):
        if b"/.cargo/" not in match[0]:
            yield match[0].decode()


def _libpythons(content: bytes | bytearray) -> Iterator[str]:
    """Find whole texts that name an interpreter's library, which dlopen may be given; words around one are none."""
    for match in islice(_LIBPYTHON.finditer(content), _BUILD_TRIES):
        rest = _REST.match(content, match.end())
        before = _UNPRINTABLE.split(content[max(0, match.start() - _PATH_BYTES) : match.start()])[-1]
        if rest is not None and _FOLDER.fullmatch(before):
            yield bytes(before + match[0] + rest[0][:-1]).decode()
