"""What is compared of a wheel: its members under names that hold across releases, images and interpreters."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from factory.audit.claims import claimed_platforms, oldest_minor
from factory.audit.closure import installed_path
from factory.audit.modules import module_files
from factory.tags import PlatformTag
from factory.wheel import Wheel

Kind: TypeAlias = Literal["module", "stub", "data", "licence", "graft"]
Named: TypeAlias = tuple[Kind, str]
"""A member by its kind and a name: a module's, and its stub's, is what an import statement has, `demo.core`."""

_LIBC_FAMILY = re.compile(r"(?:lib(?:c|m|pthread|dl|rt|util|gcc_s)|ld-linux[\w-]*)\.so\.\d+")
_GRAFT_HASH = re.compile(r"-[0-9a-f]{8}(?![0-9a-f])")
_GRAFTS_FOLDER = re.compile(r"(?:[^/]+\.libs|(?:[^/]+/)+\.libs)/[^/]+")
_HASH = re.compile(r"[0-9a-f]{8,64}")
_LIBRARY_VERSION = re.compile(r"\.so(?:\.\d+)+")
_LICENCE = re.compile(
    r"[^/]+\.dist-info/(?:licen[sc]es/|license_files/)?(?P<name>[^/]*(?:LICEN[CS]E|COPYING|NOTICE).*)", re.IGNORECASE
)
_LINKERS = frozenset({"__bss_start", "_edata", "_end", "_init", "_fini", "rust_eh_personality"})
_MANGLED = ("_Z", "_R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is compared of a wheel.

    `sizes` are bytes of unpacked members. `grafts` maps a library that auditwheel copied, without its hash and what
    stands behind the version of its interface (`libpq.so.5`), to its file name. `needed` is what the project's own
    objects need beside libc's family. `exports` are the names for C that its own libraries offer; those of extension
    modules are left out, because an interpreter opens each for itself.
    """

    filename: str
    size_bytes: int
    tags: frozenset[str]
    platforms: tuple[PlatformTag, ...]
    oldest_minor: int | None
    requires_python: str
    sizes: Mapping[Named, int]
    entry_points: frozenset[str]
    grafts: Mapping[str, str]
    needed: Mapping[str, frozenset[str]]
    exports: Mapping[str, frozenset[str]]


def contents(wheel: Wheel) -> Contents:
    """Take what is compared from a wheel."""
    named = dict(_named(wheel))
    sizes = Counter[Named]()
    for path, name in named.items():
        sizes[name] += wheel.members[path].size_bytes
    return Contents(
        filename=wheel.filename,
        size_bytes=wheel.size_bytes,
        tags=frozenset(f"{tag.interpreter}-{tag.abi}" for tag in wheel.tags),
        platforms=claimed_platforms(wheel),
        oldest_minor=oldest_minor(wheel.tags),
        requires_python="" if wheel.metadata is None else wheel.metadata.requires_python,
        sizes=dict(sizes),
        entry_points=frozenset(f"{group}: {name}" for group, name, _ in wheel.entry_points),
        grafts={name: path.rpartition("/")[2] for path, (kind, name) in named.items() if kind == "graft"},
        needed=dict(_needed(wheel, named)),
        exports=dict(_exports(wheel, named)),
    )


def _needed(wheel: Wheel, named: Mapping[str, Named]) -> Iterator[tuple[str, frozenset[str]]]:
    for path, (kind, name) in named.items():
        if kind != "graft" and path in wheel.objects:
            yield name, _beside_libc(wheel.objects[path].needed)


def _exports(wheel: Wheel, named: Mapping[str, Named]) -> Iterator[tuple[str, frozenset[str]]]:
    for path, (kind, name) in named.items():
        if kind == "data" and path in wheel.objects:
            yield name, frozenset(filter(_is_offered, wheel.objects[path].exports))


def _named(wheel: Wheel) -> Iterator[tuple[str, Named]]:
    # A plain `.so` without an init function is a library of the project's own, for ctypes or cffi.
    files = (module for module in module_files(wheel) if module.tag or module.is_importable(wheel))
    modules = {module.path: module.name for module in files}
    for path in wheel.members:
        if _GRAFTS_FOLDER.fullmatch(path):
            yield path, ("graft", _without_hash(path.rpartition("/")[2]))
        elif path in modules:
            yield path, ("module", modules[path])
        elif (licence := _LICENCE.fullmatch(path)) is not None:
            yield path, ("licence", licence["name"])
        elif not path.partition("/")[0].endswith(".dist-info") and not path.endswith(".pyc"):
            yield path, _of_file(installed_path(path))


def _of_file(path: str) -> Named:
    """Name a file that is neither compiled nor metadata."""
    if path.endswith(".py") and ".data/" not in path:
        return "module", path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    if path.endswith(".pyi"):
        return "stub", path.removesuffix(".pyi").replace("/", ".").removesuffix(".__init__")
    if path.rpartition("/")[2] == "py.typed":
        return "stub", path
    top, _, rest = path.partition("/")
    place = f".data/{rest}" if top.endswith(".data") else path  # the folder has the release's number
    return "data", _LIBRARY_VERSION.sub(".so", _HASH.sub("*", place))


def _without_hash(name: str) -> str:
    """Name a graft without its hash: `libpq-37e301e2.so.5.13` is `libpq.so.5`; other names stay as they are."""
    stem, so, version = name.partition(".so")
    bare = _GRAFT_HASH.sub("", stem)
    return name if bare == stem else f"{bare}{so}{'.'.join(version.split('.')[:2])}"


def _beside_libc(needed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_without_hash(name) for name in needed if not _LIBC_FAMILY.fullmatch(name))


def _is_offered(symbol: str) -> bool:
    """Whether a symbol may be meant for others: compilers choose which mangled names of C++ and Rust they export."""
    return symbol not in _LINKERS and not symbol.startswith(_MANGLED)
