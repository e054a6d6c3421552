"""Wheels of a few megabytes at most that would cost a careless reader gigabytes or hours, by what they abuse."""

import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.makers.objects import make_module, make_object
from tests.makers.wheels import ABI3_NAME, make_wheel, wheel_text

_INFO = "demo-1.0.dist-info"
_NOTE_SEGMENT = struct.pack("<IIQQQQQQ", 4, 4, 0, 0, 0, 60_000, 60_000, 4)


def _overlapping_needs(count: int) -> bytes:
    """An object whose needed libraries are the tails of one long name."""
    long = "a" * 60_000
    content = bytearray(make_object(needed=[long, *(f"x{index}" for index in range(count))], sections=None))
    first = content.index(b"\0" + long.encode()) + 1
    start = content.index(b"\0" * 1 + long.encode()) - content[:first].rfind(b"\0", 0, first - 1)
    rows = [at for at in range(0, len(content) - 16, 8) if struct.unpack_from("<Q", content, at)[0] == 1]
    rows = [at for at in rows if 0 < struct.unpack_from("<Q", content, at + 8)[0] < len(content)]
    for index, at in enumerate(rows[-count:]):
        struct.pack_into("<Q", content, at + 8, start + index)
    return bytes(content)


def _objects(content: bytes, count: int) -> Mapping[str, bytes]:
    """The same object under many names; a number in its tail keeps each from being packed with the last."""
    return {f"demo/m{index}.abi3.so": content + struct.pack("<I", index) for index in range(count)}


