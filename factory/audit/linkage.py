"""Python linkage: libpython must be nobody's business but the interpreter's."""

from collections.abc import Iterator

from factory.audit.closure import Links, link
from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.modules import module_files
from factory.audit.rules import finding
from factory.audit.sonames import is_interpreters, is_libpython
from factory.policy import system_libraries
from factory.tags import PlatformTag
from factory.wheel import Wheel

_NO_PLATFORM: frozenset[PlatformTag] = frozenset()


def check_libpython(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- a Check's signature
    """No object may need an interpreter's library, reach one, or be one (PEP 513, "libpythonX.Y.so.1")."""
    links = link(wheel)
    found = [*_linked(wheel), *_reached(wheel, links), *_embedded(wheel), *_hidden(wheel, links), *_stripped(wheel)]
    return Ruling(check="libpython", findings=tuple(found), allows=_NO_PLATFORM if found else None)


def _linked(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        for name in sorted(filter(is_libpython, shared.needed)):
            what = "this program needs" if shared.kind == "program" else "needs"
            message = f"{what} {name}; an interpreter need not come with that library"
            yield finding("libpython-linked", path, message)


def _reached(wheel: Wheel, links: Links) -> Iterator[Finding]:
    guilty = {
        path: next(filter(is_libpython, shared.needed))
        for path, shared in wheel.objects.items()
        if any(map(is_libpython, shared.needed))
    }
    for path, (step, end) in links.ways_to(guilty).items():
        message = f"reaches {guilty[end]} through {end}; an interpreter need not come with that library"
        yield finding("libpython-reached", path, message, (step, end) if step != end else (end,))


def _embedded(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if "Py_Initialize" in shared.exports:
            message = "defines Py_Initialize; a second interpreter must not be loaded into the first"
            yield finding("libpython-embedded", path, message, (shared.soname,) if shared.soname else ())


def _hidden(wheel: Wheel, links: Links) -> Iterator[Finding]:
    """Notice an interpreter whose symbols are hidden: even an empty module must ask its interpreter to make it."""
    for module in module_files(wheel):
        exports = wheel.objects[module.path].exports
        if "Py_Initialize" not in exports and module.hooks[0] in exports and _asks_nobody(wheel, links, module.path):
            message = f"{module.hooks[0]} asks no interpreter for anything; one must be linked into the module"
            yield finding("libpython-embedded", module.path, message)


def _asks_nobody(wheel: Wheel, links: Links, path: str) -> bool:
    """Whether an object uses no interpreter's symbol, nor a library that may do so for it."""
    alone = not links.inside[path] and system_libraries().issuperset(links.outside[path])
    return alone and not any(is_interpreters(symbol.name) for symbol in wheel.objects[path].undefined)


def _stripped(wheel: Wheel) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if shared.kind == "program" and not any(map(is_libpython, shared.needed)):
            names = sorted(s.name for s in shared.undefined if not s.weak and is_interpreters(s.name))
            if names:
                message = f"this program uses {names[0]} and needs no library that has it; it dies when started"
                yield finding("program-without-libpython", path, message, tuple(names))
