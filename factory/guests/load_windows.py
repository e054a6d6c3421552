"""Windows' loader, for which wine stands, loads objects with all that they need, and starts them.

Arguments: globs of libraries that the user's system has, parted by spaces; a JSON object: for each object's path what
it `exports` and is to be asked for, what it asks of each library of `python`, and whether it is `tolerated`. There is
no Python for Windows here: a library that exports just these names takes its place. Ends with 1 where an object cannot
be loaded whose defects are not waived.
Runs on the trial image's own interpreter; never imported by the factory itself.
"""

import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

WINE = Path("/usr/share/wine/lib")
PREFIX = Path("/work/wine")
DEBUG = "-all,err+module,warn+module"
NO_LIBRARY = re.compile(r"Library (\S{1,200}) \(which is needed by L\"([^\"]{1,4000})\"\) not found")
NO_FUNCTION = re.compile(r"No implementation for (\S{1,200})\.(\S{1,4000}) imported from L\"([^\"]{1,4000})\"")

FAULT = re.compile(r"err:module:\w{1,100} (.{1,4000})")

SECTION = 0x1000  # where the only section of what is written here begins in memory
HEADERS = 0x400
BASE = 0x180000000
STUB = bytes(4096)  # what every name of a stub leads to: nothing of Python is called, and its data is only looked up
END = bytes.fromhex("4883ec28 31c9 ff15")  # sub rsp, 40; xor ecx, ecx; call [rip + …]


class Section:
    """The bytes of a section, and where they lie in memory."""

    def __init__(self, head: bytes = b"") -> None:
        """Begin with these bytes."""
        self.bytes = bytearray(head)

    def put(self, content: bytes) -> int:
        """Add bytes at a multiple of eight; return where they lie."""
        self.bytes.extend(bytes(-len(self.bytes) % 8))
        place = SECTION + len(self.bytes)
        self.bytes.extend(content)
        return place


def stub(name: str, exports: Iterable[str]) -> bytes:
    """Write a library that exports names, each of which leads to nothing (PE format, "The .edata Section")."""
    section, names = Section(STUB), sorted(export.encode() for export in exports)
    places = [section.put(each + b"\0") for each in names]
    own = section.put(name.encode() + b"\0")
    functions = section.put(struct.pack("<I", SECTION) * len(names))
    pointers = section.put(struct.pack(f"<{len(names)}I", *places))
    ordinals = section.put(struct.pack(f"<{len(names)}H", *range(len(names))))
    counts = (1, len(names), len(names))
    table = section.put(struct.pack("<2I2H7I", 0, 0, 0, 0, own, *counts, functions, pointers, ordinals))
    return _pe(section, {0: (table, 40)}, entry=0)


def starter(library: str, names: Sequence[str]) -> bytes:
    """Write a program that asks a library for names, so that it is loaded first, and ends with 0 (".idata Section")."""
    section = Section(bytes(16))
    asked = (library, names), ("KERNEL32.dll", ["ExitProcess"])
    entries, addresses = b"", 0
    for called, symbols in asked:
        hints = [section.put(b"\0\0" + symbol.encode() + b"\0") for symbol in symbols]
        own = section.put(called.encode() + b"\0")
        thunks = struct.pack(f"<{len(hints) + 1}Q", *hints, 0)
        lookup, addresses = section.put(thunks), section.put(thunks)
        entries += struct.pack("<5I", lookup, 0, 0, own, addresses)
    table = section.put(entries + bytes(20))
    code = END + struct.pack("<i", addresses - (SECTION + len(END) + 4))
    section.bytes[: len(code)] = code
    return _pe(section, {1: (table, len(entries) + 20)}, entry=SECTION)


