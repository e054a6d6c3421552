"""What Windows' loader makes of each module, and of the libraries that it needs."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from factory.audit.checks.machines import RULES as MACHINE_RULES
from factory.audit.claims import windows_platforms
from factory.audit.expectation import Expectation
from factory.audit.modules import ModuleFile, module_files
from factory.audit.rules import table
from factory.audit.sonames import is_python_dll, python_dll
from factory.audit.verdict import Finding, Ruling
from factory.audit.windows_libraries import comes_with_system, is_redistributable
from factory.catalogue import Rule, Severity
from factory.excerpt import listed
from factory.pe.pe_file import PeFile
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="dll-missing",
        severity=Severity.ERROR,
        summary="a needed library is neither in the wheel nor part of Windows or of Python",
        why="Loading fails with `DLL load failed while importing`, which does not name the library.",
        mend="Link it statically (`-static-libgcc`, `-static` for MinGW's own), bring it by delvewheel, or waive it "
        "where another package brings it.",
        source="Microsoft, Dynamic-link library search order; delvewheel",
    ),
    Rule(
        id="dll-redistributable",
        severity=Severity.WARNING,
        summary="a needed library comes with Microsoft's redistributable package",
        why="Neither Windows nor Python brings it: where that package was never installed, loading fails.",
        mend="Bring it by delvewheel, or link the runtime statically (`/MT`).",
        source="Microsoft, Determining which DLLs to redistribute; CPython, PC/layout",
    ),
    Rule(
        id="python-dll",
        severity=Severity.ERROR,
        summary="a module needs the library of another Python than the wheel claims",
        why="That library is not there, and the import fails; where it is there, a second interpreter is loaded.",
        mend="Build with the interpreter of the tag, or for the stable ABI: `Py_LIMITED_API`, PyO3's `abi3-py3X`.",
        source="PEP 384, Linkage; PEP 703",
    ),
)


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """Look at what a wheel for Windows needs: its own machine's code, libraries that are there, its own Python."""
    platforms = windows_platforms(wheel)
    if not platforms:
        return Ruling(check="windows", findings=())
    modules = [module for module in module_files(wheel) if module.path in wheel.pe_files]
    findings = [*_machines(wheel, modules, platforms), *_missing(wheel, platforms)]
    for module in modules:
        findings.extend(_pythons(wheel, module))
    return Ruling(check="windows", findings=tuple(findings))


def _machines(wheel: Wheel, modules: Sequence[ModuleFile], platforms: Sequence[str]) -> Iterator[Finding]:
    """Judge what an import loads: programs and libraries for others may lie in a wheel too, as a debugger's do."""
    for path in _loaded(wheel, [module.path for module in modules if module.is_importable(wheel)], platforms):
        file = wheel.pe_files[path]
        if file.platform not in platforms:
            message = f"is for {file.machine_name}; the wheel is for {listed(platforms)}"
            yield Finding.of(MACHINE_RULES["wrong-machine"], path, message)


def _loaded(wheel: Wheel, modules: Sequence[str], platforms: Sequence[str]) -> Sequence[str]:
    """Return modules with all of the wheel that they need; of several libraries of one name, the one that fits."""
    by_name = _by_name(wheel, platforms)
    loaded, queue = dict.fromkeys(modules), deque(modules)
    while queue:
        for name in wheel.pe_files[queue.popleft()].needed:
            member = by_name.get(name.lower())
            if member is not None and member not in loaded:
                loaded[member] = None
                queue.append(member)
    return list(loaded)


def _by_name(wheel: Wheel, platforms: Sequence[str]) -> Mapping[str, str]:
    """Map file names in small letters to members; those for the wheel's own machine come first."""
    names: dict[str, str] = {}
    for fits in (True, False):
        for path, file in wheel.pe_files.items():
            if (file.platform in platforms) == fits:
                names.setdefault(path.rpartition("/")[2].lower(), path)
    return names


def _missing(wheel: Wheel, platforms: Sequence[str]) -> Iterator[Finding]:
    """Look for what each file for the wheel's machine needs: by name alone, as packages add folders of theirs."""
    held = {path.rpartition("/")[2].lower() for path in wheel.members}
    for path, file in wheel.pe_files.items():
        if file.platform not in platforms:
            continue
        absent = [name for name in file.needed if not (name.lower() in held or _is_there(name.lower()))]
        apart = tuple(sorted(name for name in absent if is_redistributable(name.lower())))
        if apart:
            message = (
                f"needs {apart[0]}, which Microsoft's redistributable package brings, and neither Windows nor Python"
            )
            yield Finding.of(RULES["dll-redistributable"], path, message, apart)
        for name in sorted(set(absent) - set(apart)):
            message = f"needs {name}, which is neither in the wheel nor part of Windows or of Python"
            yield Finding.of(RULES["dll-missing"], path, message)


def _is_there(name: str) -> bool:
    return comes_with_system(name) or is_python_dll(name)


def _pythons(wheel: Wheel, module: ModuleFile) -> Iterator[Finding]:
    """Compare the interpreter's library that a module needs with the tags; those without an ABI name none."""
    abis = {tag.abi for tag in wheel.tags}
    if "none" in abis:
        return
    file: PeFile = wheel.pe_files[module.path]
    for name in file.needed:
        read = python_dll(name)
        if read is not None and not _suits(*read, abis):
            message = f"needs {name}; the wheel is for {listed(sorted(abis))}"
            yield Finding.of(RULES["python-dll"], module.path, message)


def _suits(minor: int | None, flags: str, abis: set[str]) -> bool:
    """Whether a library of CPython is there on an interpreter that a wheel is for; PyPy's has another name."""
    if minor is not None:
        return f"cp3{minor}{flags}" in abis
    stable = {"": "abi3", "t": "abi3t"}.get(flags)
    return stable in abis or any(abi.startswith("cp3") and abi.lstrip("cp0123456789") == flags for abi in abis)
