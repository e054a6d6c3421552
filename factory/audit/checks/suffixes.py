"""Extension modules' suffixes: each must be one that the claimed interpreters look for."""

import re
from collections import defaultdict
from collections.abc import Iterator

from packaging.tags import Tag

from factory.audit.claims import claimed_platforms, oldest_minor
from factory.audit.expectation import Expectation
from factory.audit.modules import ModuleFile, module_files
from factory.audit.rules import table
from factory.audit.sonames import is_interpreters
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.excerpt import listed
from factory.machines import MACHINES_OF, multiarch_of
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="abi3-suffix",
        severity=Severity.ERROR,
        summary="an abi3 wheel holds a module whose suffix only one interpreter looks for",
        why="All other interpreters the tag claims install the wheel and cannot import the module.",
        mend="Name the module `.abi3.so`: setuptools needs `py_limited_api=True` on the extension too.",
        source="PEP 3149; CPython, importlib.machinery.EXTENSION_SUFFIXES",
    ),
    Rule(
        id="suffix-interpreter",
        severity=Severity.ERROR,
        summary="a module's suffix belongs to an interpreter or a machine that the wheel does not claim",
        why="The interpreters that install the wheel never find the module.",
        mend="Build with the interpreter the tag names, and clean the build folder between interpreters. Where a build "
        "for another machine names modules for its own, set SETUPTOOLS_EXT_SUFFIX or what else the backend takes.",
        source="PEP 3149; CPython, importlib.machinery.EXTENSION_SUFFIXES",
    ),
    Rule(
        id="module-without-abi",
        severity=Severity.ERROR,
        summary="a wheel whose abi tag is none holds an extension module",
        why="`none` promises that no interpreter's ABI is needed: PyPy, debug builds and free-threaded ones install it "
        "too, and cannot import the module or crash in it.",
        mend="Tag the wheel for the ABI of its modules: `cp313-cp313`, or `cp39-abi3` for the stable one.",
        source="PEP 425, abi tag",
    ),
    Rule(
        id="abi3-underclaimed",
        severity=Severity.NOTE,
        summary="a wheel for one version holds only modules for the stable ABI",
        why="One wheel could serve every later version; users of those build from source.",
        mend="Tag it abi3: `py_limited_api` for setuptools' bdist_wheel, PyO3's `abi3-py3X` for maturin.",
        source="PEP 425; PEP 384",
    ),
    Rule(
        id="abi3t-floor",
        severity=Severity.ERROR,
        summary="an abi3t tag claims a Python that has no such ABI",
        why="The stable ABI of free-threaded builds begins with 3.15: older ones cannot load the modules.",
        mend="Claim cp315 or later with abi3t, and build version-specific wheels for older free-threaded Pythons.",
        source="PEP 803",
    ),
    Rule(
        id="abi3t-object-layout",
        severity=Severity.ERROR,
        summary="a module of an abi3t wheel passes Python structs that begin with an object's header",
        why="Free-threaded builds have another header: they read the fields after it at wrong offsets, and crash.",
        mend="Define the module by PyModExport_ and slots; compile with Py_TARGET_ABI3T.",
        source="PEP 803; PEP 793",
    ),
)

_ABI3T_SINCE = 15  # PEP 803
# Functions that take a PyModuleDef, a struct that begins with an object's head (PEP 793, PEP 803).
_NEEDS_MODULE_DEF = frozenset({"PyModuleDef_Init", "PyModule_Create2", "PyModule_FromDefAndSpec2", "PyState_AddModule"})
_CPYTHON = re.compile(r"(?:cpython-|cp)3(?P<minor>[0-9]+)(?P<flags>[a-z]*)")


_PYPY = re.compile(r"pypy3(?P<minor>[0-9]+)-(?P<abi>pp[0-9]+)")


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """Compare every module's suffix with the interpreters that are claimed."""
    tags = frozenset(tag for tag in wheel.tags if tag.abi != "none")
    findings: list[Finding] = []
    if tags and tags == wheel.tags:
        stable = {tag.abi for tag in tags} <= {"abi3", "abi3t"}
        modules = module_files(wheel)
        for module in modules:
            findings.extend(_stable(module, tags) if stable else _specific(module, tags))
            findings.extend(() if stable else _of_another_system(wheel, module))
        findings.extend(_abi3t(wheel, modules, tags) if stable else _underclaimed(wheel, modules, tags))
    elif not tags and any(tag.platform != "any" for tag in wheel.tags):
        findings.extend(_without_abi(wheel))
    return Ruling(check="suffixes", findings=tuple(findings))


def _without_abi(wheel: Wheel) -> Iterator[Finding]:
    """Find modules that use Python's symbols; one that comes for each of several interpreters serves those."""
    suffixes: defaultdict[str, set[str]] = defaultdict(set)
    modules = [module for module in module_files(wheel) if module.is_importable(wheel)]
    for module in modules:
        suffixes[module.name].add(module.tag)
    for module in modules:
        if len(suffixes[module.name]) == 1 and any(
            is_interpreters(symbol.name) for symbol in wheel.binary(module.path).undefined
        ):
            message = (
                f"is an extension module, which needs an interpreter's ABI; the wheel claims {_claims(wheel.tags)}"
            )
            yield Finding.of(RULES["module-without-abi"], module.path, message)


