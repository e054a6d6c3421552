"""The stable ABI's symbols and the version each came with: abi3info's data, corrected by the interpreters themselves.

Each line of `stable_abi.txt` has a symbol and the minor version that introduced it, and `stable_abi_windows.txt` has
those that Windows alone has; `python -m tools.generated` writes both. Loading abi3info itself takes longer than judging
a small wheel.
"""

from functools import cache
from pathlib import Path

# abi3info dates these 3.10; CPython 3.9's headers declare them under Py_LIMITED_API=0x03090000 and its binary exports
# them (`nm -D` of 3.9.18).
_SINCE_39 = frozenset(
    {
        "PyFrame_GetCode",
        "PyFrame_GetLineNumber",
        "PyModule_AddType",
        "PyObject_CallNoArgs",
        "PyThreadState_GetFrame",
        "PyThreadState_GetID",
        "PyThreadState_GetInterpreter",
        "PyType_FromModuleAndSpec",
        "PyType_GetModule",
        "PyType_GetModuleState",
        "Py_FileSystemDefaultEncodeErrors",
    }
)
# abi3info dates it 3.2; no python3.6 or 3.7 exports it (what's new in 3.8, threading.get_native_id).
_SINCE = {"PyThread_get_thread_native_id": 8}
# abi3info has it since 3.4; in 3.9 it was a macro only, and python3.9 exports no such symbol.
_MISSING_ON = {"PyCFunction_New": 9}


@cache
def introduced() -> dict[str, int]:
    """Return the minor version from which each symbol of the stable ABI is in every Linux build."""
    return _listed("stable_abi.txt") | dict.fromkeys(_SINCE_39, 9) | _SINCE


@cache
def introduced_on_windows() -> dict[str, int]:
    """Return the minor version from which each symbol is in the stable ABI of Windows alone."""
    return _listed("stable_abi_windows.txt")


def _listed(name: str) -> dict[str, int]:
    lines = Path(__file__).with_name(name).read_text(encoding="ascii").splitlines()
    return {name: int(minor) for name, minor in map(str.split, lines)}


def oldest_interpreter(symbol: str, floor: int, *, on_windows: bool = False) -> int | None:
    """Find the minor version from which a symbol is there for good, None when the stable ABI has no such symbol.

    `floor` is the version asked about: a symbol that a later one lacks counts from after that gap.
    """
    since = introduced().get(symbol)
    if since is None and on_windows:
        since = introduced_on_windows().get(symbol)
    gap = _MISSING_ON.get(symbol)
    if since is not None and gap is not None and floor <= gap:
        return gap + 1
    return since
