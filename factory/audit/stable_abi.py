"""The stable ABI's symbols and the version each came with: abi3info's data, corrected by the interpreters themselves.

Loading abi3info takes a tenth of a second, so it waits for the first abi3 wheel.
"""

from functools import cache

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
# These exist on every Linux build; abi3info's other conditions (Windows, stack checks, debug builds) hold on none.
_ON_LINUX = frozenset({"HAVE_FORK", "PY_HAVE_THREAD_NATIVE_ID"})


@cache
def introduced() -> dict[str, int]:
    """Minor version since which each symbol of the stable ABI is on every Linux build."""
    import abi3info  # type: ignore[import-untyped]  # noqa: PLC0415 -- untyped; slow to load, most wheels never ask

    known = {
        entry.symbol.linux: entry.added.minor
        for entry in (*abi3info.FUNCTIONS.values(), *abi3info.DATAS.values())
        if entry.ifdef is None or entry.ifdef.name in _ON_LINUX
    }
    return known | dict.fromkeys(_SINCE_39, 9) | _SINCE


def oldest_interpreter(symbol: str, floor: int) -> int | None:
    """Find the minor version from which a symbol is there for good, None when the stable ABI has no such symbol.

    `floor` is the version asked about: a symbol that a later one lacks counts from after that gap.
    """
    since = introduced().get(symbol)
    gap = _MISSING_ON.get(symbol)
    if since is not None and gap is not None and floor <= gap:
        return gap + 1
    return since
