"""Extension modules: file suffixes, init functions, and the modules that must be there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import Tag

from factory.audit.closure import installed_path
from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.rules import finding
from factory.excerpt import ITEMS, listed
from factory.wheel import Wheel

# What interpreters look for: .cpython-313t-x86_64-linux-gnu.so, .pypy311-pp73-x86_64-linux-gnu.so, .abi3.so, .so
_MODULE = re.compile(
    r"(?P<name>[^/.]+)(?:\.(?P<tag>cpython-[0-9]+[a-z]*|pypy3[0-9]+-pp[0-9]+|abi3t?)(?:-[^/.]+)?)?\.so"
)
_ABI3T_SINCE = 15  # PEP 803
# Functions that take a PyModuleDef, a struct that begins with an object's head (PEP 793, PEP 803).
_NEEDS_MODULE_DEF = frozenset({"PyModuleDef_Init", "PyModule_Create2", "PyModule_FromDefAndSpec2", "PyState_AddModule"})
_CPYTHON = re.compile(r"cpython-3(?P<minor>[0-9]+)(?P<flags>[a-z]*)")
_PYPY = re.compile(r"pypy3(?P<minor>[0-9]+)-(?P<abi>pp[0-9]+)")


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A member that an interpreter could import: its dotted name, and the tag in its suffix (empty for plain `.so`)."""

    path: str
    name: str
    tag: str

    @property
    def hooks(self) -> tuple[str, str]:
        """The init functions an interpreter looks for (PEP 489, PEP 793); names that are not ASCII as punycode."""
        last = self.name.rpartition(".")[2]
        if last.isascii():
            return f"PyInit_{last}", f"PyModExport_{last}"
        encoded = last.encode("punycode").decode().replace("-", "_")
        return f"PyInitU_{encoded}", f"PyModExportU_{encoded}"

    def is_importable(self, wheel: Wheel) -> bool:
        """Whether the object has one of the init functions; a library for ctypes or cffi has none."""
        return not wheel.objects[self.path].exports.isdisjoint(self.hooks)


def module_files(wheel: Wheel) -> tuple[ModuleFile, ...]:
    """Every ELF member with a suffix that an interpreter imports."""
    found = []
    for path in wheel.objects:
        folder, _, base = installed_path(path).rpartition("/")
        if (match := _MODULE.fullmatch(base)) is not None:
            name = ".".join([*folder.split("/"), match["name"]] if folder else [match["name"]])
            found.append(ModuleFile(path, name.removesuffix(".__init__"), match["tag"] or ""))
    return tuple(found)


