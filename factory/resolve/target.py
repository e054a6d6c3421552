"""An interpreter on a platform as uv needs it: a marker, and uv's name for it."""

from factory.markers import marker_environment
from factory.tags import Interpreter, PlatformTag

_UV_GLIBC_MINORS = (40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 28, 17)
_UV_ARCHITECTURES = frozenset({"x86_64", "aarch64"})


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
