"""libpython: no object may need an interpreter's library, reach one, or be one."""

from collections.abc import Iterator

from factory.audit.closure import Links, link
from factory.audit.expectation import Expectation
from factory.audit.modules import module_files
from factory.audit.rules import table
from factory.audit.sonames import is_interpreters, is_libpython
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.policy import system_libraries
from factory.tags import PlatformTag
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="libpython-linked",
        severity=Severity.ERROR,
        summary="an object of the wheel needs an interpreter's library",
        why=(
            "Many interpreters are built without libpython, so the import fails with `cannot open shared object "
            "file`; where it is found, a second copy of the interpreter's state may be loaded. Repair tools remove the "
            "entry or graft the library, and neither makes the wheel right."
        ),
        mend=(
            "Do not link extension modules to libpython: use PyO3's `extension-module` feature, leave out "
            "`-lpython3.X` and `python3-embed`, use `Python::Module` rather than `Python::Python` in CMake."
        ),
        source="PEP 513, section `libpythonX.Y.so.1`",
    ),
    Rule(
        id="libpython-reached",
        severity=Severity.ERROR,
        summary="an object reaches an interpreter's library through another library of the wheel",
        why="The loader loads all that is needed: where one library needs libpython, all that need that library fail.",
        mend="Build the library in between without libpython, or leave out the part of it that embeds Python.",
        source="PEP 513, section `libpythonX.Y.so.1`; man 8 ld.so",
    ),
    Rule(
        id="libpython-opened",
        severity=Severity.ERROR,
        summary="an object opens an interpreter's library by its name at run time",
        why="Where no libpython is installed it is not found; where one is, a second interpreter with its own state is "
        "loaded into the process. No repair tool sees it.",
        mend="Look symbols of Python up in the process itself, by `dlsym(RTLD_DEFAULT, …)` or `dlopen(NULL, …)`.",
        source="PEP 513, section `libpythonX.Y.so.1`; man 3 dlopen",
    ),
    Rule(
        id="libpython-embedded",
        severity=Severity.ERROR,
        summary="an object of the wheel is an interpreter",
        why=(
            "It defines Py_Initialize, or makes a module without asking any interpreter: libpython was linked "
            "statically, or grafted under another name. Two interpreters with separate state then share one process, "
            "and objects of one crash the other."
        ),
        mend="Do not link libpython.a or pass `--whole-archive` over it; let symbols of Python stay undefined.",
        source="PEP 513, section `libpythonX.Y.so.1`",
    ),
    Rule(
        id="program-without-libpython",
        severity=Severity.ERROR,
        summary="a program uses Python's symbols, but needs no library that defines them",
        why="Nothing provides them when the program starts: it fails with `undefined symbol: Py_Initialize`.",
        mend="Ship a script that runs the interpreter instead of a program that embeds it, or leave the program out.",
        source="auditwheel issue 604",
    ),
)


_OPENERS = frozenset({"dlopen", "dlmopen"})
_NO_PLATFORM: frozenset[PlatformTag] = frozenset()


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """No object may need an interpreter's library, reach one, or be one (PEP 513, "libpythonX.Y.so.1")."""
    links = link(wheel)
    findings = [*_linked(wheel), *_reached(wheel, links), *_embedded(wheel), *_hidden(wheel, links), *_stripped(wheel)]
    findings += _opened(wheel)
    return Ruling(check="libpython", findings=tuple(findings), allows=_NO_PLATFORM if findings else None)


def _linked(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        for name in sorted(filter(is_libpython, shared.needed)):
            what = "this program needs" if shared.kind == "program" else "needs"
            message = f"{what} {name}; an interpreter need not come with that library"
            yield Finding.of(RULES["libpython-linked"], path, message)


def _reached(wheel: Wheel, links: Links) -> Iterator[Finding]:
    guilty = {
        path: next(filter(is_libpython, shared.needed))
        for path, shared in wheel.objects.items()
        if any(map(is_libpython, shared.needed))
    }
    for path, (step, end) in links.ways_to(guilty).items():
        message = f"reaches {guilty[end]} through {end}; an interpreter need not come with that library"
        yield Finding.of(RULES["libpython-reached"], path, message, (step, end) if step != end else (end,))


def _opened(wheel: Wheel) -> Iterator[Finding]:
    """Find names of libpython that are no needs of the loader, in objects that call dlopen."""
    for path, shared in wheel.objects.items():
        known = {*shared.needed, shared.soname}
        names = tuple(name for name in shared.layout.libpythons if name not in known)
        if names and not _OPENERS.isdisjoint(symbol.name for symbol in shared.undefined):
            message = f"calls dlopen and names {names[0]}; an interpreter need not come with that library"
            yield Finding.of(RULES["libpython-opened"], path, message, names)


def _embedded(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if "Py_Initialize" in shared.exports:
            message = "defines Py_Initialize; a process must not load a second interpreter"
            yield Finding.of(RULES["libpython-embedded"], path, message, (shared.soname,) if shared.soname else ())


def _hidden(wheel: Wheel, links: Links) -> Iterator[Finding]:
    """Find interpreters whose symbols are hidden: even an empty module must ask its interpreter to create it."""
    for module in module_files(wheel):
        if module.path not in wheel.objects:
            continue
        exports = wheel.objects[module.path].exports
        if (
            "Py_Initialize" not in exports
            and module.hooks[0] in exports
            and _is_self_contained(wheel, links, module.path)
        ):
            message = f"{module.hooks[0]} asks no interpreter for anything; one must be linked into the module"
            yield Finding.of(RULES["libpython-embedded"], module.path, message)


def _is_self_contained(wheel: Wheel, links: Links, path: str) -> bool:
    """Whether an object uses no interpreter's symbol, nor a library that may do so for it."""
    alone = not links.inside[path] and system_libraries().issuperset(links.outside[path])
    return alone and not any(is_interpreters(symbol.name) for symbol in wheel.objects[path].undefined)


def _stripped(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if shared.kind == "program" and not any(map(is_libpython, shared.needed)):
            names = sorted(s.name for s in shared.undefined if not s.weak and is_interpreters(s.name))
            if names:
                message = (
                    f"this program uses {names[0]}, but needs no library that defines it; it fails when it is started"
                )
                yield Finding.of(RULES["program-without-libpython"], path, message, tuple(names))
