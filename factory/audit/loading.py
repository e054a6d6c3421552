"""Whether the loader takes an object, and where it is told to look for others (man 8 ld.so)."""

from collections.abc import Iterator

from factory.audit.closure import Links, installed_path, link, search_folder
from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.platforms import claimed
from factory.audit.rules import finding
from factory.elf.model import SharedObject
from factory.tags import PlatformTag
from factory.wheel import Wheel

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


def check_loading(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Find what the loader refuses, and search paths and needs that lead out of the wheel."""
    links, found = link(wheel), []
    for path, shared in wheel.objects.items():
        if shared.kind in ("library", "program") and shared.needs_a_loader:
            found += [*_mapped(path, shared), *_searched(path, shared), *_needs(path, shared, links)]
            found += [*_relative(path, shared, wheel), *_interpreter(path, shared, wheel)]
    built = expectation.stage == "built"
    kept = [each for each in found if not (built and each.rule in _MENDED_BY_REPAIR)]
    return Ruling(check="loading", findings=tuple(kept))


_MENDED_BY_REPAIR = frozenset({"rpath-absolute", "rpath-relative", "rpath-outside"})


def _mapped(path: str, shared: SharedObject) -> Iterator[Finding]:
    layout = shared.layout
    if layout.refused:
        yield finding("segment-refused", path, f"is refused by the loader: {layout.refused}")
    elif layout.page_bytes and layout.page_bytes < (due := _PAGES.get(shared.architecture or "", 0)):
        message = f"has segments aligned to {layout.page_bytes:#x}; {shared.architecture} has pages of {due:#x}"
        yield finding("page-size", path, message)
    if layout.sections is None:
        yield finding("sections-missing", path, "has no readable section headers; other tools see nothing in it")


def _searched(path: str, shared: SharedObject) -> Iterator[Finding]:
    """Programs in .data/scripts are left alone: nobody knows how far the folder they land in is from the libraries."""
    kind = "RUNPATH" if shared.runpath else "RPATH"
    outside = installed_path(path) == path and ".data/" in path
    for entry in sorted(set(shared.runpath or shared.rpath)):
        if entry.startswith("/"):
            yield finding("rpath-absolute", path, f"has {kind} {entry}; what users have there is anybody's guess")
        elif (folder := search_folder(path, entry)) is None:
            said = entry or "an empty entry"
            yield finding("rpath-relative", path, f"has {kind} {said}; the loader takes it from the working folder")
        elif folder.startswith("..") and not outside:
            yield finding("rpath-outside", path, f"has {kind} {entry}; that leads out of site-packages")


def _needs(path: str, shared: SharedObject, links: Links) -> Iterator[Finding]:
    for name in sorted(set(shared.needed)):
        if "/" in name and name not in links.inside[path]:
            yield finding("needed-path", path, f"needs {name}; a name with a slash is opened as it stands")
    hidden = tuple(sorted({*shared.traits.filters, *shared.traits.auditors}))
    if hidden:
        message = f"loads {hidden[0]} as a filter, auxiliary or auditor; no repair tool follows such entries"
        yield finding("needed-hidden", path, message, hidden)


def _relative(path: str, shared: SharedObject, wheel: Wheel) -> Iterator[Finding]:
    if not shared.traits.relative_relocations:
        return
    marked = any(need.version == _RELR for need in shared.version_needs)
    late = [platform for platform in claimed(wheel) if not _knows_relr(platform)]
    if late and not marked:
        message = f"has DT_RELR and does not need {_RELR}; loaders of {late[0]} crash instead of refusing it"
        yield finding("relr-unmarked", path, message)


def _knows_relr(platform: PlatformTag) -> bool:
    return (platform.major, platform.minor) >= _RELR_SINCE[platform.libc]


def _interpreter(path: str, shared: SharedObject, wheel: Wheel) -> Iterator[Finding]:
    """Hold a program's loader against the ones its platform has; the other libc's is `wrong-libc`."""
    if shared.kind != "program" or shared.interpreter is None or shared.architecture is None:
        return
    arch = shared.architecture
    known = {_GLIBC_LOADERS[arch], f"/lib/ld-musl-{_MUSL_NAMES.get(arch, arch)}.so.1"}
    if shared.interpreter not in known and claimed(wheel):
        message = f"asks for the loader {shared.interpreter}; systems have {_GLIBC_LOADERS[arch]}"
        yield finding("program-interpreter", path, message)
