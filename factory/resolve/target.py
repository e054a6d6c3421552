"""An interpreter on a platform as resolvers need it: wheel tags, a marker, and uv's name."""

from collections.abc import Iterator
from itertools import chain

from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags

from factory.markers import marker_environment
from factory.tags import Interpreter, PlatformTag

_OLDEST_GLIBC_MINOR = {"x86_64": 5, "i686": 5}  # manylinux1; on other architectures manylinux2014 came first
_FIRST_GLIBC_MINOR_ELSEWHERE = 17
_UV_GLIBC_MINORS = (40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 28, 17)
_UV_ARCHITECTURES = frozenset({"x86_64", "aarch64"})


def supported_tags(interpreter: Interpreter, platform: PlatformTag, *, built_here: bool = False) -> tuple[Tag, ...]:
    """Return the tags of wheels that run there, best first (PEP 425, 600, 656).

    What was `built_here` for this platform has the tag that a build gives a wheel before its repair, too.
    """
    version = (3, interpreter.minor)
    names = (*_platform_names(platform), *((f"linux_{platform.arch}",) if built_here else ()))
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


def marker_text(interpreter: Interpreter, platform: PlatformTag) -> str:
    """Return the marker that is true there and on no other system."""
    implementation = marker_environment(interpreter, platform.arch)["implementation_name"]
    wanted = {"sys_platform": "linux", "platform_machine": platform.arch, "implementation_name": implementation}
    return " and ".join(f'{name} == "{value}"' for name, value in wanted.items())


def uv_platform(interpreter: Interpreter, platform: PlatformTag) -> str | None:
    """Return uv's name for the platform, or for the newest one that is not newer; None if uv has no name for it.

    uv 0.13 has no names for free-threaded interpreters, PyPy and most architectures (`uv pip compile --help`).
    """
    if interpreter.free_threaded or interpreter.implementation != "cp" or platform.arch not in _UV_ARCHITECTURES:
        return None
    if platform.libc == "musl":
        return f"{platform.arch}-unknown-linux-musl"
    minor = next((minor for minor in _UV_GLIBC_MINORS if minor <= platform.minor), None)
    return None if minor is None else f"{platform.arch}-manylinux_2_{minor}"
