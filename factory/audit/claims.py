"""What the tags of a wheel claim."""

import re
from collections.abc import Iterable

from packaging.tags import Tag

from factory.audit.expectation import Expectation
from factory.tags import PlatformTag, WindowsTag
from factory.wheel import Wheel

_CPYTHON = re.compile(r"cp3([0-9]+)")


def claimed_platforms(wheel: Wheel) -> tuple[PlatformTag, ...]:
    """List the Linux platforms that the file name promises, each once whatever its spelling."""
    return tuple(sorted({platform for tag in wheel.tags if (platform := linux_platform(tag.platform)) is not None}))


def due_platforms(wheel: Wheel, expectation: Expectation) -> tuple[PlatformTag, ...]:
    """List the claimed platforms, or the expected one where none is claimed."""
    expected = expectation.platform
    return claimed_platforms(wheel) or ((expected,) if isinstance(expected, PlatformTag) else ())


def windows_platforms(wheel: Wheel) -> tuple[str, ...]:
    """List the platforms of Windows that the file name promises."""
    return tuple(sorted({tag.platform for tag in wheel.tags if is_windows(tag.platform)}))


def is_windows(text: str) -> bool:
    """Whether a platform tag is one of Windows whose files are read."""
    try:
        WindowsTag.parse(text)
    except ValueError:
        return False
    return True


def linux_platform(text: str) -> PlatformTag | None:
    """Read a platform tag, None where it is not a Linux platform that some policy knows."""
    try:
        return PlatformTag.parse(text)
    except ValueError:
        return None


def oldest_minor(tags: Iterable[Tag]) -> int | None:
    """Find the oldest CPython that is named by a python tag such as cp39, None where none is."""
    return min((int(match[1]) for tag in tags if (match := _CPYTHON.fullmatch(tag.interpreter))), default=None)


def architectures(wheel: Wheel, expectation: Expectation) -> frozenset[str]:
    """List the architectures the wheel is for, from its tags (linux_* among them) and the expectation."""
    names = {platform.arch for platform in claimed_platforms(wheel)}
    names |= {tag.platform.removeprefix("linux_") for tag in wheel.tags if tag.platform.startswith("linux_")}
    if isinstance(expectation.platform, PlatformTag):
        names.add(expectation.platform.arch)
    return frozenset(names)
