"""Move Debian's own programs below /opt/_internal, beside the libraries they need, for an image of an older suite.

    relocate.py OVERLAY --suite trixie --tar trixie.tar --base base.tar --glibc 2.31 --patchelf PATH PROGRAM…

PROGRAM is the name of a file in the suite's /usr/bin: `python3.13` brings its standard library and headers, `rustc` the
libraries of its sysroot. A suite whose glibc is newer than the image's runs on its own loader and glibc, which then
answer every question about the version with the image's, so that only wheels which the image can run are installed.
What is compiled with these interpreters is still compiled by the image's gcc against the image's glibc.

Runs on the host, unprivileged, without network; Python's standard library is all it needs.
"""

import argparse
import ast
import json
import pprint
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MULTIARCH = "x86_64-linux-gnu"
LOADER = "ld-linux-x86-64.so.2"
LIBRARY_FOLDERS = (f"usr/lib/{MULTIARCH}", f"lib/{MULTIARCH}")

GLIBC = frozenset({LOADER, *(f"lib{name}" for name in (
    "c.so.6", "m.so.6", "pthread.so.0", "dl.so.2", "rt.so.1", "util.so.1", "resolv.so.2", "anl.so.1", "mvec.so.1",
    "nss_files.so.2", "nss_dns.so.2",
))})  # fmt: skip
PRELOADED = ("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libm.so.6")
DLOPENED = ("libgcc_s.so.1", "libstdc++.so.6")

NOT_FOR_BUILDING = (
    "EXTERNALLY-MANAGED", "ensurepip", "idlelib", "lib2to3/tests", "sitecustomize.py", "test", "tkinter", "turtledemo",
)  # fmt: skip
UPSTREAM = {
    "CC": "gcc",
    "CXX": "g++",
    "AR": "ar",
    "LINKCC": "gcc",
    "LDSHARED": "gcc -shared",
    "LDCXXSHARED": "g++ -shared",
    "BLDSHARED": "gcc -shared",
    "OPT": "-DNDEBUG -fwrapv -O3 -Wall",
    "BASECFLAGS": "-Wno-unused-result -Wsign-compare",
    "CFLAGS": "-Wno-unused-result -Wsign-compare -DNDEBUG -fwrapv -O3 -Wall",
    "PY_CFLAGS": "-Wno-unused-result -Wsign-compare -DNDEBUG -fwrapv -O3 -Wall",
    "LDFLAGS": "",
    "PY_LDFLAGS": "",
    "LINKFORSHARED": "-Xlinker -export-dynamic",
    "PY_ENABLE_SHARED": 0,
    "Py_ENABLE_SHARED": 0,
    "BLDLIBRARY": "",
    "INSTSONAME": "",
    "LIBPYTHON": "",
    "PY3LIBRARY": "",
    "RUNSHARED": "",
}


@dataclass(frozen=True)
class Suite:
    """One suite's unpacked packages at `tree`, and their place to be: `prefix` in the image, `target` on this disk."""

    tree: Path
    prefix: str
    target: Path
    is_newer: bool
    provided: frozenset[str]
    patchelf: str

    @property
    def libraries(self) -> Path:
        """Where the private libraries lie on this disk."""
        return self.target / "lib" / MULTIARCH

    def library(self, soname: str) -> Path | None:
        """Find a shared library of the suite."""
        found = (self.tree / folder / soname for folder in LIBRARY_FOLDERS)
        return next((path for path in found if path.exists()), None)

    def needed(self, path: Path) -> list[str]:
        """List what an ELF file names as DT_NEEDED."""
        return subprocess.check_output([self.patchelf, "--print-needed", path], text=True).split()

    def has_search_path(self, path: Path) -> bool:
        """Whether an ELF file names folders of its own to search."""
        return bool(subprocess.check_output([self.patchelf, "--print-rpath", path]).strip())

    def edit(self, path: Path, *options: str) -> None:
        """Edit an ELF file in place."""
        subprocess.check_call([self.patchelf, *options, path])


