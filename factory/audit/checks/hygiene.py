"""What costs users something although everything works."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from factory.audit.expectation import Expectation
from factory.audit.modules import module_files
from factory.audit.rules import table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.digest import Digest
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="debug-info",
        severity=Severity.WARNING,
        summary="an object carries debug information",
        why="Every user downloads it, often many times the size of the code, and does not need it.",
        mend='Strip it: `strip: true` under `repair`, Cargo\'s `strip = "debuginfo"`, or `-g0`.',
        source="DWARF; auditwheel, --strip",
    ),
    Rule(
        id="build-path",
        severity=Severity.NOTE,
        summary="an object names folders of the build machine",
        why="They reveal details of the machine, and make two builds of one source differ.",
        mend="Compile with `-ffile-prefix-map=$PWD=.`, or rustc's `--remap-path-prefix`.",
        source="reproducible-builds.org, build path",
    ),
    Rule(
        id="static-archive",
        severity=Severity.WARNING,
        summary="a static library or object file is in the wheel",
        why="Only a linker reads it; nothing does at run time.",
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
        why="Where modules are loaded globally, a symbol of one can take the place of the same symbol of another.",
        mend="Compile with `-fvisibility=hidden`.",
        source="CPython, PyMODINIT_FUNC; gcc wiki, Visibility",
    ),
    Rule(
        id="graft-without-sbom",
        severity=Severity.NOTE,
        summary="a bundled library is missing from the software bill of materials",
        why="Whoever looks for a vulnerable library cannot see that the wheel contains it.",
        mend="Repair with auditwheel 6.5 or newer, which writes `.dist-info/sboms`.",
        source="PEP 770",
    ),
    Rule(
        id="soname-twice",
        severity=Severity.WARNING,
        summary="two libraries of the wheel have one soname",
        why="A process loads only the first one: which code runs depends on what was imported before.",
        mend="Bundle the library once, and let both users find it by `$ORIGIN`.",
        source="man 8 ld.so; glibc, _dl_name_match_p",
    ),
    Rule(
        id="library-copied",
        severity=Severity.WARNING,
        summary="a library is in the wheel several times under one soname",
        why="Wheels hold no links, so each name of a versioned library became a copy: everyone downloads them all, and "
        "a process that opens two of them has its state twice.",
        mend="Pack one file, named as the soname says, and leave the names with fewer and more digits out.",
        source="man 3 dlopen: libraries are told apart by their files; binary distribution format specification",
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
    r"|\.ipynb_checkpoints|__MACOSX|\._.+|\.#.+|#.+#"
)
_STATIC = re.compile(r".*\.(?:a|la|o|lo|rlib)")
_GRAFTS = re.compile(r"[^/]+\.libs")
_HASHED = re.compile(r"[-_][0-9a-f]{8}")
_INIT = ("PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_")
_LINKERS = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start", "_start", "__data_start", "_IO_stdin_used"})


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Look for debug information, leftovers, and libraries that get in each other's way.

    Grafts are judged after the repair alone, which makes them and hashes their names.
    """
    findings = [*_debug(wheel), *_leftovers(wheel), *_exports(wheel), *_twice(wheel)]
    if expectation.stage == "repaired":
        findings += [*_grafts(wheel), *_paths(wheel)]
    return Ruling(check="hygiene", findings=tuple(findings))


def _debug(wheel: Wheel) -> Iterator[Finding]:
    sections = {path: shared.layout.sections or () for path, shared in wheel.objects.items()}
    for path, held in {**sections, **{path: file.sections for path, file in wheel.pe_files.items()}}.items():
        names = tuple(sorted(n for n in held if n.startswith((".debug_info", ".zdebug_info"))))
        if names:
            yield Finding.of(RULES["debug-info"], path, f"carries debug information ({names[0]})")


def _paths(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if shared.layout.build_paths:
            message = f"names {shared.layout.build_paths[0]}, a folder of the machine that built it"
            yield Finding.of(RULES["build-path"], path, message, shared.layout.build_paths)


def _leftovers(wheel: Wheel) -> Iterator[Finding]:
    for path in wheel.members:
        if any(_JUNK.fullmatch(part) for part in path.split("/")):
            yield Finding.of(RULES["junk-file"], path, "is a file that a tool left behind")
        elif _STATIC.fullmatch(path):
            yield Finding.of(RULES["static-archive"], path, "is of use to a linker only")


def _exports(wheel: Wheel) -> Iterator[Finding]:
    """Judge ELF objects alone: Windows' loader asks each library for its own symbols, so that none takes the place."""
    for module in module_files(wheel):
        if module.path not in wheel.objects:
            continue
        exports = wheel.objects[module.path].exports
        if exports.isdisjoint(module.hooks):
            continue
        extra = tuple(sorted(name for name in exports - _LINKERS if not name.startswith(_INIT)))
        if extra:
            message = f"exports {len(extra)} symbols besides its init function, such as {extra[0]}"
            yield Finding.of(RULES["exports-extra"], module.path, message, extra)


def _grafts(wheel: Wheel) -> Iterator[Finding]:
    """Judge the folders that auditwheel makes: `<name>.libs` next to the package."""
    grafts = [path for path in wheel.objects if _GRAFTS.fullmatch(path.partition("/")[0])]
    sboms = any(path.startswith(f"{wheel.dist_info}/sboms/") for path in wheel.members)
    for path in grafts:
        name = wheel.objects[path].soname or posixpath.basename(path)
        if not _HASHED.search(name):
            yield Finding.of(
                RULES["graft-unhashed"], path, f"has the soname {name}, which copies in other wheels may have too"
            )
        if not sboms:
            yield Finding.of(
                RULES["graft-without-sbom"], path, f"is bundled, but {wheel.dist_info}/sboms lists nothing"
            )


def _twice(wheel: Wheel) -> Iterator[Finding]:
    """Compare libraries for one machine only: a wheel may bring one for each of several."""
    holders: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path, shared in wheel.objects.items():
        if shared.soname and shared.needs_a_loader and shared.kind == "library" and not _is_module(shared.exports):
            holders[shared.soname, shared.machine_name].append(path)
    for (soname, _), paths in sorted(holders.items()):
        if len({wheel.members[path].digest for path in paths}) > 1:
            yield Finding.of(
                RULES["soname-twice"], paths[1], f"has the soname {soname}, and so has {paths[0]}", tuple(paths)
            )
        yield from _copies(wheel, soname, paths)


def _copies(wheel: Wheel, soname: str, paths: Sequence[str]) -> Iterator[Finding]:
    """Find files of one content among those of one soname."""
    first: dict[Digest, str] = {}
    for path in paths:
        same = first.setdefault(wheel.members[path].digest, path)
        if same != path:
            message = f"is a copy of {same}, {wheel.members[path].size_bytes} bytes with the soname {soname} again"
            yield Finding.of(RULES["library-copied"], path, message)


def _is_module(exports: frozenset[str]) -> bool:
    return any(name.startswith(_INIT) for name in exports)
