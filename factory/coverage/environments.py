"""Environments on Linux: an interpreter, a libc of a current distribution, and a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from factory.recipe.lifetimes import LIFETIMES
from factory.tags import FIRST_FREE_THREADED, Interpreter, PlatformTag

GLIBC_VERSIONS: Mapping[int, str] = MappingProxyType(
    {
        28: "RHEL 8 and its rebuilds",
        31: "Debian 11",
        34: "RHEL 9, Amazon Linux 2023",
        35: "Ubuntu 22.04",
        36: "Debian 12",
        39: "RHEL 10, Ubuntu 24.04",
        41: "Debian 13",
    }
)
"""The minor versions of glibc 2 that current distributions have, as of November 2026."""

MUSL_VERSION = (1, 2)
"""The version that Alpine has had since 3.13, and the newest that musllinux tags name (PEP 656)."""

USUAL_MACHINES = ("x86_64", "aarch64")

_OLDEST_MINOR = 9


@dataclass(frozen=True, slots=True, order=True)
class Environment:
    """What decides which file of a release is installed."""

    platform: PlatformTag
    interpreter: Interpreter


def interpreters() -> tuple[Interpreter, ...]:
    """Return CPython 3.9 to the newest release, oldest first; the free-threaded ones follow."""
    minors = [life.minor for life in LIFETIMES if life.minor >= _OLDEST_MINOR]
    free_threaded = [Interpreter(minor, free_threaded=True) for minor in minors if minor >= FIRST_FREE_THREADED]
    return (*(Interpreter(minor) for minor in minors), *free_threaded)


def _platforms(machine: str) -> tuple[PlatformTag, ...]:
    """Return one machine's platforms: each version of glibc, oldest first, then musl."""
    of_glibc = (PlatformTag("glibc", 2, minor, machine) for minor in GLIBC_VERSIONS)
    return (*of_glibc, PlatformTag("musl", *MUSL_VERSION, machine))


def environments(machines: Sequence[str]) -> tuple[Environment, ...]:
    """Return all environments on these machines, in the order in which they are shown."""
    return tuple(
        Environment(platform, interpreter)
        for machine in machines
        for platform in _platforms(machine)
        for interpreter in interpreters()
    )
