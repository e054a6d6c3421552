"""Machines: every object is for the architecture and the libc of its wheel."""

from collections.abc import Iterator

from factory.audit.claims import architectures, due_platforms
from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.sonames import is_foreign
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.excerpt import listed
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="wrong-machine",
        severity=Severity.ERROR,
        summary="an object is for another architecture than the wheel",
        why="The loader refuses it with `wrong ELF class` or `cannot open shared object file`.",
        mend="Clean the build folder between architectures; check the options of the cross compiler.",
        source="System V ABI, ELF header",
    ),
    Rule(
        id="wrong-libc",
        severity=Severity.ERROR,
        summary="an object is linked to the other libc",
        why="glibc and musl do not mix in a process: the libraries it needs are not there, or crash.",
        mend="Build musllinux wheels in a musllinux image and manylinux wheels in a manylinux one.",
        source="PEP 656",
    ),
)


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Every object must be for the wheel's architecture and libc; what no processor can run is data."""
    findings = [*_machines(wheel, architectures(wheel, expectation)), *_libcs(wheel, expectation)]
    return Ruling(check="machines", findings=tuple(findings), allows=frozenset() if findings else None)


def _machines(wheel: Wheel, wanted: frozenset[str]) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if wanted and shared.for_a_processor and shared.architecture not in wanted:
            message = f"is for {shared.machine_name}; the wheel is for {listed(sorted(wanted))}"
            yield Finding.of(RULES["wrong-machine"], path, message)


def _libcs(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    platforms = due_platforms(wheel, expectation)
    wanted = {platform.libc for platform in platforms}
    for path, shared in wheel.objects.items():
        names = (*shared.needed, *([shared.interpreter] if shared.interpreter else []))
        for libc in sorted(wanted):
            signs = tuple(sorted(name for name in names if is_foreign(name, libc)))
            if signs:
                yield Finding.of(RULES["wrong-libc"], path, f"needs {signs[0]}; the wheel is for {libc}", signs)
