"""The values of environment markers for one interpreter on Linux (PEP 508)."""

from packaging.markers import Environment

from factory.tags import Interpreter


def marker_environment(interpreter: Interpreter, architecture: str) -> Environment:
    """Return the value of every marker; of a minor version, the first release is assumed."""
    full = f"{interpreter.version}.0"
    is_cpython = interpreter.implementation == "cp"
    return {
        "implementation_name": "cpython" if is_cpython else "pypy",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": architecture,
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "platform_python_implementation": "CPython" if is_cpython else "PyPy",
        "python_version": interpreter.version,
        "sys_platform": "linux",
    }
