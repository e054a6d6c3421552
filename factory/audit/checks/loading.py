"""What the dynamic loader makes of each object (man 8 ld.so)."""

from collections.abc import Iterator

from factory.audit.claims import claimed_platforms
from factory.audit.closure import Links, installed_path, link, search_folder
from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.elf.shared_object import SharedObject
from factory.tags import PlatformTag
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="segment-refused",
        severity=Severity.ERROR,
        summary="the loader refuses an object's header, or the layout of its segments",
        why="Loading fails with `ELF load command address/offset not properly aligned` or the like.",
        mend="Build again; check stripping and patching tools (patchelf before 0.14.5 misplaces segments).",
        source="glibc, elf/dl-load.c, open_verify and _dl_map_object_from_fd; patchelf issue 317",
    ),
    Rule(
        id="page-size",
        severity=Severity.ERROR,
        summary="segments are aligned to less than the architecture's largest page",
        why="Kernels with larger pages, which distributions ship, refuse it: `alignment not page-aligned`.",
        mend="Link with the architecture's own `-z max-page-size`, and patch with a patchelf that knows the page size.",
        source="ELF ABI supplements; auditwheel issue 332; patchelf, --page-size",
    ),
    Rule(
        id="sections-missing",
        severity=Severity.WARNING,
        summary="an object has no readable section headers",
        why=(
            "The loader does not need them, but other tools read nothing else: auditwheel and abi3audit see no version "
            "and no symbol in it, debuggers and strip fail. It was compressed, or cut short."
        ),
        mend="Ship the object as the linker wrote it; strip it with `strip`, not with a packer.",
        source="man 5 elf; System V ABI, chapter 4",
    ),
    Rule(
        id="needed-path",
        severity=Severity.ERROR,
        summary="a needed library is named by a path",
        why="The loader opens a name with a slash as a path from the working folder, and uses no search path.",
        mend="Give the library a soname without a folder (`-Wl,-soname`), and link again.",
        source="man 8 ld.so: `If a shared object dependency contains a slash`",
    ),
    Rule(
        id="needed-hidden",
        severity=Severity.ERROR,
        summary="an object loads others by DT_FILTER, DT_AUXILIARY or DT_AUDIT",
        why="The loader loads them, but no repair tool follows them: they are neither grafted nor checked.",
        mend="Link without `-f`, `-F`, `--audit` and `--depaudit`; name the library by `-l`.",
        source="man 8 ld.so; man 7 rtld-audit; ld, options -f and -F",
    ),
    Rule(
        id="rpath-absolute",
        severity=Severity.ERROR,
        summary="a search path is a folder of the build machine",
        why="On a user's machine that folder holds whatever somebody put there, and it is searched first.",
        mend="Remove it: `patchelf --remove-rpath`, or CMake's CMAKE_SKIP_INSTALL_RPATH; use `$ORIGIN/...`.",
        source="man 8 ld.so; CWE-426",
    ),
    Rule(
        id="rpath-relative",
        severity=Severity.ERROR,
        summary="a search path is empty or relative",
        why="The loader starts at the working folder: whoever can write there can have their own library loaded.",
        mend="Remove the empty entry (a colon too many), or begin it with `$ORIGIN`.",
        source="man 8 ld.so; CWE-427",
    ),
    Rule(
        id="rpath-outside",
        severity=Severity.WARNING,
        summary="a search path leads out of site-packages",
        why="What lies there belongs to the interpreter or the system, not to this wheel.",
        mend="Shorten the path so that it stays below site-packages.",
        source="man 8 ld.so",
    ),
    Rule(
        id="relr-unmarked",
        severity=Severity.ERROR,
        summary="an object has packed relative relocations without the version that announces them",
        why="Loaders before glibc 2.36 skip DT_RELR silently, and the code crashes; the marker makes them refuse it.",
        mend="Link with `-z nopack-relative-relocs`, or with a linker that adds GLIBC_ABI_DT_RELR.",
        source="glibc 2.36 release notes, DT_RELR",
    ),
    Rule(
        id="program-interpreter",
        severity=Severity.ERROR,
        summary="a program asks for a loader that systems do not have",
        why="Starting it fails with `No such file or directory`, naming the program.",
        mend="Link it with the platform's own compiler, or set the loader with `patchelf --set-interpreter`.",
        source="man 2 execve; processor supplements of the System V ABI",
    ),
)

