"""A C and C++ compiler and linker for musl: zig's, with the name under which distributions have musl's library.

zig links against `libc.so`, which is the file's name; distributions with musl, and so PEP 656's wheels, ask for
`libc.musl-x86_64.so.1`. musl's loader takes both for itself (ldso/dynlink.c, load_library), auditwheel only the second.
Arguments: `cc` or `c++`, then what builds say to such a tool. Environment: zigcc.py's, and PATCHELF and MUSL_SONAME.
Runs on the image's interpreters, from 3.9 on; never imported by the factory itself.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

COMPILERS = Path("/zig/bin")
LINKED_AS = "libc.so"


def output_of(arguments: Sequence[str]) -> Path:
    """Return what a compiler is told to write."""
    for index, argument in enumerate(arguments):
        if argument == "-o" and index + 1 < len(arguments):
            return Path(arguments[index + 1])
        if argument.startswith("-o") and len(argument) > len("-o"):
            return Path(argument[len("-o") :])
    return Path("a.out")


def is_linked(path: Path) -> bool:
    """Whether a file is an ELF shared object or program, by its type: ET_EXEC or ET_DYN."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16:18] in (b"\x02\x00", b"\x03\x00")


def rename(path: Path, patchelf: str, soname: str) -> int:
    """Give what was linked dynamically the distributions' name of the library; return patchelf's code."""
    # A static program needs nothing: patchelf says so by failing.
    needed = subprocess.run([patchelf, "--print-needed", path], check=False, capture_output=True, text=True).stdout
    if LINKED_AS not in needed.split():
        return 0
    return subprocess.run([patchelf, "--replace-needed", LINKED_AS, soname, path], check=False).returncode


def main() -> None:
    """Compile or link, then rename."""
    tool, *arguments = sys.argv[1:]
    code = subprocess.run([COMPILERS / tool, *arguments], check=False).returncode
    path = output_of(arguments)
    if code == 0 and is_linked(path):
        code = rename(path, os.environ["PATCHELF"], os.environ["MUSL_SONAME"])
    sys.exit(code)


if __name__ == "__main__":
    main()
