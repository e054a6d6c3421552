"""The platforms that a wheel is for."""

from factory.audit.expectation import Expectation
from factory.tags import PlatformTag
from factory.wheel import Wheel


def claimed(wheel: Wheel) -> tuple[PlatformTag, ...]:
    """List the Linux platforms that the file name promises, each once whatever its spelling."""
    platforms = set()
    for tag in wheel.tags:
        try:
            platforms.add(PlatformTag.parse(tag.platform))
        except ValueError:
            continue
    return tuple(sorted(platforms))


def architectures(wheel: Wheel, expectation: Expectation) -> frozenset[str]:
    """List the architectures the wheel is for, from its tags (linux_* among them) and the expectation."""
    names = {platform.arch for platform in claimed(wheel)}
    names |= {tag.platform.removeprefix("linux_") for tag in wheel.tags if tag.platform.startswith("linux_")}
    if expectation.platform is not None:
        names.add(expectation.platform.arch)
    return frozenset(names)