def unpack(archive: Path, tree: Path) -> None:
    """Unpack a suite's packages without devices, owners, documentation, or links that lead out of the tree."""
    if tree.exists():
        return

    def is_wanted(member: tarfile.TarInfo) -> bool:
        unwanted = member.isdev() or member.name.startswith(("./usr/share/", "./var/", "./dev/", "./etc/"))
        return not unwanted and not (member.issym() and member.linkname.startswith("/"))

    with tarfile.open(archive) as packages:
        packages.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)  # absent before Python 3.11.4
        packages.extractall(tree, members=filter(is_wanted, packages))


def glibc_of(libc: bytes) -> tuple[int, int]:
    """Read the version that confstr(_CS_GNU_LIBC_VERSION) answers with."""
    versions = re.findall(rb"glibc ([0-9]+)\.([0-9]+)\0", libc)
    if len(versions) != 1:
        raise SystemExit(f"a glibc states {len(versions)} versions of itself")
    major, minor = versions[0]
    return int(major), int(minor)


def restate(libc: Path, stated: str) -> None:
    """Have a private glibc state the image's version.

    packaging, pip, uv and auditwheel ask confstr or gnu_get_libc_version which wheels run here. The first answers with
    one text, the second with the end of another, which confstr(_CS_GNU_LIBPTHREAD_VERSION) answers with.
    """
    content = libc.read_bytes()
    own = ".".join(map(str, glibc_of(content)))
    for subject in ("glibc", "NPTL"):
        text, new = (f"{subject} {version}\0".encode() for version in (own, stated))
        if content.count(text) != 1 or len(text) != len(new):
            raise SystemExit(f"{text!r} cannot be replaced by {new!r} in place")
        content = content.replace(text, new)
    libc.chmod(0o755)
    libc.write_bytes(content)


def copy_libraries(suite: Suite, roots: Iterable[Path], version: str) -> None:
    """Copy what programs need, and what that needs, into the private folder."""
    suite.libraries.mkdir(parents=True, exist_ok=True)
    queue = [*DLOPENED, *(GLIBC if suite.is_newer else ())]
    queue += [name for root in roots for name in suite.needed(root)]
    while queue:
        name = queue.pop()
        source = suite.library(name)
        kept = suite.libraries / name
        if kept.exists() or name in suite.provided or source is None:
            continue
        shutil.copy2(source, kept)
        queue += suite.needed(kept)
        if suite.has_search_path(kept):  # a RUNPATH of its own would hide the program's RPATH from it (ld.so(8))
            suite.edit(kept, "--remove-rpath")
        if name == "libc.so.6":
            restate(kept, version)


def move_program(suite: Suite, name: str) -> Path:
    """Copy a program and point it at its loader and libraries.

    The C library's own parts are named as needed, so that no other glibc's part is ever found beside them.
    """
    program = suite.target / "bin" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(suite.tree / "usr/bin" / name, program)
    place = f"{suite.prefix}/lib/{MULTIARCH}"
    options = ["--force-rpath", "--set-rpath", place]
    if suite.is_newer:
        options += ["--set-interpreter", f"{place}/{LOADER}"]
        present = set(suite.needed(program))
        options += [part for name in PRELOADED if name not in present for part in ("--add-needed", name)]
    suite.edit(program, *options)
    return program


def upstream_value(key: str, value: object, prefix: str, version: str) -> object:
    """Say of one build variable what an interpreter that was built below `prefix` without libpython says."""
    if key in UPSTREAM:
        return UPSTREAM[key]
    if key == "LDLIBRARY":
        return f"libpython{version}.a"
    if key == "LIBDIR":
        return f"{prefix}/lib"
    if not isinstance(value, str):
        return value
    value = re.sub(rf"{MULTIARCH}-(gcc|g\+\+)(?!-)", r"\1", value)
    return re.sub(r"(?<![\w.])/usr(?=/(?:lib|include|bin)\b|$)", prefix, value)


