"""The variables by which cargo and PyO3 build for Windows."""

from collections.abc import Mapping

from factory.machines import WINDOWS_RUST
from factory.tags import Interpreter, WindowsTag

_LINKER = "x86_64-w64-mingw32-gcc"


def mingw_env(platform: WindowsTag, interpreter: Interpreter | None) -> Mapping[str, str]:
    """Return the variables of a build for Windows; what it compiles for itself stays the image's compilers'.

    PyO3 takes the version without a Python for Windows (its guide, "Building and distribution", "Cross Compiling").
    """
    target = WINDOWS_RUST[platform.arch]
    env = {"CARGO_BUILD_TARGET": target, f"CARGO_TARGET_{target.upper().replace('-', '_')}_LINKER": _LINKER}
    if interpreter is None:
        return env
    return {**env, "PYO3_CROSS_PYTHON_VERSION": f"{interpreter.version}{'t' if interpreter.free_threaded else ''}"}
