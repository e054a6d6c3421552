"""The variables by which cargo and PyO3 build for Windows, and the tool that they call in place of mingw-w64's own."""

from collections.abc import Mapping

from factory.guests import program
from factory.machines import WINDOWS_RUST
from factory.steps import MINGW, Step
from factory.tags import Interpreter, WindowsTag

_LINKER = "x86_64-w64-mingw32-gcc"
_DLLTOOL = MINGW / "x86_64-w64-mingw32-dlltool"
_WRITE = 'mkdir -p "${1%/*}" && printf %s "$2" >"$1" && chmod 755 "$1"'


def mingw_env(platform: WindowsTag, interpreter: Interpreter | None) -> Mapping[str, str]:
    """Return the variables of a build for Windows; what it compiles for itself stays the image's compilers'.

    PyO3 takes the version without a Python for Windows (its guide, "Building and distribution", "Cross Compiling").
    """
    target = WINDOWS_RUST[platform.arch]
    env = {"CARGO_BUILD_TARGET": target, f"CARGO_TARGET_{target.upper().replace('-', '_')}_LINKER": _LINKER}
    if interpreter is None:
        return env
    return {**env, "PYO3_CROSS_PYTHON_VERSION": interpreter.marked_version}


def dlltool_step(env: Mapping[str, str]) -> Step:
    """Return the step that writes a dlltool which can be called where nothing may be written."""
    argv = ("sh", "-ec", _WRITE, "mingw", str(_DLLTOOL), program("dlltool.sh"))
    return Step(name="environment", argv=argv, env=env, phase="build", timeout_s=60)