def _pe(section: Section, directories: "Mapping[int, tuple[int, int]]", *, entry: int) -> bytes:
    """Write a file for x86_64 with one section; without an entry it is a library."""
    content = bytes(section.bytes).ljust(-(-len(section.bytes) // 512) * 512, b"\0")
    size = SECTION + -(-len(content) // SECTION) * SECTION
    coff = struct.pack("<2H3I2H", 0x8664, 1, 0, 0, 0, 240, 0x22 if entry else 0x2022)
    optional = struct.pack("<H2B5I", 0x20B, 14, 0, 0, len(content), 0, entry, SECTION)
    optional += struct.pack("<Q2I6H4I2H", BASE, SECTION, 512, 6, 0, 0, 0, 6, 0, 0, size, HEADERS, 0, 3, 0x140)
    optional += struct.pack("<4Q2I", 1 << 20, SECTION, 1 << 20, SECTION, 0, 16)
    optional += b"".join(struct.pack("<2I", *directories.get(index, (0, 0))) for index in range(16))
    table = struct.pack("<8s6I2HI", b".all", len(section.bytes), SECTION, len(content), HEADERS, 0, 0, 0, 0, 0xE0000020)
    start = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    return (start + b"PE\0\0" + coff + optional + table).ljust(HEADERS, b"\0") + content


def prepare() -> "dict[str, str]":
    """Make a drive C: whose system folder is wine's own, and return the environment for it.

    wine sets one up by itself in ten seconds; what is loaded here needs none of that.
    """
    (multiarch,) = WINE.glob("*-linux-gnu")
    (PREFIX / "drive_c/windows").mkdir(parents=True)
    (PREFIX / "dosdevices").mkdir()
    (PREFIX / "dosdevices/c:").symlink_to("../drive_c")
    (PREFIX / "dosdevices/z:").symlink_to("/")
    (PREFIX / "drive_c/windows/system32").symlink_to(multiarch / "wine/x86_64-windows")
    (PREFIX / ".update-timestamp").write_text("disable\n", encoding="ascii")
    own = {"WINEPREFIX": str(PREFIX), "LD_LIBRARY_PATH": str(multiarch), "WINEDEBUG": DEBUG}
    # Debian 13's wine dies at once where TMPDIR is set: "free(): invalid pointer".
    return {**{name: value for name, value in os.environ.items() if name != "TMPDIR"}, **own}


def lacking(said: str, path: Path, excluded: Collection[str]) -> "tuple[list[str], list[str]]":
    """Return what an object lacks, and the libraries that wine lacks and Windows has, as the gate has judged.

    Functions of libraries that the user's system brings are not asked for.
    """
    functions = [
        f"{library} has no {name}"
        for library, name, user in NO_FUNCTION.findall(said)
        if user.endswith(path.name) and not any(fnmatchcase(library, glob) for glob in excluded)
    ]
    return functions, [library for library, _ in NO_LIBRARY.findall(said) if library != path.name]


def load(path: Path, wanted: "Mapping[str, Any]", env: "Mapping[str, str]") -> "tuple[int, str]":
    """Load an object by a program beside it; return its exit code and what wine said."""
    for library, names in wanted["python"].items():
        (path.parent / library).write_bytes(stub(library, names))
    program = path.parent / f"{path.stem}-starter.exe"
    program.write_bytes(starter(path.name, wanted["exports"]))
    asked = [str(WINE / "wine/wine64"), str(program)]
    # A file, and no pipe: wine's server would hold that open for some seconds.
    with (PREFIX / "said").open("wb") as said:
        done = subprocess.run(asked, env=env, check=False, stdout=said, stderr=subprocess.STDOUT)
    program.unlink()
    return done.returncode, (PREFIX / "said").read_text(encoding="utf-8", errors="replace")


def main() -> None:
    """Load every object."""
    excluded, order = sys.argv[1].split(), json.loads(sys.argv[2])
    env, is_bad = prepare(), False
    for name, wanted in order.items():
        code, said = load(Path(name), wanted, env)
        print(name, said, sep="\n", flush=True)
        lines, unknown = lacking(said, Path(name), excluded)
        if unknown and not lines:
            print(f"note: {name} is not loaded: wine has no {', '.join(unknown)}", flush=True)
        elif lines or code:
            is_bad = is_bad or not wanted["tolerated"]
            word = "note: waived:" if wanted["tolerated"] else "error:"
            faults = [*lines, *FAULT.findall(said), f"it ends with {code}"]
            print(word, f"the loader cannot load {name}: {faults[0]}", flush=True)
    sys.exit(int(is_bad))


if __name__ == "__main__":
    main()
