"""Undefined symbols: each must be defined by what the object loads, by its interpreter, or by the system.

Python loads modules with RTLD_NOW, so a symbol that is never used stops the import all the same.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from packaging.tags import Tag

from factory.audit.claims import claimed_platforms, linux_platform
from factory.audit.closure import Links, link
from factory.audit.expectation import Expectation
from factory.audit.exports import came_with, interpreters_that_export, known_interpreters, library_exports
from factory.audit.rules import table
from factory.audit.sonames import are_known, is_interpreters, is_loader
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.elf.shared_object import SharedObject
from factory.excerpt import listed
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="symbol-undefined",
        severity=Severity.ERROR,
        summary="an object needs a symbol that nothing it loads defines",
        why="Python loads with RTLD_NOW: the import fails with `undefined symbol`.",
        mend="Link the library that defines it, with the same C++ ABI; `-Wl,-z,defs` finds it at link time.",
        source="man 3 dlopen; man 8 ld.so",
    ),
    Rule(
        id="symbol-version-undefined",
        severity=Severity.ERROR,
        summary="a library of the wheel lacks a symbol version that another object needs of it",
        why="The loader refuses the pair with `version `X' not found`.",
        mend="Graft the library that the object was linked against.",
        source="glibc, elf/dl-version.c",
    ),
    Rule(
        id="symbols-unjudged",
        severity=Severity.NOTE,
        summary="some undefined symbols cannot be checked",
        why="There is no list of what that interpreter, libc or architecture exports: only a trial can tell.",
        mend="Try the wheel on what it claims.",
        source="the lists in factory/audit/exports",
    ),
)

# Every interpreter with glibc has loaded these itself (its Makefile's LIBS), the loader's own symbols included.
_OF_GLIBC = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "loader")
_UNJUDGED_SHOWN = 3
_UNKNOWN = ""


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Find symbols that nothing defines; where exports are not known, a note says so."""
    links, findings = link(wheel), list[Finding]()
    scope = _Scope(wheel, links)
    for path, shared in wheel.objects.items():
        if shared.kind in ("library", "program") and shared.needs_a_loader:
            findings += [*_undefined(path, shared, scope), *_versions(path, shared, scope)]
    if expectation.stage == "repaired":
        findings += [*_unjudged(wheel, scope)]
    return Ruling(check="symbols", findings=tuple(findings))


class _Scope:
    """What the members of a wheel find at load time."""

    def __init__(self, wheel: Wheel, links: Links) -> None:
        self.wheel, self.links = wheel, links
        self.tags = _interpreter_tags(wheel)
        self._platforms = claimed_platforms(wheel)
        self.everything = frozenset().union(*(shared.exports for shared in wheel.objects.values()))
        self._loaded: dict[str, Mapping[str, AbstractSet[str]]] = {}

    def lists(self, path: str) -> list[frozenset[str]] | None:
        """Collect the exports of all that is loaded besides the wheel's own, None when one of them is not known."""
        arch, names = self._libraries(path)
        lists = [library_exports(arch, name) for name in names]
        return [exports for exports in lists if exports is not None] if names else None

    def came_with(self, path: str) -> Mapping[str, tuple[int, int]]:
        """Return which glibc brought each name of what is loaded besides the wheel's own; empty as `lists` is None."""
        return came_with(*self._libraries(path))

    def oldest_glibc(self, path: str) -> tuple[int, int] | None:
        """Return the oldest glibc that the wheel's tags claim for a member's machine."""
        arch = self.wheel.objects[path].architecture
        own = (platform for platform in self._platforms if (platform.libc, platform.arch) == ("glibc", arch))
        return min((platform.version for platform in own), default=None)

    def _libraries(self, path: str) -> tuple[str, frozenset[str]]:
        """Return a member's machine and all libraries that are loaded with it; none when one of them is not known."""
        arch = self.wheel.objects[path].architecture
        always = () if arch is None else _always_loaded(self._libc(arch), arch)
        if arch is None or library_exports(arch, always[0]) is None:
            return "", frozenset()
        if arch not in self._loaded:
            self._loaded[arch] = _loaded(self.links, arch)
        names = self._loaded[arch][path]
        return (arch, frozenset()) if _UNKNOWN in names else (arch, frozenset({*always, *names}))

    def _libc(self, arch: str) -> str:
        """Return the libc that the wheel's tags claim for a machine; glibc where they claim none."""
        return next((platform.libc for platform in self._platforms if platform.arch == arch), "glibc")


def _always_loaded(libc: str, arch: str) -> tuple[str, ...]:
    """Name what every interpreter has loaded itself; musl is one library, which is the loader, too."""
    return _OF_GLIBC if libc == "glibc" else (f"libc.musl-{arch}.so.1",)


def _loaded(links: Links, arch: str) -> Mapping[str, AbstractSet[str]]:
    """Find the system libraries that are loaded with each member.

    All libraries without a list count as one, because nothing can be said of any of them. So there are few names, and
    each passes every link at most once, however the members need one another.
    """
    users = links.users()
    loaded = {path: _known(names, arch) for path, names in links.outside.items()}
    queue = deque(loaded)
    while queue:
        member = queue.popleft()
        for user in users[member]:
            if not loaded[member] <= loaded[user]:
                loaded[user] |= loaded[member]
                queue.append(user)
    return loaded


