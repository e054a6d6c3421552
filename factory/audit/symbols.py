"""Undefined symbols: each must be defined by what the object loads, by its interpreter, or by the system.

Python loads modules with RTLD_NOW, so a symbol that is never used stops the import all the same.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from packaging.tags import Tag

from factory.audit.closure import Links, link
from factory.audit.exports import interpreters_that_export, known_interpreters, library_exports
from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.modules import module_files
from factory.audit.rules import finding
from factory.audit.sonames import is_interpreters, is_libpython, is_loader
from factory.elf.model import SharedObject
from factory.excerpt import listed
from factory.policy import system_libraries
from factory.tags import PlatformTag
from factory.wheel import Wheel

# Every Linux interpreter has loaded these itself (its Makefile's LIBS), the loader's own symbols included.
_ALWAYS_LOADED = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "loader")
_UNJUDGED_SHOWN = 3


def check_symbols(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Find symbols that nothing defines; what no list can answer is a note."""
    links, found = link(wheel), []
    scope = _Scope(wheel, links)
    for path, shared in wheel.objects.items():
        if shared.kind in ("library", "program") and shared.needs_a_loader:
            found += [*_undefined(path, shared, scope), *_versions(path, shared, scope)]
    if expectation.stage == "repaired":
        found += [*_unjudged(wheel, scope)]
    return Ruling(check="symbols", findings=tuple(found))


class _Scope:
    """What the members of a wheel find at load time."""

    def __init__(self, wheel: Wheel, links: Links) -> None:
        self.wheel, self.links = wheel, links
        self.modules = frozenset(module.path for module in module_files(wheel))
        self.tags = _interpreter_tags(wheel)
        self.everything = frozenset().union(*(shared.exports for shared in wheel.objects.values()))

    def closure(self, path: str) -> tuple[str, ...]:
        """Find the members that are loaded with one, itself first."""
        seen, queue = {path: None}, deque([path])
        while queue:
            for member in self.links.inside[queue.popleft()].values():
                if member not in seen:
                    seen[member] = None
                    queue.append(member)
        return tuple(seen)

    def outside(self, closure: Iterable[str]) -> frozenset[str]:
        """Find the libraries of others that are loaded with some members."""
        return frozenset(name for member in closure for name in self.links.outside[member])


def _interpreter_tags(wheel: Wheel) -> frozenset[str]:
    """Interpreters of version-specific tags; those of the stable ABI are judged by its own check."""
    return frozenset(tag.abi for tag in wheel.tags if tag.abi not in ("none", "abi3", "abi3t"))


def _undefined(path: str, shared: SharedObject, scope: _Scope) -> Iterator[Finding]:
    wanted = [symbol for symbol in shared.undefined if not symbol.weak and not symbol.library]
    wanted = [symbol for symbol in wanted if symbol.name and symbol.name not in shared.exports]
    closure = scope.closure(path) if wanted else ()
    wanted = [symbol for symbol in wanted if not any(symbol.name in scope.wheel.objects[m].exports for m in closure)]
    python = [symbol.name for symbol in wanted if is_interpreters(symbol.name)]
    others = [symbol.name for symbol in wanted if not is_interpreters(symbol.name)]
    if shared.kind == "library":
        yield from _of_interpreters(path, python, scope)
    missing = tuple(sorted(name for name in others if _is_missing(name, shared, scope, closure)))
    if missing:
        message = f"needs {missing[0]}, which nothing defines that it loads"
        yield finding("symbol-undefined", path, message, missing)


def _of_interpreters(path: str, names: list[str], scope: _Scope) -> Iterator[Finding]:
    """Hold Python's symbols against every claimed interpreter whose exports are known."""
    if not _all_known(scope.outside([path])):
        return
    for tag in sorted(scope.tags & known_interpreters()):
        lacking = tuple(
            sorted(n for n in names if n not in scope.everything and tag not in interpreters_that_export(n))
        )
        if lacking:
            message = f"needs {lacking[0]}, which {tag} does not export"
            yield finding("symbol-undefined", path, message, lacking)


def _is_missing(name: str, shared: SharedObject, scope: _Scope, closure: tuple[str, ...]) -> bool:
    """Whether every library that could define a symbol is known, and none does; a plug-in may ask its own host."""
    outside = scope.outside(closure)
    lists = _lists(shared, outside)
    return lists is not None and name not in scope.everything and not any(name in each for each in lists)


def _lists(shared: SharedObject, outside: frozenset[str]) -> list[frozenset[str]] | None:
    """Collect the exports of all that is loaded beside the wheel's own, None when one of them is not known."""
    arch = shared.architecture
    if arch is None or library_exports(arch, _ALWAYS_LOADED[0]) is None:
        return None
    lists = [library_exports(arch, name) for name in {*_ALWAYS_LOADED, *(n for n in outside if not is_loader(n))}]
    return None if None in lists else [each for each in lists if each is not None]


def _all_known(libraries: Iterable[str]) -> bool:
    return all(name in system_libraries() or is_loader(name) or is_libpython(name) for name in libraries)


def _versions(path: str, shared: SharedObject, scope: _Scope) -> Iterator[Finding]:
    """Hold needed versions against the members that must offer them; one without any version only warns."""
    for need in shared.version_needs:
        member = scope.links.inside[path].get(need.library)
        offered = scope.wheel.objects[member].version_definitions if member is not None else ()
        if member is not None and offered and need.version not in offered and not need.weak:
            message = f"needs {need.version} of {need.library}; {member} offers up to {offered[-1]}"
            yield finding("symbol-version-undefined", path, message)


def _unjudged(wheel: Wheel, scope: _Scope) -> Iterator[Finding]:
    """Name the claims that no list can answer, once for the wheel."""
    if not any(shared.undefined for shared in wheel.objects.values()):
        return
    unknown = sorted(scope.tags - known_interpreters())
    if unknown and any(is_interpreters(s.name) for o in wheel.objects.values() for s in o.undefined):
        message = (
            f"what {listed(unknown, most=_UNJUDGED_SHOWN)} exports is not known here; Python's symbols are not judged"
        )
        yield finding("symbols-unjudged", wheel.filename, message)
    strange = sorted({name for name in map(_platform, wheel.tags) if name})
    if strange:
        message = f"what the libraries of {strange[0]} export is not known here; other symbols are not judged"
        yield finding("symbols-unjudged", wheel.filename, message)


def _platform(tag: Tag) -> str:
    try:
        platform = PlatformTag.parse(tag.platform)
    except ValueError:
        return ""
    known = platform.libc == "glibc" and library_exports(platform.arch, _ALWAYS_LOADED[0]) is not None
    return "" if known else f"{platform.libc} on {platform.arch}"
