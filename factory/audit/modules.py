"""Extension modules: file suffixes, init functions, and the modules that must be there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.tags import Tag

from factory.audit.closure import installed_path
from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.rules import finding
from factory.wheel import Wheel

# What interpreters look for: .cpython-313t-x86_64-linux-gnu.so, .pypy311-pp73-x86_64-linux-gnu.so, .abi3.so, .so
_MODULE = re.compile(
    r"(?P<name>[^/.]+)(?:\.(?P<tag>cpython-[0-9]+[a-z]*|pypy3[0-9]+-pp[0-9]+|abi3t?)(?:-[^/.]+)?)?\.so"
)
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
        for module in module_files(wheel):
            found.extend(_stable(module, tags) if stable else _specific(module, tags))
    return Ruling(check="suffixes", findings=tuple(found))


def _stable(module: ModuleFile, tags: frozenset[Tag]) -> Iterator[Finding]:
    if module.tag.startswith(("cpython-", "pypy3")):
        message = f"only {module.tag} looks for this suffix; {_claims(tags)} is claimed and needs .abi3.so or .so"
        yield finding("abi3-suffix", module.path, message)


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
    return ", ".join(sorted({f"{tag.interpreter}-{tag.abi}" for tag in tags}))


def check_modules(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Look for every expected module as an ELF object, and for every module's own init function."""
    modules = module_files(wheel)
    found = [*_missing(wheel, modules, expectation), *_inits(wheel, modules, expectation), *_pure(wheel, expectation)]
    return Ruling(check="modules", findings=tuple(found))


def _missing(wheel: Wheel, modules: tuple[ModuleFile, ...], expectation: Expectation) -> Iterator[Finding]:
    present = {module.name for module in modules}
    for name in sorted(set(expectation.modules) - present):
        path = name.replace(".", "/")
        fallbacks = tuple(m for m in wheel.members if installed_path(m) in (f"{path}.py", f"{path}/__init__.py"))
        instead = f"; {fallbacks[0]} stands in for it" if fallbacks else ""
        message = f"extension module {name} is expected and not in the wheel{instead}"
        yield finding("module-missing", wheel.filename, message, tuple(module.path for module in modules))


def _inits(wheel: Wheel, modules: tuple[ModuleFile, ...], expectation: Expectation) -> Iterator[Finding]:
    """Spare libraries for ctypes or cffi, which may carry a module's suffix without a hook, unless expected."""
    for module in modules:
        exports = wheel.objects[module.path].exports
        others = tuple(sorted(n for n in exports if n.startswith(("PyInit_", "PyInitU_", "PyModExport"))))
        if not exports.isdisjoint(module.hooks):
            continue
        if module.name in expectation.modules or others:
            has = f"it has {others[0]}" if others else "it has none"
            message = f"an import of {module.name} calls {module.hooks[0]} or {module.hooks[1]}; {has}"
            yield finding("init-missing", module.path, message, others)


def _pure(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    """Notice a platform in the tag and no object in the wheel: what a silent fallback to pure Python leaves."""
    expected = expectation.platform is not None
    claimed = any("linux" in tag.platform and tag.abi != "none" for tag in wheel.tags)
    if (expected or claimed) and wheel.name is not None and not (wheel.objects or wheel.broken or wheel.flaws):
        yield finding("pure-wheel", wheel.filename, "holds no compiled object; a wheel for one platform is owed")