def _many_notes() -> bytes:
    """An object of 60 000 program headers, each a note of the same 60 000 bytes."""
    content = bytearray(make_object(sections=None))
    where, count = len(content), 60_000
    old = struct.unpack_from("<QHH", content, 32)[0]
    kept = bytes(content[old : old + 56 * struct.unpack_from("<H", content, 56)[0]])
    headers = kept + _NOTE_SEGMENT * count
    struct.pack_into("<Q", content, 32, where)
    struct.pack_into("<H", content, 56, len(headers) // 56)
    return bytes(content) + headers


def _overlapping_sections() -> bytes:
    """An object of 16 000 sections, whose names begin at each byte of one long table."""
    content = bytearray(make_object(sections=[]))
    table, count = len(content), 16_000
    names = b"n" * (1 << 20)
    rows = [struct.pack("<IIQQQQIIQQ", index, 1, 0, 0, table, len(names), 0, 0, 1, 0) for index in range(count)]
    struct.pack_into("<Q", content, 40, table + len(names))
    struct.pack_into("<HHH", content, 58, 64, count, 0)
    return bytes(content) + names + b"".join(rows)


def _files(files: Callable[[], Mapping[str, bytes]]) -> Callable[[Path], Path]:
    return lambda folder: make_wheel(folder, files(), filename=ABI3_NAME)


def _deep_names(count: int, depth: int) -> Callable[[Path], Path]:
    """Names of so many folders each, in a wheel whose entry point makes a reader look for modules."""
    files = {f"{index}/" + "a/" * depth + "x.py": b"" for index in range(count)}
    points = {f"{_INFO}/entry_points.txt": b"[console_scripts]\n" + b"demo = demo.core:main\n" * 50}
    return lambda folder: make_wheel(folder, points, filename=ABI3_NAME, unlisted=files)


def _tag_lines(folder: Path) -> Path:
    parts = [".".join(f"{kind}{index}" for index in range(16)) for kind in "abc"]
    lines = [f"Tag: {parts[0]}-{parts[1]}-{parts[2].replace('c', f'c{number}x')}\n" for number in range(400)]
    return make_wheel(folder, {}, filename=ABI3_NAME, wheel=wheel_text(ABI3_NAME) + "".join(lines))


def _long_tag_line(folder: Path) -> Path:
    line = f"Tag: {'.'.join('p' * 100_000 + str(n) for n in range(30))}-{'.'.join(map(str, range(30)))}-any\n"
    return make_wheel(folder, {}, filename=ABI3_NAME, wheel=wheel_text(ABI3_NAME) + line)


def _record_rows(folder: Path) -> Path:
    rows = [[f"demo/{index}.py", "sha256=AAAA", "1"] for index in range(120_000)]
    return make_wheel(folder, {}, filename=ABI3_NAME, record=lambda own: own + rows)


def _many_members(folder: Path) -> Path:
    """As many members as are read, each with everything wrong that costs a finding."""

    def pack(archive: zipfile.ZipFile) -> None:
        for index in range(65_000):
            entry = zipfile.ZipInfo(f"d/{index}.pyc")
            entry.external_attr = 0o100002 << 16
            archive.writestr(entry, b"")

    return make_wheel(folder, {}, filename=ABI3_NAME, pack=pack)


def _requirements(folder: Path) -> Path:
    lines = "".join(f"Requires-Dist: a{index}\nProvides-Extra: e{index}\n" for index in range(60_000))
    metadata = f"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n{lines}"
    return make_wheel(folder, {}, filename=ABI3_NAME, metadata=metadata)


def _search_paths(count: int, folders: int) -> Mapping[str, bytes]:
    """Objects that each look for the next in many folders, and hand their RPATH on."""
    rpath = ":".join(["$ORIGIN/" + "x/../" * 50 + "${LIB}/$LIB/$PLATFORM"] * folders)
    names = [f"libx{index}.so" for index in range(count)]
    needed = {name: names[index + 1 : index + 20] for index, name in enumerate(names)}
    return {f"demo/{name}": make_object(needed=needed[name], soname=name, rpath=rpath) for name in names}


def _version_prefixes(count: int) -> bytes:
    return make_object(undefined=[f"f{index}@GLIBC{index}_1" for index in range(count)], sections=None)


def _long_exports(count: int, characters: int) -> Mapping[str, bytes]:
    """Modules with exports of so many characters beside their init functions."""
    exports = [f"{index:03}".ljust(characters, "x") for index in range(25)]
    return {f"demo/m{index}.abi3.so": make_module(f"m{index}", exports=exports) for index in range(count)}


def _described(description: str) -> Callable[[Path], Path]:
    fields = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nDescription-Content-Type: text/x-rst\n\n"
    return lambda folder: make_wheel(folder, {}, filename=ABI3_NAME, metadata=fields + description)


def grid_table(columns: int, rows: int) -> str:
    """Write a table of reStructuredText with cells of one blank."""
    border = "+" + "-+" * columns + "\n"
    return border + ("|" + " |" * columns + "\n" + border) * rows


def nested_bullets(lines: int, depth: int) -> str:
    """Write lines that each begin a list in a list in a list."""
    return ("* " * depth + "a\n") * lines


def _names_and_libraries() -> Mapping[str, bytes]:
    """Objects of many names that nothing defines, each beside many libraries of which nothing is known."""
    undefined, needed = [f"f{index}" for index in range(40_000)], [f"x{index}" for index in range(500)]
    return _objects(make_object(undefined=undefined, needed=needed, sections=None), 6)


def _conflicts(count: int) -> Mapping[str, bytes]:
    """Sources of as many elements as are parsed, each with the marks of a merge in a string."""
    marks = b'"""\n<<<<<<< a\n=======\n>>>>>>> b\n"""\n'
    return {f"demo/m{index}.py": marks + b"x=1\n" * 33_000 for index in range(count)}


HOSTILE: Mapping[str, Callable[[Path], Path]] = {
    "needed libraries that overlap": _files(lambda: _objects(_overlapping_needs(400), 20)),
    "three names of 30 000 folders": _deep_names(3, 30_000),
    "2 000 names of 500 folders": _deep_names(2_000, 490),
    "400 Tag lines of 16x16x16": _tag_lines,
    "one Tag line of long parts": _long_tag_line,
    "rows of RECORD for files that are not there": _record_rows,
    "as many members as are read": _many_members,
    "60 000 requirements and extras": _requirements,
    "search paths that multiply": _files(lambda: _search_paths(120, 60)),
    "versions of as many libraries": _files(lambda: _objects(_version_prefixes(3_000), 10)),
    "notes that overlap": _files(lambda: _objects(_many_notes(), 5)),
    "sections' names that overlap": _files(lambda: _objects(_overlapping_sections(), 20)),
    "as many objects as members": _files(lambda: _objects(make_object(machine=190)[:64], 20_000)),
    "needed names that backtrack": _files(lambda: _objects(make_object(needed=["libpython3-" + "a" * 60_000]), 50)),
    "bullets in bullets": _described(nested_bullets(4_000, 60)),
    "a table of very many columns": _described(grid_table(1_900, 60)),
    "names and libraries that multiply": _files(_names_and_libraries),
    "findings of long names": _files(lambda: _long_exports(510, 480)),
    "marks of a merge in many sources": _files(lambda: _conflicts(800)),
    "the beginning of libpython's name again and again": _files(
        lambda: {"demo/a.so": make_object(undefined=["dlopen"]) + b"libpython3." * (5 << 20)}
    ),
    "one object of slashes": _files(lambda: {"demo/a.so": make_object() + b"/" * (60 << 20)}),
}