def build_variables(text: str) -> dict[str, object]:
    """Read the one table that a _sysconfigdata module assigns; the module itself is never run."""
    values = [node.value for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    if len(values) != 1:
        raise SystemExit(f"a table of build variables assigns {len(values)} names")
    found: dict[str, object] = ast.literal_eval(values[0])
    return found


def restate_build(library: Path, prefix: str, version: str) -> None:
    """Rewrite what sysconfig answers: Debian's speaks of a libpython, and of its own paths and compilers."""

    def rewritten(variables: dict[str, object]) -> dict[str, object]:
        return {key: upstream_value(key, value, prefix, version) for key, value in variables.items()}

    for path in sorted(library.glob("_sysconfigdata_*.py")):
        if path.is_symlink():
            continue
        path.write_text(f"build_time_vars = {pprint.pformat(rewritten(build_variables(path.read_text())))}\n")
    for path in sorted(library.glob("_sysconfig_vars_*.json")):
        path.write_text(json.dumps(rewritten(json.loads(path.read_text())), indent=2))
    for path in sorted(library.glob("build-details*.json")):
        path.unlink()  # PEP 739 lets it be absent


def remove(path: Path) -> None:
    """Remove a file or a folder that may be absent."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def move_python(suite: Suite, name: str) -> list[Path]:
    """Copy an interpreter's library and headers; return its extension modules."""
    library = suite.target / "lib" / name
    shutil.copytree(suite.tree / "usr/lib" / name, library, symlinks=True)
    for pattern in (*NOT_FOR_BUILDING, "config-*", "lib-dynload/_tkinter.*"):
        for path in library.glob(pattern):
            remove(path)
    headers = suite.target / "include" / name
    shutil.copytree(suite.tree / "usr/include" / name, headers, symlinks=True)
    multiarch = suite.tree / "usr/include" / MULTIARCH / name / "pyconfig.h"
    if multiarch.exists():  # Debian's way; its authors install it where it belongs
        shutil.copy2(multiarch, headers / "pyconfig.h")
    restate_build(library, suite.prefix, name.removeprefix("python"))
    return sorted((library / "lib-dynload").glob("*.so"))


def move_rust(suite: Suite, _: str) -> list[Path]:
    """Copy the compiled standard library, which rustc looks for beside its own driver."""
    shutil.copytree(suite.tree / "usr/lib/rustlib", suite.target / "lib/rustlib", symlinks=True)
    return []


def companions(name: str) -> Callable[[Suite, str], list[Path]]:
    """Choose what comes along with a program."""
    if name.startswith("python"):
        return move_python
    return move_rust if name == "rustc" else lambda _suite, _name: []


def provided_by(base: Path) -> frozenset[str]:
    """List the libraries that the image itself has."""
    places = tuple(f"./{folder}/" for folder in LIBRARY_FOLDERS)
    with tarfile.open(base) as rootfs:
        return frozenset(Path(name).name for name in rootfs.getnames() if name.startswith(places)) | GLIBC


def main() -> None:
    """Relocate the programs of one suite."""
    parser = argparse.ArgumentParser()
    parser.add_argument("overlay", type=Path)
    for option in ("--suite", "--glibc", "--patchelf"):
        parser.add_argument(option, required=True)
    parser.add_argument("--tar", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("programs", nargs="+")
    given = parser.parse_args()
    tree = given.tar.with_suffix(".tree")
    unpack(given.tar, tree)
    libc = next(path for folder in LIBRARY_FOLDERS if (path := tree / folder / "libc.so.6").exists())
    is_newer = glibc_of(libc.read_bytes()) > tuple(int(part) for part in given.glibc.split("."))
    prefix = f"/opt/_internal/{given.suite}"
    suite = Suite(
        tree=tree,
        prefix=prefix,
        target=given.overlay / prefix.lstrip("/"),
        is_newer=is_newer,
        provided=frozenset() if is_newer else provided_by(given.base),
        patchelf=given.patchelf,
    )
    programs = [move_program(suite, name) for name in given.programs]
    modules = [module for name in given.programs for module in companions(name)(suite, name)]
    copy_libraries(suite, [*programs, *modules], given.glibc)


if __name__ == "__main__":
    main()
