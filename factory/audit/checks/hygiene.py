"""What costs users although everything works: debug information, leftovers, libraries that get in each other's way."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from factory.audit.expectation import Expectation
from factory.audit.modules import module_files
from factory.audit.rules import finding, table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="debug-info",
        severity=Severity.WARNING,
        summary="an object carries debug information",
        why="Every user downloads it, often many times the size of the code, and nobody reads it.",
        mend='Strip it: `strip: true` under `repair`, Cargo\'s `strip = "debuginfo"`, or `-g0`; keep it elsewhere.',
        source="DWARF; auditwheel, --strip",
    ),
    Rule(
        id="build-path",
        severity=Severity.NOTE,
        summary="folders of the build machine stand in an object",
        why="They tell of the machine, and make two builds of one source differ.",
        mend="Compile with `-ffile-prefix-map=$PWD=.`, or rustc's `--remap-path-prefix`.",
        source="reproducible-builds.org, build path",
    ),
    Rule(
        id="static-archive",
        severity=Severity.WARNING,
        summary="a static library or object file is in the wheel",
        why="It is input to a linker, and nothing that runs reads it.",
        mend="Leave it out of the package's data, unless others are meant to link it.",
        source="check-wheel-contents; man 1 ar",
    ),
    Rule(
        id="junk-file",
        severity=Severity.WARNING,
        summary="a file that a tool left behind is in the wheel",
        why="Compiled bytecode is for one interpreter, the rest for one editor or system; everyone downloads it.",
        mend="Exclude it in the backend's configuration, and build from a clean tree.",
        source="check-wheel-contents, W001",
    ),
    Rule(
        id="exports-extra",
        severity=Severity.NOTE,
        summary="a module exports more than its init function",
        why="Two modules with one symbol each can bind to the other's where they are loaded globally.",
        mend="Compile with `-fvisibility=hidden`.",
        source="CPython, PyMODINIT_FUNC; gcc wiki, Visibility",
    ),
    Rule(
        id="graft-without-sbom",
        severity=Severity.NOTE,
        summary="a bundled library stands in no software bill of materials",
        why="Whoever looks for a vulnerable library cannot see that it is inside.",
        mend="Repair with auditwheel 6.5 or newer, which writes `.dist-info/sboms`.",
        source="PEP 770",
    ),
    Rule(
        id="soname-twice",
        severity=Severity.WARNING,
        summary="two libraries of the wheel have one soname",
        why="A process loads the first one only: which code runs depends on what was imported before.",
        mend="Bundle the library once, and let both users find it by `$ORIGIN`.",
        source="man 8 ld.so; glibc, _dl_name_match_p",
    ),
    Rule(
        id="graft-unhashed",
        severity=Severity.WARNING,
        summary="a grafted library keeps its common soname",
        why="Another wheel's library of that soname takes its place in a process that loads both.",
        mend="Let auditwheel graft it: it puts a hash into name and soname.",
        source="auditwheel, README; PEP 513",
    ),
)

_JUNK = re.compile(
    r".*\.(?:py[co]|orig|rej|swp|swo|bak)|.*~|\.DS_Store|Thumbs\.db|desktop\.ini|\.git(?:ignore|attributes|modules)?"
    r"|\.coverage|\.tox|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.idea|\.vscode|__pycache__|CMakeCache\.txt"
)
_STATIC = re.compile(r".*\.(?:a|la|o|lo|rlib)")
_GRAFTS = re.compile(r"[^/]+\.libs")
_HASHED = re.compile(r"[-_][0-9a-f]{8}")
_INIT = ("PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_")
_LINKERS = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start", "_start", "__data_start", "_IO_stdin_used"})


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Look at what a wheel carries along; before the repair, grafts are still to come and names to be hashed."""
    found = [*_debug(wheel), *_leftovers(wheel), *_exports(wheel), *_twice(wheel)]
    if expectation.stage == "repaired":
        found += [*_grafts(wheel), *_paths(wheel)]
    return Ruling(check="hygiene", findings=tuple(found))


def _debug(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        names = tuple(sorted(n for n in shared.layout.sections or () if n.startswith((".debug_info", ".zdebug_info"))))
        if names:
            yield finding(RULES["debug-info"], path, f"carries debug information ({names[0]})")


def _paths(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if shared.layout.build_paths:
            message = f"names {shared.layout.build_paths[0]}, a folder of the machine that built it"
            yield finding(RULES["build-path"], path, message, shared.layout.build_paths)


def _leftovers(wheel: Wheel) -> Iterator[Finding]:
    for path in wheel.members:
        if any(_JUNK.fullmatch(part) for part in path.split("/")):
            yield finding(RULES["junk-file"], path, "was left behind by a tool")
        elif _STATIC.fullmatch(path):
            yield finding(RULES["static-archive"], path, "is input to a linker")


def _exports(wheel: Wheel) -> Iterator[Finding]:
    for module in module_files(wheel):
        exports = wheel.objects[module.path].exports
        if exports.isdisjoint(module.hooks):
            continue
        extra = tuple(sorted(name for name in exports - _LINKERS if not name.startswith(_INIT)))
        if extra:
            message = f"exports {len(extra)} symbols beside its init function, {extra[0]} first"
            yield finding(RULES["exports-extra"], module.path, message, extra)


def _grafts(wheel: Wheel) -> Iterator[Finding]:
    """Judge the folders that auditwheel makes: `<name>.libs` beside the package."""
    grafts = [path for path in wheel.objects if _GRAFTS.fullmatch(path.partition("/")[0])]
    sboms = any(path.startswith(f"{wheel.dist_info}/sboms/") for path in wheel.members)
    for path in grafts:
        name = wheel.objects[path].soname or posixpath.basename(path)
        if not _HASHED.search(name):
            yield finding(RULES["graft-unhashed"], path, f"has the soname {name}, which other wheels' copies have too")
        if not sboms:
            yield finding(RULES["graft-without-sbom"], path, f"is bundled; {wheel.dist_info}/sboms lists nothing")


def _twice(wheel: Wheel) -> Iterator[Finding]:
    """Compare libraries for one machine only: a wheel may bring one for each of several."""
    holders: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path, shared in wheel.objects.items():
        if shared.soname and shared.needs_a_loader and shared.kind == "library" and not _is_module(shared.exports):
            holders[shared.soname, shared.machine_name].append(path)
    for (soname, _), paths in sorted(holders.items()):
        if len(paths) > 1 and len({wheel.members[path].digest for path in paths}) > 1:
            yield finding(RULES["soname-twice"], paths[1], f"has the soname {soname}, as {paths[0]} has", tuple(paths))


def _is_module(exports: frozenset[str]) -> bool:
    return any(name.startswith(_INIT) for name in exports)
