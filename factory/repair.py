"""Repair: what auditwheel is told, and what it did, found by comparing the raw wheel with the repaired one.

auditwheel has no public interface but its command line (pypa/auditwheel#555), deletes libpython entries with a warning
and leaves unrepaired wheels behind when it fails: it is used, never trusted. The gate judges both wheels.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.tags import Tag

from factory.backends.base import RAW, REPAIRED, SYSTEM_PATH, TOOLS, Step, image_python, search_path
from factory.catalogue import OLDEST_TOOL_PYTHON
from factory.image_facts import ImageFacts
from factory.recipe.model import RepairSpec
from factory.tags import Interpreter, PlatformTag
from factory.wheel import Wheel

_BYTECODE_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A DT_NEEDED entry of one member that the repaired wheel no longer has under that name."""

    member: str
    needed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What the repairer did: member paths it added with an ELF inside, entries it removed, the tags it wrote."""

    grafts: tuple[str, ...]
    removed: tuple[Removed, ...]
    tags: frozenset[Tag]


def repairer(facts: ImageFacts) -> Interpreter:
    """Return the interpreter of a build image that runs auditwheel: the newest with a GIL."""
    return max(one for one in facts.interpreters if one.minor >= OLDEST_TOOL_PYTHON and not one.free_threaded)


def bytecode_step(facts: ImageFacts) -> Step:
    """Return the command that compiles the tools for a build image's repairer: cells see them read-only.

    The files are unchecked (PEP 552): whatever times a copy gives the sources, they stay valid.
    """
    compile_all = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(TOOLS / "site"))
    return Step(
        name="bytecode",
        argv=(str(image_python(repairer(facts))), "-I", *compile_all),
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
) -> Step:
    """Return auditwheel's command for one raw wheel; `interpreter` is the image's that runs it, `system` its PATH."""
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
    return Step(
        name="repair",
        argv=(
            *(str(image_python(interpreter)), "-P" if interpreter.minor > OLDEST_TOOL_PYTHON else "-B"),
            *("-m", "auditwheel", "repair", "--plat", str(platform), "--only-plat", "--wheel-dir", str(REPAIRED)),
            *(*options, str(RAW / wheel)),
        ),
        env=env,
        phase="repair",
        timeout_s=timeout_s,
    )


def compare(raw: Wheel, repaired: Wheel) -> Repair:
    """Say what changed between two wheels of the same build."""
    added = tuple(sorted(set(repaired.objects) - set(raw.objects)))
    removed = [
        Removed(member=path, needed=name)
        for path, before in sorted(raw.objects.items())
        if (after := repaired.objects.get(path)) is not None
        for name in before.needed
        if name not in after.needed and not _renamed(name, after.needed)
    ]
    return Repair(grafts=added, removed=tuple(removed), tags=repaired.tags)


def _renamed(needed: str, after: tuple[str, ...]) -> bool:
    """Whether auditwheel only put its eight-digit hash into a grafted library's name: libfoo-1a2b3c4d.so.1."""
    stem, _, rest = needed.partition(".so")
    pattern = re.compile(rf"{re.escape(stem)}-[0-9a-f]{{8}}\.so{re.escape(rest)}")
    return any(pattern.fullmatch(name) for name in after)
