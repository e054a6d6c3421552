"""The dynamic symbol table with its versions, counted without sections."""

import re
import struct
from dataclasses import dataclass
from itertools import islice, repeat

from factory.elf.image import Image, Strings
from factory.elf.shared_object import Symbol, VersionNeed
from factory.objects import PLACE_BYTES, VERSION_ENTRIES, ObjectError

_DT_HASH, _DT_SYMTAB, _DT_SYMENT, _DT_GNU_HASH = 4, 6, 11, 0x6FFFFEF5
_DT_RELA, _DT_RELASZ, _DT_REL, _DT_RELSZ, _DT_PLTREL, _DT_JMPREL, _DT_PLTRELSZ = 7, 8, 17, 18, 20, 23, 2
_DT_VERSYM, _DT_VERDEF, _DT_VERDEFNUM, _DT_VERNEED, _DT_VERNEEDNUM = (
    0x6FFFFFF0,
    0x6FFFFFFC,
    0x6FFFFFFD,
    0x6FFFFFFE,
    0x6FFFFFFF,
)
_STB_LOCAL, _STB_WEAK = 0, 2
_STV_INTERNAL, _STV_HIDDEN = 1, 2
_VER_FLG_BASE, _VER_FLG_WEAK = 1, 2
_SYMBOLS = 1 << 21
_ODD = re.compile(b"[" + re.escape(bytes(range(1, 256, 2))) + b"]")
_VERSIONS = 1 << 16