def _known(libraries: Iterable[str], arch: str) -> set[str]:
    """Keep the names that have a list of exports, and one name for all others; loaders are always there."""
    return {name if library_exports(arch, name) is not None else _UNKNOWN for name in libraries if not is_loader(name)}


def _interpreter_tags(wheel: Wheel) -> frozenset[str]:
    """Interpreters of version-specific tags; those of the stable ABI are judged by its own check."""
    return frozenset(tag.abi for tag in wheel.tags if tag.abi not in ("none", "abi3", "abi3t"))


def _undefined(path: str, shared: SharedObject, scope: _Scope) -> Iterator[Finding]:
    wanted = {symbol.name for symbol in shared.undefined if not symbol.weak and not symbol.library and symbol.name}
    wanted -= scope.everything
    python = set(filter(is_interpreters, wanted))
    if shared.kind == "library":
        yield from _of_interpreters(path, python, scope)
    missing = tuple(sorted(_missing(path, wanted - python, scope)))
    if missing:
        message = f"needs {missing[0]}, which nothing that it loads defines"
        yield Finding.of(RULES["symbol-undefined"], path, message, missing)
    yield from _too_new(path, wanted - python, scope)


def _too_new(path: str, names: AbstractSet[str], scope: _Scope) -> Iterator[Finding]:
    """Look for names that the oldest claimed glibc lacks; they carry no symbol version that auditwheel would see."""
    claimed, brought = scope.oldest_glibc(path), scope.came_with(path)
    if claimed is None:
        return
    since = {name: brought[name] for name in names if brought.get(name, claimed) > claimed}
    if since:
        first = min(since)
        came, has = (f"{major}.{minor}" for major, minor in (since[first], claimed))
        message = f"needs {first}, which came with glibc {came}; the wheel claims glibc {has}"
        yield Finding.of(RULES["symbol-undefined"], path, message, tuple(sorted(since)))


def _of_interpreters(path: str, names: Collection[str], scope: _Scope) -> Iterator[Finding]:
    """Look for Python's symbols in every claimed interpreter whose exports are known."""
    tags = sorted(scope.tags & known_interpreters())
    if not tags or not are_known(scope.links.outside[path]):
        return
    exporting = {name: interpreters_that_export(name) for name in sorted(names)}
    for tag in tags:
        lacking = tuple(name for name, exporters in exporting.items() if tag not in exporters)
        if lacking:
            message = f"needs {lacking[0]}, which {tag} does not export"
            yield Finding.of(RULES["symbol-undefined"], path, message, lacking)


def _missing(path: str, names: AbstractSet[str], scope: _Scope) -> AbstractSet[str]:
    """Find what nothing defines, if every library that could is known; the host of a plug-in may be unknown."""
    lists = scope.lists(path) if names else None
    if lists is None:
        return frozenset()
    for exports in lists:
        names = names - exports  # in place it would take time in proportion to the exports
    return names


def _versions(path: str, shared: SharedObject, scope: _Scope) -> Iterator[Finding]:
    """Look for needed versions in the members that must offer them; where a member has none, the loader only warns."""
    for need in shared.version_needs:
        member = scope.links.inside[path].get(need.library)
        offered = scope.wheel.objects[member].version_definitions if member is not None else ()
        if member is not None and offered and need.version not in offered and not need.weak:
            message = f"needs {need.version} of {need.library}; {member} offers up to {offered[-1]}"
            yield Finding.of(RULES["symbol-version-undefined"], path, message)


def _unjudged(wheel: Wheel, scope: _Scope) -> Iterator[Finding]:
    """Say once for the wheel which of its claims cannot be checked for want of a list."""
    if any(file.undefined for file in wheel.pe_files.values()):
        message = "what Windows' libraries and interpreters export is not known; symbols are not checked"
        yield Finding.of(RULES["symbols-unjudged"], wheel.filename, message)
    if not any(shared.undefined for shared in wheel.objects.values()):
        return
    unknown = sorted(scope.tags - known_interpreters())
    if unknown and any(is_interpreters(s.name) for o in wheel.objects.values() for s in o.undefined):
        message = f"what {listed(unknown, most=_UNJUDGED_SHOWN)} exports is not known; Python's symbols are not checked"
        yield Finding.of(RULES["symbols-unjudged"], wheel.filename, message)
    strange = sorted({name for name in map(_platform, wheel.tags) if name})
    if strange:
        message = f"what the libraries of {strange[0]} export is not known; other symbols are not checked"
        yield Finding.of(RULES["symbols-unjudged"], wheel.filename, message)


def _platform(tag: Tag) -> str:
    platform = linux_platform(tag.platform)
    if platform is None:
        return ""
    always = _always_loaded(platform.libc, platform.arch)
    return "" if library_exports(platform.arch, always[0]) is not None else f"{platform.libc} on {platform.arch}"
