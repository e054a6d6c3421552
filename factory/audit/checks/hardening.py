"""What an object demands of the process that loads it."""

from collections.abc import Callable, Iterator

from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.elf.shared_object import SharedObject
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="executable-stack",
        severity=Severity.ERROR,
        summary="an object asks for an executable stack",
        why="glibc 2.41 and newer, SELinux and hardened kernels refuse to load it.",
        mend='Link with `-z noexecstack`; assembly files need `.section .note.GNU-stack,"",@progbits`.',
        source="glibc 2.41 release notes; man 1 execstack; ld, -z noexecstack",
    ),
    Rule(
        id="writable-code",
        severity=Severity.ERROR,
        summary="a segment is writable and executable",
        why="SELinux and hardened kernels refuse it; elsewhere it lets data run as code.",
        mend="Link without `-N` and with `-z separate-code`; check linker scripts.",
        source="ld, --warn-rwx-segments",
    ),
    Rule(
        id="text-relocations",
        severity=Severity.ERROR,
        summary="the code needs relocations",
        why="The loader must make code writable: SELinux refuses it, musl does not do it, memory is not shared.",
        mend="Compile everything with `-fPIC`, static libraries included; `-Wl,-z,text` finds the rest.",
        source="System V ABI, DT_TEXTREL; ld, -z text",
    ),
    Rule(
        id="relro-missing",
        severity=Severity.WARNING,
        summary="relocated data stays writable",
        why="A defect in the code can turn function tables into a way to run anything.",
        mend="Link with `-z relro`.",
        source="ld, -z relro",
    ),
    Rule(
        id="bind-now-missing",
        severity=Severity.NOTE,
        summary="the jump table stays writable",
        why="RELRO protects all of the table only with `-z now`. It costs nothing: Python binds at load time anyway.",
        mend="Link with `-z now`.",
        source="ld, -z now; man 3 dlopen, RTLD_NOW",
    ),
    Rule(
        id="static-tls",
        severity=Severity.ERROR,
        summary="a library takes static thread-local storage",
        why="A process has little to give: late imports fail with `cannot allocate memory in static TLS block`.",
        mend="Compile without `-ftls-model=initial-exec`; a bundled libgomp has it by design.",
        source="System V ABI, DF_STATIC_TLS; glibc tunable rtld.optional_static_tls",
    ),
    Rule(
        id="isa-level",
        severity=Severity.ERROR,
        summary="an object is marked for newer processors than the tag promises",
        why="glibc 2.33 and newer refuse it: `CPU ISA level is lower than required`; with an older glibc it crashes.",
        mend="Compile without `-march=x86-64-v3` or `native`; put faster copies under glibc-hwcaps.",
        source="x86-64 psABI supplement, GNU_PROPERTY_X86_ISA_1_NEEDED; glibc 2.33 release notes",
    ),
)

# elf/dl-load.c and sysdeps/*/stackinfo.h (DEFAULT_STACK_PERMS): without the header these get an executable stack.
_STACK_EXECUTABLE_BY_DEFAULT = frozenset({"x86_64", "i686", "armv7l", "ppc64", "ppc64le", "s390x"})
_LEVELS = {2: "x86-64-v2", 4: "x86-64-v3", 8: "x86-64-v4"}
_VARIANTS = {name: f"x86_64 :: level :: {name.removeprefix('x86-64-')}" for name in _LEVELS.values()}
"""The property of a variant that promises a level (PEP 825's provider for x86_64)."""


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """Check the stack, memory rights, thread-local storage and instructions that each loaded object asks for."""
    findings = [
        finding
        for path, shared in wheel.objects.items()
        if shared.kind in ("library", "program") and shared.needs_a_loader
        for finding in (
            *(finding for judge in _JUDGES for finding in judge(path, shared)),
            *_instructions(wheel, path, shared),
        )
    ]
    return Ruling(check="hardening", findings=tuple(findings))


def _stack(path: str, shared: SharedObject) -> Iterator[Finding]:
    if shared.layout.stack == "executable":
        yield Finding.of(
            RULES["executable-stack"], path, "asks for an executable stack; glibc 2.41 and newer refuse to load it"
        )
    elif shared.layout.stack == "absent" and shared.architecture in _STACK_EXECUTABLE_BY_DEFAULT:
        message = f"has no PT_GNU_STACK; on {shared.architecture} that asks for an executable stack"
        yield Finding.of(RULES["executable-stack"], path, message)


def _rights(path: str, shared: SharedObject) -> Iterator[Finding]:
    if shared.layout.writable_code:
        yield Finding.of(RULES["writable-code"], path, "has a segment that is both writable and executable")
    if shared.traits.text_relocations:
        yield Finding.of(
            RULES["text-relocations"], path, "has relocations in its code; the loader must make code writable"
        )
    if not shared.layout.relro:
        yield Finding.of(RULES["relro-missing"], path, "has no PT_GNU_RELRO; its relocation tables stay writable")
    elif not shared.traits.bind_now:
        yield Finding.of(RULES["bind-now-missing"], path, "is not linked with `-z now`; its jump table stays writable")


def _storage(path: str, shared: SharedObject) -> Iterator[Finding]:
    if shared.traits.static_tls and shared.kind == "library":
        yield Finding.of(RULES["static-tls"], path, "uses static thread-local storage, of which a process has little")


def _instructions(wheel: Wheel, path: str, shared: SharedObject) -> Iterator[Finding]:
    """Judge the marked level, but not below glibc-hwcaps: from there the loader picks what the processor can run."""
    levels = tuple(name for bit, name in _LEVELS.items() if shared.layout.isa_needed & bit)
    if levels and shared.architecture == "x86_64" and "/glibc-hwcaps/" not in f"/{path}":
        promised = _level(wheel)
        if levels[-1] > promised:
            of_variant = f"the variant is for processors of {promised}"
            of_tag = "the tag promises that every x86_64 processor can run it"
            message = f"is marked as needing {levels[-1]}; {of_variant if promised else of_tag}"
            yield Finding.of(RULES["isa-level"], path, message)


def _level(wheel: Wheel) -> str:
    """Return the level that a variant asks of processors; empty without one."""
    if wheel.name is None or wheel.variant is None or wheel.name.label != wheel.variant.label:
        return ""
    return next((name for name, text in _VARIANTS.items() if text in wheel.variant.properties), "")


_JUDGES: tuple[Callable[[str, SharedObject], Iterator[Finding]], ...] = (_stack, _rights, _storage)
