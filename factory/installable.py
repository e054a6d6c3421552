"""What installers take in an environment: its tags, the best first, and what a Requires-Python admits."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import chain

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags

from factory.tags import Interpreter, PlatformTag

_OLDEST_GLIBC_MINOR = {"x86_64": 5, "i686": 5}  # manylinux1; on other architectures manylinux2014 came first
_FIRST_GLIBC_MINOR_ELSEWHERE = 17
_PATCHES = range(60)  # more releases than any minor version had


def supported_tags(
    interpreter: Interpreter,
    platform: PlatformTag,
    *,
    built_here: bool = False,
    named: AbstractSet[str] | None = None,
) -> tuple[Tag, ...]:
    """Return the tags of wheels that run there, best first (PEP 425, 600, 656).

    What was `built_here` for this platform has the tag that a build gives a wheel before its repair, too. Of the
    platforms only those in `named` are looked at, where it is given: all together have some 900 tags.
    """
    version = (3, interpreter.minor)
    every = (*_platform_names(platform), *((f"linux_{platform.arch}",) if built_here else ()))
    # packaging takes an empty list for this machine's own platforms.
    names = [name for name in every if named is None or name in named] or every[:1]
    if interpreter.implementation == "cp":
        own = cpython_tags(version, [interpreter.abi_tag], names)
    else:
        own = generic_tags(interpreter.python_tag, [interpreter.abi_tag], names)
    return tuple(chain(own, compatible_tags(version, interpreter.python_tag, names)))


def _platform_names(platform: PlatformTag) -> Iterator[str]:
    oldest = _OLDEST_GLIBC_MINOR.get(platform.arch, _FIRST_GLIBC_MINOR_ELSEWHERE) if platform.libc == "glibc" else 0
    for minor in range(platform.minor, oldest - 1, -1):
        older = PlatformTag(platform.libc, platform.major, minor, platform.arch)
        yield str(older)
        yield from sorted(older.aliases - {str(older)})


@cache
def runs(requires_python: SpecifierSet, interpreter: Interpreter) -> bool:
    """Tell whether any release of an interpreter's version may install the project."""
    return any(requires_python.contains(f"{interpreter.version}.{patch}") for patch in _PATCHES)