def check_suffixes(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- a Check's signature
    """Hold every module's suffix against the interpreters that are claimed."""
    tags = frozenset(tag for tag in wheel.tags if tag.abi != "none")
    found: list[Finding] = []
    if tags and tags == wheel.tags:
        stable = {tag.abi for tag in tags} <= {"abi3", "abi3t"}
        modules = module_files(wheel)
        for module in modules:
            found.extend(_stable(module, tags) if stable else _specific(module, tags))
        found.extend(_abi3t(wheel, modules, tags) if stable else _underclaimed(wheel, modules, tags))
    return Ruling(check="suffixes", findings=tuple(found))


def _stable(module: ModuleFile, tags: frozenset[Tag]) -> Iterator[Finding]:
    if module.tag.startswith(("cpython-", "pypy3")):
        message = f"only {module.tag} looks for this suffix; {_claims(tags)} is claimed and needs .abi3.so or .so"
        yield finding("abi3-suffix", module.path, message)
    elif module.tag == "abi3" and any(tag.abi == "abi3t" for tag in tags):
        message = f"a free-threaded interpreter does not look for .abi3.so; {_claims(tags)} needs .abi3t.so or .so"
        yield finding("abi3-suffix", module.path, message)
    elif module.tag == "abi3t" and _oldest(tags) < _ABI3T_SINCE:
        message = f"no interpreter before 3.{_ABI3T_SINCE} looks for .abi3t.so; {_claims(tags)} is claimed"
        yield finding("abi3-suffix", module.path, message)


def _oldest(tags: frozenset[Tag]) -> int:
    minors = [int(match[1]) for tag in tags if (match := re.fullmatch(r"cp3([0-9]+)", tag.interpreter))]
    return min(minors, default=_ABI3T_SINCE)


def _abi3t(wheel: Wheel, modules: tuple[ModuleFile, ...], tags: frozenset[Tag]) -> Iterator[Finding]:
    """Judge what PEP 803 asks of a wheel for both builds: a floor of 3.15, and no struct with an object's head."""
    if not any(tag.abi == "abi3t" for tag in tags):
        return
    if _oldest(tags) < _ABI3T_SINCE:
        message = f"claims {_claims(tags)}; abi3t begins with Python 3.{_ABI3T_SINCE}"
        yield finding("abi3t-floor", wheel.filename, message)
    for module in modules:
        shared = wheel.objects[module.path]
        heads = tuple(sorted({symbol.name for symbol in shared.undefined} & _NEEDS_MODULE_DEF))
        if heads and module.hooks[1] not in shared.exports:
            message = (
                f"calls {heads[0]} with a PyModuleDef, whose layout abi3t does not promise; {module.hooks[1]} is due"
            )
            yield finding("abi3t-object-layout", module.path, message, heads)


def _underclaimed(wheel: Wheel, modules: tuple[ModuleFile, ...], tags: frozenset[Tag]) -> Iterator[Finding]:
    """Notice a wheel for one version whose modules are all for any."""
    stable = all(m.tag in ("abi3", "abi3t") and not wheel.objects[m.path].exports.isdisjoint(m.hooks) for m in modules)
    if modules and stable and not any("t" in tag.abi[2:] for tag in tags):
        message = f"claims {_claims(tags)} alone; every module in it has a suffix for the stable ABI"
        yield finding("abi3-underclaimed", wheel.filename, message)


def _specific(module: ModuleFile, tags: frozenset[Tag]) -> Iterator[Finding]:
    abi = _abi(module.tag)
    if abi is not None and abi not in {tag.abi for tag in tags}:
        message = f"only {module.tag} looks for this suffix; the wheel is for {_claims(tags)}"
        yield finding("suffix-interpreter", module.path, message)
    if module.tag == "abi3" and all(re.fullmatch(r"cp3[0-9]+t", tag.abi) for tag in tags):
        message = f"a free-threaded interpreter does not look for .abi3.so; the wheel is for {_claims(tags)}"
        yield finding("suffix-interpreter", module.path, message)


def _abi(tag: str) -> str | None:
    """Find the abi tag that goes with a suffix, None for suffixes that several interpreters share."""
    if (match := _CPYTHON.fullmatch(tag)) is not None:
        return f"cp3{match['minor']}{match['flags']}"
    if (match := _PYPY.fullmatch(tag)) is not None:
        return f"pypy3{match['minor']}_{match['abi']}"
    return None


def _claims(tags: frozenset[Tag]) -> str:
    return listed(sorted({f"{tag.interpreter}-{tag.abi}" for tag in tags}))


def check_modules(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Look for every expected module as an ELF object, and for every module's own init function."""
    modules = module_files(wheel)
    found = [*_missing(wheel, modules, expectation), *_inits(wheel, modules, expectation), *_pure(wheel, expectation)]
    return Ruling(check="modules", findings=(*found, *_unnamed(wheel, modules, expectation)))


def _missing(wheel: Wheel, modules: tuple[ModuleFile, ...], expectation: Expectation) -> Iterator[Finding]:
    present = {module.name for module in modules}
    for name in sorted(set() if wheel.is_unread else set(expectation.modules) - present):
        path = name.replace(".", "/")
        fallbacks = tuple(m for m in wheel.members if installed_path(m) in (f"{path}.py", f"{path}/__init__.py"))
        instead = f"; {fallbacks[0]} stands in for it" if fallbacks else ""
        holds = f"; the wheel holds {listed(sorted(present), most=ITEMS)}" if present else ""
        message = f"extension module {name} is expected and not in the wheel{instead}{holds}"
        yield finding("module-missing", wheel.filename, message, tuple(module.path for module in modules))


def _unnamed(wheel: Wheel, modules: tuple[ModuleFile, ...], expectation: Expectation) -> Iterator[Finding]:
    """Notice a wheel that is owed, so that its tags are known, and of which no module is expected by name."""
    if expectation.tags is not None and expectation.stage == "repaired" and modules and not expectation.modules:
        names = listed(sorted({module.name for module in modules}), most=ITEMS)
        message = f"no recipe would miss {names}: write audit: {{modules: [{names}]}}"
        yield finding("modules-unnamed", wheel.filename, message)


def _inits(wheel: Wheel, modules: tuple[ModuleFile, ...], expectation: Expectation) -> Iterator[Finding]:
    """Spare libraries for ctypes or cffi, which may carry a module's suffix without a hook, unless expected."""
    for module in modules:
        if module.is_importable(wheel):
            continue
        exports = wheel.objects[module.path].exports
        others = tuple(sorted(n for n in exports if n.startswith(("PyInit_", "PyInitU_", "PyModExport"))))
        if module.name in expectation.modules or others:
            has = f"it has {others[0]}" if others else "it has none"
            message = f"an import of {module.name} calls {module.hooks[0]} or {module.hooks[1]}; {has}"
            yield finding("init-missing", module.path, message, others)


def _pure(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    """Notice a platform in the tag and no object in the wheel: what a silent fallback to pure Python leaves."""
    expected = expectation.platform is not None
    claimed = any("linux" in tag.platform and tag.abi != "none" for tag in wheel.tags)
    if (expected or claimed) and wheel.name is not None and not (wheel.objects or wheel.broken or wheel.has_unread):
        yield finding("pure-wheel", wheel.filename, "holds no compiled object; a wheel for one platform is owed")
