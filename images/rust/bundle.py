"""Move Debian's own rustc and cargo below /rust, beside the loader and all libraries that they need.

    bundle.py PACKED OVERLAY --patchelf PATH --version 1.96 --machine x86_64 PROGRAM…

PACKED is a tar of one suite's unpacked packages, whose manifest lies beside it. What comes out runs on any Linux of its architecture, whatever libc an
image has; what it compiles is linked by the image's own cc against the image's own libc.
"""

import argparse
import platform
import re
import shutil
import subprocess
from pathlib import Path

import relocate

PREFIX = "/rust"
NOT_FOR_BUILDING = ("lib/rustlib/etc", "lib/rustlib/src")


def drop_dangling(folder: Path) -> None:
    """Remove links to what was left behind in other packages."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and not path.exists():
            path.unlink()


def packed_version(manifest: Path) -> str:
    """Return the file name of rustc's package, which has its version: `rustc-web_1.96.0+dfsg-1_arm64.deb`."""
    names = (line.split()[-1] for line in manifest.read_text().splitlines())
    return next(name for name in names if re.match("rustc(-web)?_", name))


def require_version(target: Path, wanted: str, packed: str) -> None:
    """Run the moved rustc by its moved loader, as the folder is not where it will be.

    Where the folder is for another machine, its package says the version.
    """
    libraries = target / "lib" / relocate.MULTIARCH
    start = [libraries / relocate.LOADER, "--library-path", libraries, target / "bin/rustc", "--version"]
    said = packed if packed else subprocess.check_output(start, text=True)
    found = re.match(r"rustc[a-z-]*[ _]([0-9]+)\.([0-9]+)", said)
    if found is None or tuple(map(int, found.groups())) < tuple(map(int, wanted.split(".")[:2])):
        raise SystemExit(f"the suite's rustc says {said.strip()!r}; {wanted} or newer is declared")


def main() -> None:
    """Relocate the programs, their libraries and the standard library."""
    parser = argparse.ArgumentParser()
    parser.add_argument("packed", type=Path)
    parser.add_argument("overlay", type=Path)
    parser.add_argument("--patchelf", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--machine", required=True)
    parser.add_argument("programs", nargs="+")
    given = parser.parse_args()
    tree = given.packed.with_suffix(".tree")
    relocate.unpack(given.packed, tree)
    suite = relocate.Suite(
        tree=tree,
        prefix=PREFIX,
        target=given.overlay / PREFIX.lstrip("/"),
        is_newer=True,
        provided=frozenset(),
        patchelf=given.patchelf,
    )
    programs = [relocate.move_program(suite, name) for name in given.programs]
    relocate.move_rust(suite, "rustc")
    libc = suite.library("libc.so.6")
    if libc is None:
        raise SystemExit("the suite's packages hold no libc.so.6")
    own = ".".join(map(str, relocate.glibc_of(libc.read_bytes())))
    relocate.copy_libraries(suite, programs, own)
    for name in NOT_FOR_BUILDING:
        shutil.rmtree(suite.target / name, ignore_errors=True)
    drop_dangling(suite.target)
    is_native = platform.machine() == given.machine
    require_version(suite.target, given.version, "" if is_native else packed_version(given.packed.with_name("manifest")))


if __name__ == "__main__":
    main()