def _stable(module: ModuleFile, tags: frozenset[Tag]) -> Iterator[Finding]:
    if module.tag.startswith(("cp", "pypy3")):
        message = (
            f"only {module.tag} looks for this suffix; the wheel claims {_claims(tags)}, which needs .abi3.so or .so"
        )
        yield Finding.of(RULES["abi3-suffix"], module.path, message)
    elif module.is_unsought:
        message = (
            f"no interpreter on Windows looks for .{module.tag}.pyd; the wheel claims {_claims(tags)}, which needs .pyd"
        )
        yield Finding.of(RULES["abi3-suffix"], module.path, message)
    elif module.tag == "abi3" and any(tag.abi == "abi3t" for tag in tags):
        message = f"a free-threaded interpreter does not look for .abi3.so; {_claims(tags)} needs .abi3t.so or .so"
        yield Finding.of(RULES["abi3-suffix"], module.path, message)
    elif module.tag == "abi3t" and _oldest(tags) < _ABI3T_SINCE:
        message = f"no interpreter before 3.{_ABI3T_SINCE} looks for .abi3t.so; the wheel claims {_claims(tags)}"
        yield Finding.of(RULES["abi3-suffix"], module.path, message)


def _oldest(tags: frozenset[Tag]) -> int:
    minor = oldest_minor(tags)
    return _ABI3T_SINCE if minor is None else minor


def _abi3t(wheel: Wheel, modules: tuple[ModuleFile, ...], tags: frozenset[Tag]) -> Iterator[Finding]:
    """Judge what PEP 803 asks of a wheel for both builds: a floor of 3.15, and no struct with an object's head."""
    if not any(tag.abi == "abi3t" for tag in tags):
        return
    if _oldest(tags) < _ABI3T_SINCE:
        message = f"claims {_claims(tags)}; abi3t begins with Python 3.{_ABI3T_SINCE}"
        yield Finding.of(RULES["abi3t-floor"], wheel.filename, message)
    for module in modules:
        shared = wheel.binary(module.path)
        heads = tuple(sorted({symbol.name for symbol in shared.undefined} & _NEEDS_MODULE_DEF))
        if heads and module.hooks[1] not in shared.exports:
            message = (
                f"calls {heads[0]} with a PyModuleDef, whose layout abi3t does not promise; define {module.hooks[1]}"
            )
            yield Finding.of(RULES["abi3t-object-layout"], module.path, message, heads)


def _underclaimed(wheel: Wheel, modules: tuple[ModuleFile, ...], tags: frozenset[Tag]) -> Iterator[Finding]:
    """Find wheels for one version whose modules would all serve any."""
    stable = all(m.is_stable and not wheel.binary(m.path).exports.isdisjoint(m.hooks) for m in modules)
    if modules and stable and not any("t" in tag.abi[2:] for tag in tags):
        message = f"claims {_claims(tags)} only; every module in it has a suffix for the stable ABI"
        yield Finding.of(RULES["abi3-underclaimed"], wheel.filename, message)


def _specific(module: ModuleFile, tags: frozenset[Tag]) -> Iterator[Finding]:
    abi = _abi(module.tag)
    if abi is not None and abi not in {tag.abi for tag in tags}:
        message = f"only {module.tag} looks for this suffix; the wheel is for {_claims(tags)}"
        yield Finding.of(RULES["suffix-interpreter"], module.path, message)
    if module.is_unsought:
        message = f"no interpreter on Windows looks for .{module.tag}.pyd; the wheel is for {_claims(tags)}"
        yield Finding.of(RULES["suffix-interpreter"], module.path, message)
    elif module.tag == "abi3" and all(re.fullmatch(r"cp3[0-9]+t", tag.abi) for tag in tags):
        message = f"a free-threaded interpreter does not look for .abi3.so; the wheel is for {_claims(tags)}"
        yield Finding.of(RULES["suffix-interpreter"], module.path, message)


def _of_another_system(wheel: Wheel, module: ModuleFile) -> Iterator[Finding]:
    """Compare the system in a suffix with the object's own machine and the libc that is claimed for it."""
    shared = wheel.objects.get(module.path)
    arch = (shared.architecture if shared is not None else None) or ""
    libcs = {platform.libc for platform in claimed_platforms(wheel) if platform.arch == arch}
    machines = [MACHINES_OF[libc].get(arch) for libc in libcs]
    match = _CPYTHON.fullmatch(module.tag)
    minor = 0 if match is None else int(match["minor"])
    due = {multiarch_of(machine, minor) for machine in machines if machine is not None}
    if module.system and machines and None not in machines and module.system not in due:
        systems = listed(sorted(due))
        message = f"only interpreters of {module.system} look for this suffix; the wheel is for {systems}"
        yield Finding.of(RULES["suffix-interpreter"], module.path, message)


def _abi(tag: str) -> str | None:
    """Find the abi tag that goes with a suffix, None for suffixes that several interpreters share."""
    if (match := _CPYTHON.fullmatch(tag)) is not None:
        return f"cp3{match['minor']}{match['flags']}"
    if (match := _PYPY.fullmatch(tag)) is not None:
        return f"pypy3{match['minor']}_{match['abi']}"
    return None


def _claims(tags: frozenset[Tag]) -> str:
    return listed(sorted({f"{tag.interpreter}-{tag.abi}" for tag in tags}))
