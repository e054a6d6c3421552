"""The ELF reader against readelf, on objects that a real linker made and on what this machine runs."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from factory.elf.read import parse
from factory.elf.shared_object import SharedObject

pytestmark = pytest.mark.skipif(
    not (shutil.which("gcc") and shutil.which("readelf")), reason="gcc and readelf are not installed"
)

SOURCE = """
#include <math.h>
#include <stdlib.h>
extern int from_elsewhere(int) __attribute__((weak));
extern int Py_IsInitialized(void);
__attribute__((visibility("hidden"))) int secret(void) { return 3; }
int shown_data = 7;
int shown(double x) {
    int weak = from_elsewhere ? from_elsewhere(1) : 0;
    return weak + Py_IsInitialized() + (int)pow(x, 2.5) + secret() + (getenv("X") != 0);
}
int main(void) { return 0; }
"""
VERSIONS = "DEMO_1.0 { global: shown; }; DEMO_2.0 { global: shown_data; local: *; } DEMO_1.0;"

SHARED = ["-shared", "-fPIC", "-lm"]
BUILDS: dict[str, list[str]] = {
    "gnu hash": [*SHARED, "-Wl,--hash-style=gnu"],
    "sysv hash": [*SHARED, "-Wl,--hash-style=sysv"],
    "both hashes": [*SHARED, "-Wl,--hash-style=both"],
    "gnu hash and nothing exported": [*SHARED, "-Wl,--hash-style=gnu", "-fvisibility=hidden"],
    "versioned": [*SHARED, "-Wl,--version-script=versions"],
    "soname and runpath": [
        *SHARED,
        "-Wl,-soname,libdemo.so.1",
        "-Wl,-rpath,$ORIGIN/../libs:/opt",
        "-Wl,--enable-new-dtags",
    ],
    "rpath": [*SHARED, "-Wl,-rpath,$ORIGIN", "-Wl,--disable-new-dtags"],
    "position-independent program": ["-pie", "-fPIE", "-lm", "-Wl,--unresolved-symbols=ignore-all"],
    "fixed program": ["-no-pie", "-lm", "-Wl,--unresolved-symbols=ignore-all"],
    "stripped": [*SHARED, "-s"],
}


def _tool(argv: Sequence[str | Path], cwd: Path | None = None) -> str:
    done = subprocess.run(argv, cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout


def _build(folder: Path, flags: Sequence[str]) -> Path:
    (folder / "demo.c").write_text(SOURCE)
    (folder / "versions").write_text(VERSIONS)
    _tool(["gcc", "-O1", "-o", "demo", "demo.c", *flags], folder)
    return folder / "demo"


def _without_sections(path: Path) -> Path:
    """Clear e_shoff, e_shnum and e_shstrndx: the loader runs such an object, and a reader by sections sees nothing."""
    content = bytearray(path.read_bytes())
    content[40:48] = bytes(8)
    content[60:64] = bytes(4)
    bare = path.with_name("bare")
    bare.write_bytes(content)
    return bare


def _said(path: Path) -> dict[str, object]:
    """What readelf says, in our words."""
    dynamic, symbols = _tool(["readelf", "-dW", path]), _tool(["readelf", "--dyn-syms", "-W", path])
    rows = re.findall(r"^ +\d+: \w+ +\S+ +\w+ +(\w+) +(\w+) +(?:\[.*\] +)?(\w+) (\S*)", symbols, re.MULTILINE)
    names = [(bind, visible, section, name.partition("@")[0], name) for bind, visible, section, name in rows if name]
    return {
        "needed": tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)),
        "soname": next(iter(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)), None),
        "rpath": next(iter(re.findall(r"\(RPATH\).*\[(.*)\]", dynamic)), ""),
        "runpath": next(iter(re.findall(r"\(RUNPATH\).*\[(.*)\]", dynamic)), ""),
        "undefined": sorted(
            (plain, full.partition("@")[2].lstrip("@"), bind == "WEAK")
            for bind, _, section, plain, full in names
            if section == "UND"
        ),
        "exports": {
            plain
            for bind, visible, section, plain, _ in names
            if section != "UND" and bind != "LOCAL" and visible in ("DEFAULT", "PROTECTED")
        },
    }


def _read(shared: SharedObject) -> dict[str, object]:
    return {
        "needed": shared.needed,
        "soname": shared.soname,
        "rpath": ":".join(shared.rpath),
        "runpath": ":".join(shared.runpath),
        "undefined": sorted((s.name, s.version, s.weak) for s in shared.undefined),
        "exports": set(shared.exports),
    }


@pytest.mark.parametrize("build", BUILDS)
def test_the_reader_agrees_with_readelf(build: str, tmp_path: Path) -> None:
    path = _build(tmp_path, BUILDS[build])

    assert _read(parse(path.read_bytes())) == _said(path)


@pytest.mark.parametrize("build", BUILDS)
def test_an_object_without_section_headers_says_the_same(build: str, tmp_path: Path) -> None:
    path = _build(tmp_path, BUILDS[build])

    whole = parse(path.read_bytes())
    assert whole.layout.sections is not None
    assert parse(_without_sections(path).read_bytes()) == replace(whole, layout=replace(whole.layout, sections=None))


def test_programs_and_libraries_are_told_apart(tmp_path: Path) -> None:
    kinds = {build: parse(_build(tmp_path, flags).read_bytes()).kind for build, flags in BUILDS.items()}

    assert {build for build, kind in kinds.items() if kind == "program"} == {
        "position-independent program",
        "fixed program",
    }


def test_versions_needed_and_defined_are_read(tmp_path: Path) -> None:
    shared = parse(_build(tmp_path, BUILDS["versioned"]).read_bytes())

    assert shared.version_definitions == ("DEMO_1.0", "DEMO_2.0")
    assert {need.library for need in shared.version_needs} == {"libm.so.6", "libc.so.6"}


def _machine_objects() -> list[Path]:
    modules = sorted(Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so"))
    libraries = sorted(Path("/usr/lib").glob("*-linux-gnu/lib[a-m]*.so.*"))
    files = [path for path in (*modules, *libraries, Path(sys.executable).resolve()) if path.is_file()]
    return [path for path in files if path.read_bytes()[:4] == b"\x7fELF"][:120]


def test_the_reader_agrees_with_readelf_on_what_this_machine_runs() -> None:
    different = [path for path in _machine_objects() if _read(parse(path.read_bytes())) != _said(path)]

    assert different == []


@pytest.mark.parametrize("flags", [["-c"], ["-c", "-g"]], ids=["plain", "debug"])
def test_a_relocatable_object_has_nothing_to_load(flags: list[str], tmp_path: Path) -> None:
    shared = parse(_build(tmp_path, flags).read_bytes())

    assert (shared.kind, shared.needed, shared.undefined) == ("relocatable", (), ())