# The largest page that kernels of an architecture are shipped with; segments must be aligned to it.
_PAGES = {"aarch64": 1 << 16, "ppc64le": 1 << 16, "ppc64": 1 << 16, "loongarch64": 1 << 14}
_RELR = "GLIBC_ABI_DT_RELR"
_RELR_SINCE = {"glibc": (2, 36), "musl": (1, 2)}  # musl's 1.2.4 has it; what Alpine grafts needs it all the same
_GLIBC_LOADERS = {
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
    "i686": "/lib/ld-linux.so.2",
    "aarch64": "/lib/ld-linux-aarch64.so.1",
    "armv7l": "/lib/ld-linux-armhf.so.3",
    "ppc64": "/lib64/ld64.so.1",
    "ppc64le": "/lib64/ld64.so.2",
    "s390x": "/lib/ld64.so.1",
    "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1",
    "loongarch64": "/lib64/ld-linux-loongarch-lp64d.so.1",
}
_MUSL_NAMES = {"i686": "i386", "armv7l": "armhf", "ppc64": "powerpc64", "ppc64le": "powerpc64le"}


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Find objects that the loader refuses, and search paths and needs that lead out of the wheel."""
    links, findings = link(wheel), list[Finding]()
    for path, shared in wheel.objects.items():
        if shared.kind in ("library", "program") and shared.needs_a_loader:
            findings += [*_mapped(path, shared), *_searched(path, shared), *_needs(path, shared, links)]
            findings += [*_relative(path, shared, wheel), *_interpreter(path, shared, wheel)]
        elif path.endswith(".so") and shared.needs_a_loader:
            findings += _mapped(path, shared)
    built = expectation.stage == "built"
    kept = [finding for finding in findings if not (built and finding.rule in _MENDED_BY_REPAIR)]
    return Ruling(check="loading", findings=tuple(kept))


_MENDED_BY_REPAIR = frozenset({"rpath-absolute", "rpath-relative", "rpath-outside"})


def _mapped(path: str, shared: SharedObject) -> Iterator[Finding]:
    layout = shared.layout
    if layout.refused:
        yield Finding.of(RULES["segment-refused"], path, f"is refused by the loader: {layout.refused}")
    elif layout.page_bytes and layout.page_bytes < (due := _PAGES.get(shared.architecture or "", 0)):
        message = f"has segments aligned to {layout.page_bytes:#x}; {shared.architecture} has pages of {due:#x}"
        yield Finding.of(RULES["page-size"], path, message)
    if layout.sections is None:
        yield Finding.of(
            RULES["sections-missing"], path, "has no readable section headers; other tools see nothing in it"
        )


def _searched(path: str, shared: SharedObject) -> Iterator[Finding]:
    """Programs in .data/scripts are left alone: where they will be installed, relative to libraries, is not known."""
    kind = "RUNPATH" if shared.runpath else "RPATH"
    outside = installed_path(path) == path and ".data/" in path
    for entry in sorted(set(shared.runpath or shared.rpath)):
        if entry.startswith("/"):
            yield Finding.of(
                RULES["rpath-absolute"], path, f"has {kind} {entry}; on users' machines anything may be there"
            )
        elif (folder := search_folder(path, entry)) is None:
            shown = entry or "an empty entry"
            yield Finding.of(
                RULES["rpath-relative"], path, f"has {kind} {shown}; the loader looks it up in the working folder"
            )
        elif folder.startswith("..") and not outside:
            yield Finding.of(RULES["rpath-outside"], path, f"has {kind} {entry}, which leads out of site-packages")


def _needs(path: str, shared: SharedObject, links: Links) -> Iterator[Finding]:
    for name in sorted(set(shared.needed)):
        if "/" in name and name not in links.inside[path]:
            yield Finding.of(
                RULES["needed-path"],
                path,
                f"needs {name}; the loader opens a name with a slash without searching for it",
            )
    hidden = tuple(sorted({*shared.traits.filters, *shared.traits.auditors}))
    if hidden:
        message = f"loads {hidden[0]} as a filter, auxiliary or auditor; no repair tool follows such entries"
        yield Finding.of(RULES["needed-hidden"], path, message, hidden)


def _relative(path: str, shared: SharedObject, wheel: Wheel) -> Iterator[Finding]:
    if not shared.traits.relative_relocations:
        return
    marked = any(need.version == _RELR for need in shared.version_needs)
    late = [platform for platform in claimed_platforms(wheel) if not _knows_relr(platform)]
    if late and not marked:
        message = f"has DT_RELR but does not need {_RELR}; loaders of {late[0]} crash instead of refusing it"
        yield Finding.of(RULES["relr-unmarked"], path, message)


def _knows_relr(platform: PlatformTag) -> bool:
    return platform.version >= _RELR_SINCE[platform.libc]


def _interpreter(path: str, shared: SharedObject, wheel: Wheel) -> Iterator[Finding]:
    """Compare a program's loader with those of its architecture; one of the wrong libc is `wrong-libc`."""
    if shared.kind != "program" or shared.interpreter is None or shared.architecture is None:
        return
    arch = shared.architecture
    known = {_GLIBC_LOADERS[arch], f"/lib/ld-musl-{_MUSL_NAMES.get(arch, arch)}.so.1"}
    if shared.interpreter not in known and claimed_platforms(wheel):
        message = f"asks for the loader {shared.interpreter}; systems have {_GLIBC_LOADERS[arch]}"
        yield Finding.of(RULES["program-interpreter"], path, message)
