"""What costs users although everything works: debug information, leftovers, libraries that get in each other's way."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.modules import module_files
from factory.audit.rules import finding
from factory.wheel import Wheel

_JUNK = re.compile(
    r".*\.(?:py[co]|orig|rej|swp|swo|bak)|.*~|\.DS_Store|Thumbs\.db|desktop\.ini|\.git(?:ignore|attributes|modules)?"
    r"|\.coverage|\.tox|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.idea|\.vscode|__pycache__|CMakeCache\.txt"
)
_STATIC = re.compile(r".*\.(?:a|la|o|lo|rlib)")
_GRAFTS = re.compile(r"[^/]+\.libs")
_HASHED = re.compile(r"[-_][0-9a-f]{8}")
_INIT = ("PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_")
_LINKERS = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start", "_start", "__data_start", "_IO_stdin_used"})


def check_hygiene(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Look at what a wheel carries along; before the repair, grafts are still to come and names to be hashed."""
    found = [*_debug(wheel), *_leftovers(wheel), *_exports(wheel), *_twice(wheel)]
    if expectation.stage == "repaired":
        found += [*_grafts(wheel), *_paths(wheel)]
    return Ruling(check="hygiene", findings=tuple(found))


def _debug(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        names = tuple(sorted(n for n in shared.layout.sections or () if n.startswith((".debug_info", ".zdebug_info"))))
        if names:
            yield finding("debug-info", path, f"carries debug information ({names[0]})")


def _paths(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if shared.layout.build_paths:
            message = f"names {shared.layout.build_paths[0]}, a folder of the machine that built it"
            yield finding("build-path", path, message, shared.layout.build_paths)


def _leftovers(wheel: Wheel) -> Iterator[Finding]:
    for path in wheel.members:
        if any(_JUNK.fullmatch(part) for part in path.split("/")):
            yield finding("junk-file", path, "was left behind by a tool")
        elif _STATIC.fullmatch(path):
            yield finding("static-archive", path, "is input to a linker")


def _exports(wheel: Wheel) -> Iterator[Finding]:
    for module in module_files(wheel):
        exports = wheel.objects[module.path].exports
        if exports.isdisjoint(module.hooks):
            continue
        extra = tuple(sorted(name for name in exports - _LINKERS if not name.startswith(_INIT)))
        if extra:
            message = f"exports {len(extra)} symbols beside its init function, {extra[0]} first"
            yield finding("exports-extra", module.path, message, extra)


def _grafts(wheel: Wheel) -> Iterator[Finding]:
    """Judge the folders that auditwheel makes: `<name>.libs` beside the package."""
    grafts = [path for path in wheel.objects if _GRAFTS.fullmatch(path.partition("/")[0])]
    sboms = any(path.startswith(f"{wheel.dist_info}/sboms/") for path in wheel.members)
    for path in grafts:
        name = wheel.objects[path].soname or posixpath.basename(path)
        if not _HASHED.search(name):
            yield finding("graft-unhashed", path, f"has the soname {name}, which other wheels' copies have too")
        if not sboms:
            yield finding("graft-without-sbom", path, f"is bundled; {wheel.dist_info}/sboms lists nothing")


def _twice(wheel: Wheel) -> Iterator[Finding]:
    """Compare libraries for one machine only: a wheel may bring one for each of several."""
    holders: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path, shared in wheel.objects.items():
        if shared.soname and shared.needs_a_loader and shared.kind == "library" and not _is_module(shared.exports):
            holders[shared.soname, shared.machine_name].append(path)
    for (soname, _), paths in sorted(holders.items()):
        if len(paths) > 1 and len({wheel.members[path].digest for path in paths}) > 1:
            yield finding("soname-twice", paths[1], f"has the soname {soname}, as {paths[0]} has", tuple(paths))


def _is_module(exports: frozenset[str]) -> bool:
    return any(name.startswith(_INIT) for name in exports)
