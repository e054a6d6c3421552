"""Repair by auditwheel, and what it did: the raw wheel compared with the repaired one.

auditwheel has no public interface but its command line (pypa/auditwheel#555), deletes libpython entries with only a
warning, and leaves unrepaired wheels behind when it fails. So it is not trusted: the gate judges both wheels.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from packaging.tags import Tag

from factory.catalogue import OLDEST_TOOL_PYTHON
from factory.elf.shared_object import SharedObject
from factory.image_facts import ImageFacts
from factory.recipe.model import RepairSpec
from factory.steps import (
    RAW,
    REPAIR_FOREIGN,
    REPAIR_MUSL,
    REPAIRED,
    SYSTEM_PATH,
    TOOLS,
    Step,
    image_python,
    search_path,
)
from factory.tags import Interpreter, PlatformTag
from factory.wheel import Wheel

_BYTECODE_TIMEOUT_S = 300
_HASHED = re.compile(r"-[0-9a-f]{8}\.[^\n]*+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A DT_NEEDED entry of one member that the repaired wheel no longer has under that name."""

    member: str
    needed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """A name in one member that the repair changed: of a needed library (`needed`), or its own."""

    member: str
    what: Literal["needed", "soname"]
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """A member's search path for libraries, RUNPATH or else RPATH, before and after."""

    member: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A program of .data/scripts that needs grafts, and where it lies now; a script that starts it took its place.

    It is moved because nobody knows where an installer puts scripts, relative to libraries (pypa/auditwheel#340).
    """

    member: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What the repairer did.

    `grafts` are the members it added with an ELF inside, `removed` and `renamed` the names it took out or changed,
    `searched` the search paths, `rewritten` the objects whose bytes changed, `texts` the other members that it added or
    changed, `tags` what it wrote and `raw_tags` what was there.
    """

    grafts: tuple[str, ...]
    removed: tuple[Removed, ...]
    tags: frozenset[Tag]
    renamed: tuple[Renamed, ...] = ()
    moved: tuple[Moved, ...] = ()
    searched: tuple[Searched, ...] = ()
    rewritten: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    raw_tags: frozenset[Tag] = frozenset()


def repairer(facts: ImageFacts) -> Interpreter:
    """Return the interpreter of a build image that runs auditwheel: the newest with a GIL."""
    with_gil = [interpreter for interpreter in facts.interpreters if not interpreter.free_threaded]
    return max(interpreter for interpreter in with_gil if interpreter.minor >= OLDEST_TOOL_PYTHON)


def bytecode_step(interpreter: Interpreter, copy: PurePosixPath) -> Step:
    """Return the command that compiles a copy of the tools for a build image's repairer: cells see them read-only.

    The files are unchecked (PEP 552): whatever times a copy gives the sources, they stay valid.
    """
    compile_all = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    places = ("-s", str(copy), "-p", str(TOOLS), str(copy / "site"))
    return Step(
        name="compile-tools",
        argv=(str(image_python(interpreter)), "-I", *compile_all, *places),
        env={"PATH": search_path(), "LC_ALL": "C.UTF-8"},
        phase="prepare",
        timeout_s=_BYTECODE_TIMEOUT_S,
    )


def repair_step(
    wheel: str,
    spec: RepairSpec,
    platform: PlatformTag,
    interpreter: Interpreter,
    *,
    epoch_s: int,
    timeout_s: int,
    system: str = SYSTEM_PATH,
    image: PlatformTag,
) -> Step:
    """Return auditwheel's command for one raw wheel; `interpreter` is the image's that runs it, `system` its PATH.

    `image` is the image's platform.
    """
    options = [part for name in spec.exclude for part in ("--exclude", name)]
    if spec.strip:
        options.append("--strip")
    env: Mapping[str, str] = {
        "PATH": search_path(TOOLS / "bin", system=system),
        "PYTHONPATH": str(TOOLS / "site"),
        "HOME": str(REPAIRED.parent),
        "LC_ALL": "C.UTF-8",
        "SOURCE_DATE_EPOCH": str(epoch_s),
    }
    if (platform.libc, platform.arch) != (image.libc, image.arch):
        env = {**env, "AUDITWHEEL_PLAT": str(platform)}  # the image's own names its own machine and libc
    return Step(
        name="repair",
        argv=(
            *(str(image_python(interpreter)), "-P" if interpreter.minor > OLDEST_TOOL_PYTHON else "-B"),
            *_auditwheel(platform, image),
            *("repair", "--plat", str(platform), "--only-plat", "--wheel-dir", str(REPAIRED)),
            *(*options, str(RAW / wheel)),
        ),
        env=env,
        phase="repair",
        timeout_s=timeout_s,
    )


def _auditwheel(platform: PlatformTag, image: PlatformTag) -> tuple[str, ...]:
    if platform.libc != image.libc:
        return str(REPAIR_MUSL), platform.arch
    return ("-m", "auditwheel") if platform.arch == image.arch else (str(REPAIR_FOREIGN), platform.arch)


def compare(raw: Wheel, repaired: Wheel) -> Repair:
    """Say what changed between two wheels of the same build."""
    changes = _changes(raw, repaired)
    added = [path for path in changes.added if path in repaired.objects]
    names = {name for path in added for name in (path.rpartition("/")[2], repaired.objects[path].soname)}
    removed, renamed, searched = list[Removed](), list[Renamed](), list[Searched]()
    for path, before, after in changes.pairs:
        removed += _removed(path, before, after, names)
        renamed += _renamed(path, before, after, names)
        searched += _search(path, before, after)
    return Repair(
        grafts=tuple(added),
        removed=tuple(removed),
        renamed=tuple(renamed),
        moved=changes.moved,
        searched=tuple(searched),
        rewritten=tuple(path for path, _, _ in changes.pairs),
        texts=tuple(sorted({*changes.added, *changes.changed} - {*added})),
        tags=repaired.tags,
        raw_tags=raw.tags,
    )


def faults(raw: Wheel, repaired: Wheel) -> tuple[str, ...]:
    """Say what changed that no repair may change: all but grafts, ways to them, and what WHEEL and RECORD say."""
    changes = _changes(raw, repaired)
    return (
        *(f"{path} is no longer in the wheel" for path in sorted(set(raw.members) - set(repaired.members))),
        *_strangers(repaired, changes.added),
        *_other_texts(raw, repaired, changes.changed),
        *(fault for pair in changes.pairs for fault in _other_code(*pair)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """Members that are new; `pairs` of objects, before and after; other members that changed."""

    moved: tuple[Moved, ...]
    added: tuple[str, ...]
    pairs: tuple[tuple[str, SharedObject, SharedObject], ...]
    changed: tuple[str, ...]


def _changes(raw: Wheel, repaired: Wheel) -> _Changes:
    moved = tuple(_moved(raw, repaired))
    changed = [path for path in raw.members if path in repaired.members and _differs(path, raw, repaired)]
    places = {path: path for path in changed if path in raw.objects and path in repaired.objects}
    places |= {program.to: program.member for program in moved}
    return _Changes(
        moved=moved,
        added=tuple(sorted(set(repaired.members) - set(raw.members) - set(places))),
        pairs=tuple((path, raw.objects[old], repaired.objects[path]) for path, old in sorted(places.items())),
        changed=tuple(sorted({*changed} - {*places, *places.values()})),
    )


def _differs(path: str, raw: Wheel, repaired: Wheel) -> bool:
    return raw.members[path].digest != repaired.members[path].digest


def _moved(raw: Wheel, repaired: Wheel) -> Iterator[Moved]:
    for path in raw.objects:
        top, _, rest = path.partition(".data/scripts/")
        to = f"{top.partition('-')[0]}.scripts/{rest}"
        if rest and path in repaired.members and path not in repaired.objects and to in repaired.objects:
            yield Moved(member=path, to=to)


def _removed(
    path: str, before: SharedObject, after: SharedObject, grafted: AbstractSet[str | None]
) -> Iterator[Removed]:
    for name in before.needed:
        if name not in after.needed and _successor(name, after, grafted) is None:
            yield Removed(member=path, needed=name)


def _renamed(
    path: str, before: SharedObject, after: SharedObject, grafted: AbstractSet[str | None]
) -> Iterator[Renamed]:
    for name in before.needed:
        if name not in after.needed and (new := _successor(name, after, grafted)) is not None:
            yield Renamed(member=path, what="needed", before=name, after=new)
    if before.soname != after.soname:
        yield Renamed(member=path, what="soname", before=before.soname or "", after=after.soname or "")


def _successor(needed: str, after: SharedObject, grafted: AbstractSet[str | None]) -> str | None:
    """Find the grafted library that took the place of a needed name."""
    return next((name for name in after.needed if name in grafted and _is_renamed(needed, name)), None)


def _is_renamed(needed: str, after: str) -> bool:
    """Whether auditwheel only put its hash into a grafted library's name: libfoo-1a2b3c4d.so.1.2 of libfoo.so.1."""
    stem = needed.partition(".")[0]
    return after.startswith(stem) and _HASHED.match(after, len(stem)) is not None


def _search(path: str, before: SharedObject, after: SharedObject) -> Iterator[Searched]:
    old, new = before.runpath or before.rpath, after.runpath or after.rpath
    if old != new:
        yield Searched(member=path, before=old, after=new)


def _strangers(repaired: Wheel, added: Iterable[str]) -> Iterator[str]:
    """Find new members that are neither grafts nor lists of them."""
    for path in added:
        folder = path.rpartition("/")[0]
        if not (folder.endswith(".libs") if path in repaired.objects else folder.endswith(".dist-info/sboms")):
            yield f"{path} was added; it is neither a grafted library nor a list of them"


def _other_texts(raw: Wheel, repaired: Wheel, changed: Iterable[str]) -> Iterator[str]:
    """Find members that changed besides RECORD and WHEEL, and those that became or ceased to be objects."""
    for path in changed:
        if path in raw.objects or path in repaired.objects:
            yield f"{path} is no longer an ELF object" if path in raw.objects else f"{path} has become an ELF object"
        elif path not in (f"{raw.dist_info}/{name}" for name in ("RECORD", "WHEEL")):
            yield f"{path} was changed, although it holds no code"


def _other_code(path: str, before: SharedObject, after: SharedObject) -> Iterator[str]:
    """Compare what two objects are and offer; their version needs may change with renamed libraries."""
    if (before.kind, before.machine_name) != (after.kind, after.machine_name):
        yield f"{path} was {before.kind} of {before.machine_name} and is {after.kind} of {after.machine_name}"
    if gone := sorted(before.exports - after.exports):
        yield f"{path} no longer defines {gone[0]}"
    if new := sorted(after.exports - before.exports):
        yield f"{path} now defines {new[0]}"
    if changed := _asked(before) ^ _asked(after):
        yield f"{path} asks for other symbols than before, such as {min(changed)}"


def _asked(shared: SharedObject) -> frozenset[str]:
    return frozenset(symbol.name for symbol in shared.undefined)
