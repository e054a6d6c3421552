"""Move Debian's own interpreter to a prefix of its own, beside the loader and all libraries that it needs.

    packed.py PACKED OVERLAY --prefix /opt/python/cp315-cp315 --glibc 2.31 --patchelf PATH PROGRAM

PACKED is a tar of one suite's unpacked packages, PROGRAM the name of a file in its /usr/bin: `python3.15`. It answers every
question about the version of its glibc with the one that is given, which the images that it is mounted into have or exceed.
"""

import argparse
import shutil
from pathlib import Path

import relocate


def main() -> None:
    """Relocate the program, its standard library and headers, and their libraries."""
    parser = argparse.ArgumentParser()
    parser.add_argument("packed", type=Path)
    parser.add_argument("overlay", type=Path)
    for option in ("--prefix", "--glibc", "--patchelf"):
        parser.add_argument(option, required=True)
    parser.add_argument("program")
    given = parser.parse_args()
    tree = given.packed.with_suffix(".tree")
    relocate.unpack(given.packed, tree)
    suite = relocate.Suite(
        tree=tree,
        prefix=given.prefix,
        target=given.overlay / given.prefix.lstrip("/"),
        is_newer=True,
        provided=frozenset(),
        patchelf=given.patchelf,
    )
    program = relocate.move_program(suite, given.program)
    move = move_pypy if given.program.startswith("pypy") else relocate.move_python
    modules = move(suite, given.program)
    relocate.copy_libraries(suite, [program, *modules], given.glibc)
    for name, target in (("python3", given.program), ("python", "python3")):
        (suite.target / "bin" / name).symlink_to(target)


def move_pypy(suite: relocate.Suite, name: str) -> list[Path]:
    """Copy PyPy's library and headers; return its extension modules.

    It finds its library from its program. The table of build variables that Debian wrote names Debian's folders, and hides
    the one beside it, which computes them from where PyPy lies.
    """
    library = suite.target / "lib" / name
    for place in ("lib", "include"):
        shutil.copytree(suite.tree / "usr" / place / name, suite.target / place / name, symlinks=True)
    for pattern in (*relocate.NOT_FOR_BUILDING, "_sysconfigdata__*.py"):
        for path in library.glob(pattern):
            relocate.remove(path)
    return sorted(library.rglob("*.so"))


if __name__ == "__main__":
    main()
