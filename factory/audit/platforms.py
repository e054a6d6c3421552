"""The platforms a wheel is for, and the objects that are for others."""

from collections.abc import Iterator

from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.rules import finding
from factory.audit.sonames import is_foreign
from factory.excerpt import listed
from factory.tags import PlatformTag
from factory.wheel import Wheel


def claimed(wheel: Wheel) -> tuple[PlatformTag, ...]:
    """List the Linux platforms that the file name promises, each once whatever its spelling."""
    found = set()
    for tag in wheel.tags:
        try:
            found.add(PlatformTag.parse(tag.platform))
        except ValueError:
            continue
    return tuple(sorted(found))


def architectures(wheel: Wheel, expectation: Expectation) -> frozenset[str]:
    """List the architectures the wheel is for, from its tags (linux_* among them) and the expectation."""
    found = {platform.arch for platform in claimed(wheel)}
    found |= {tag.platform.removeprefix("linux_") for tag in wheel.tags if tag.platform.startswith("linux_")}
    if expectation.platform is not None:
        found.add(expectation.platform.arch)
    return frozenset(found)


def check_machines(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Every object must be for the wheel's architecture and libc; what no processor runs is data."""
    found = [*_machines(wheel, architectures(wheel, expectation)), *_libcs(wheel, expectation)]
    return Ruling(check="machines", findings=tuple(found), allows=frozenset() if found else None)


def _machines(wheel: Wheel, wanted: frozenset[str]) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if wanted and shared.for_a_processor and shared.architecture not in wanted:
            message = f"is for {shared.machine_name}; the wheel is for {listed(sorted(wanted))}"
            yield finding("wrong-machine", path, message)


def _libcs(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    platforms = claimed(wheel) or ((expectation.platform,) if expectation.platform else ())
    wanted = {platform.libc for platform in platforms}
    for path, shared in wheel.objects.items():
        names = (*shared.needed, *([shared.interpreter] if shared.interpreter else []))
        for libc in sorted(wanted):
            signs = tuple(sorted(name for name in names if is_foreign(name, libc)))
            if signs:
                yield finding("wrong-libc", path, f"needs {signs[0]}; the wheel is for {libc}", signs)
