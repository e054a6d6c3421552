"""What an object asks of the process that loads it: stack, memory rights, thread-local storage, instructions."""

from collections.abc import Callable, Iterator

from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.rules import finding
from factory.elf.model import SharedObject
from factory.wheel import Wheel

# elf/dl-load.c and sysdeps/*/stackinfo.h (DEFAULT_STACK_PERMS): without the header these get an executable stack.
_STACK_EXECUTABLE_BY_DEFAULT = frozenset({"x86_64", "i686", "armv7l", "ppc64", "ppc64le", "s390x"})
_BASELINE = 1
_LEVELS = {2: "x86-64-v2", 4: "x86-64-v3", 8: "x86-64-v4"}


def check_hardening(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- a Check's signature
    """Hold every object that the loader maps against what systems allow, or are better off with."""
    found = [
        each
        for path, shared in wheel.objects.items()
        if shared.kind in ("library", "program") and shared.needs_a_loader
        for judge in _JUDGES
        for each in judge(path, shared)
    ]
    return Ruling(check="hardening", findings=tuple(found))


def _stack(path: str, shared: SharedObject) -> Iterator[Finding]:
    if shared.layout.stack == "executable":
        yield finding(
            "executable-stack", path, "asks for an executable stack; glibc 2.41 and newer load no such library"
        )
    elif shared.layout.stack == "absent" and shared.architecture in _STACK_EXECUTABLE_BY_DEFAULT:
        message = f"has no PT_GNU_STACK; on {shared.architecture} that asks for an executable stack"
        yield finding("executable-stack", path, message)


def _rights(path: str, shared: SharedObject) -> Iterator[Finding]:
    if shared.layout.writable_code:
        yield finding("writable-code", path, "has a segment that is writable and executable at once")
    if shared.traits.text_relocations:
        yield finding("text-relocations", path, "has relocations in its code; the loader must make code writable")
    if not shared.layout.relro:
        yield finding("relro-missing", path, "has no PT_GNU_RELRO; its relocation tables stay writable")
    elif not shared.traits.bind_now:
        yield finding("bind-now-missing", path, "is not linked with `-z now`; its jump table stays writable")


def _storage(path: str, shared: SharedObject) -> Iterator[Finding]:
    if shared.traits.static_tls and shared.kind == "library":
        yield finding("static-tls", path, "takes static thread-local storage; a process has little of it to give")


def _instructions(path: str, shared: SharedObject) -> Iterator[Finding]:
    """Spare what the loader itself picks by processor, below glibc-hwcaps."""
    levels = tuple(name for bit, name in _LEVELS.items() if shared.layout.isa_needed & bit)
    if levels and shared.architecture == "x86_64" and "/glibc-hwcaps/" not in f"/{path}":
        message = f"is marked as needing {levels[-1]}; the tag promises every x86_64 processor"
        yield finding("isa-level", path, message)


_JUDGES: tuple[Callable[[str, SharedObject], Iterator[Finding]], ...] = (_stack, _rights, _storage, _instructions)