_Dynamic = dict[int, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the symbol table and the version tables hold."""

    undefined: tuple[Symbol, ...] = ()
    exports: frozenset[str] = frozenset()
    version_needs: tuple[VersionNeed, ...] = ()
    version_definitions: tuple[str, ...] = ()


def read_table(image: Image, dynamic: _Dynamic, strings: Strings) -> Table:
    """Read all dynamic symbols and versions.

    Raises:
        ObjectError: a table lies outside the file, or claims more entries than any real one.
    """
    needs = _version_needs(image, dynamic, strings)
    names = {index: (need.library, need.version) for index, need in needs}
    undefined, exports = _symbols(image, dynamic, strings, names)
    return Table(
        undefined=undefined,
        exports=exports,
        version_needs=tuple(need for _, need in needs),
        version_definitions=_version_definitions(image, dynamic, strings),
    )


def _symbols(
    image: Image, dynamic: _Dynamic, strings: Strings, versions: dict[int, tuple[str, str]]
) -> tuple[tuple[Symbol, ...], frozenset[str]]:
    if _DT_SYMTAB not in dynamic:
        return (), frozenset()
    # Elf64_Sym is name, info, other, shndx, value, size; Elf32_Sym has the last five in another order.
    wide = image.elf_class == 64  # noqa: PLR2004 -- ELFCLASS64
    layout = struct.Struct(image.order + ("IBBH16x" if wide else "I8xBBH"))
    if dynamic.get(_DT_SYMENT, [layout.size])[-1] != layout.size:
        raise ObjectError(f"symbols of {dynamic[_DT_SYMENT][-1]} bytes; the loader takes {layout.size}-byte ones")
    count = _count(image, dynamic)
    if count == 0:
        return (), frozenset()
    image.budget.take(count)
    view = image.at_address(dynamic[_DT_SYMTAB][-1], count * layout.size, "the symbol table")
    undefined, exports = [], set()
    for (name, info, other, section), version in islice(
        zip(layout.iter_unpack(view), _version_indexes(image, dynamic, count), strict=True), 1, None
    ):
        if section == 0:
            library, text = versions.get(version & 0x7FFF, ("", ""))
            image.budget.take(size_bytes=PLACE_BYTES)
            undefined.append(Symbol(strings[name], text, library, info >> 4 == _STB_WEAK))
        elif info >> 4 != _STB_LOCAL and other & 3 not in (_STV_INTERNAL, _STV_HIDDEN):
            exports.add(strings[name])
    image.budget.take(size_bytes=len(exports) * PLACE_BYTES)
    return tuple(undefined), frozenset(exports)


def _version_indexes(image: Image, dynamic: _Dynamic, count: int) -> "repeat[int] | memoryview | list[int]":
    if _DT_VERSYM not in dynamic:
        return repeat(0, count)
    view = image.at_address(dynamic[_DT_VERSYM][-1], count * 2, "the symbol version table")
    return list(image.integers("H", view))


def _count(image: Image, dynamic: _Dynamic) -> int:
    """Count the symbols by the hash tables and the relocations: no tag says how many there are.

    GNU ld writes an empty DT_GNU_HASH when nothing is exported, and a hostile one may end early. The loader binds the
    symbols that relocations name, so the greatest of all three counts is taken.
    """
    count = max(_hash_count(image, dynamic), _gnu_hash_count(image, dynamic), _relocation_count(image, dynamic))
    if count > _SYMBOLS:
        raise ObjectError(f"{count} dynamic symbols are claimed; at most {_SYMBOLS} are read")
    return count


def _hash_count(image: Image, dynamic: _Dynamic) -> int:
    if _DT_HASH not in dynamic:
        return 0
    view = image.from_address(dynamic[_DT_HASH][-1], "the hash table")
    # s390x alone has 64-bit words here (its ELF ABI supplement).
    return image.unpack("QQ" if _is_s390x(image) else "II", view, "the hash table")[1]


def _is_s390x(image: Image) -> bool:
    return (image.header.machine, image.elf_class) == (22, 64)


def _gnu_hash_count(image: Image, dynamic: _Dynamic) -> int:
    """Find the end of the chain of the highest bucket, whose last entry has its lowest bit set."""
    if _DT_GNU_HASH not in dynamic:
        return 0
    view = image.from_address(dynamic[_DT_GNU_HASH][-1], "the GNU hash table")
    buckets, first, bloom, _ = image.unpack("IIII", view, "the GNU hash table")
    start = 16 + bloom * image.elf_class // 8
    if start + buckets * 4 > len(view):
        raise ObjectError("the GNU hash table does not end within its segment")
    highest = max(image.highest("I", view[start : start + buckets * 4]), 0)
    if highest < first:
        return first
    chain = view[start + (buckets + highest - first) * 4 :][: _SYMBOLS * 4]
    lowest_bytes = bytes(chain[0 if image.byte_order == "little" else 3 :: 4])
    if (end := _ODD.search(lowest_bytes, 0, len(chain) // 4)) is None:
        raise ObjectError("a chain of the GNU hash table has no end")
    return highest + end.start() + 1


def _relocation_count(image: Image, dynamic: _Dynamic) -> int:
    plt_is_rela = dynamic.get(_DT_PLTREL, [_DT_RELA])[-1] == _DT_RELA
    tables = (
        (_DT_RELA, _DT_RELASZ, 3),
        (_DT_REL, _DT_RELSZ, 2),
        (_DT_JMPREL, _DT_PLTRELSZ, 3 if plt_is_rela else 2),
    )
    return max(_highest_symbol(image, dynamic, *table) for table in tables) + 1


def _highest_symbol(image: Image, dynamic: _Dynamic, address: int, size: int, words: int) -> int:
    """Find the greatest symbol index in one relocation table: the upper part of every entry's second word."""
    if address not in dynamic or not dynamic.get(size, [0])[-1]:
        return -1
    view = image.at_address(dynamic[address][-1], dynamic[size][-1], "a relocation table")
    return image.highest(image.word, view, first=1, step=words) >> (32 if image.elf_class == 64 else 8)  # noqa: PLR2004 -- ELFCLASS64


def _version_needs(image: Image, dynamic: _Dynamic, strings: Strings) -> list[tuple[int, VersionNeed]]:
    """DT_VERNEED's two nested lists, each version with the index by which DT_VERSYM names it."""
    needs: list[tuple[int, VersionNeed]] = []
    if _DT_VERNEED not in dynamic:
        return needs
    view = image.from_address(dynamic[_DT_VERNEED][-1], "the needed versions")
    for _ in range(min(dynamic.get(_DT_VERNEEDNUM, [0])[-1], _VERSIONS)):
        image.budget.take(VERSION_ENTRIES)
        _, count, library, first, following = image.unpack("HHIII", view, "the needed versions")
        entry = view[first:]
        for _ in range(count):
            image.budget.take(VERSION_ENTRIES, PLACE_BYTES)
            _, flags, index, name, step = image.unpack("IHHII", entry, "a needed version")
            needs.append((index & 0x7FFF, VersionNeed(strings[library], strings[name], bool(flags & _VER_FLG_WEAK))))
            entry = entry[step:]
            if len(needs) > _VERSIONS:
                raise ObjectError(f"more than {_VERSIONS} versions are needed")
            if step == 0:
                break
        if following == 0:
            break
        view = view[following:]
    return needs


def _version_definitions(image: Image, dynamic: _Dynamic, strings: Strings) -> tuple[str, ...]:
    names: list[str] = []
    if _DT_VERDEF not in dynamic:
        return ()
    view = image.from_address(dynamic[_DT_VERDEF][-1], "the defined versions")
    for _ in range(min(dynamic.get(_DT_VERDEFNUM, [0])[-1], _VERSIONS)):
        image.budget.take(VERSION_ENTRIES, PLACE_BYTES)
        _, flags, _, _, _, first, following = image.unpack("HHHHIII", view, "the defined versions")
        if not flags & _VER_FLG_BASE:
            names.append(strings[image.unpack("II", view[first:], "a defined version")[0]])
        if following == 0:
            break
        view = view[following:]
    return tuple(names)
