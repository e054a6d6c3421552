"""What the names of shared libraries and symbols reveal."""

import re
from collections.abc import Iterable

from factory.policy import system_libraries

# libpython3.so is the stable-ABI stub; t, d and m are builds; auditwheel writes its hash before the first dot.
_LIBPYTHON = re.compile(
    r"libpython[23](-[0-9a-f]{8,}+)?+(\.[0-9]+)?+[a-z]*+(-[0-9a-f]{8,}+)?+\.so(\..*)?|libpypy.*\.so(\..*)?"
)
_LOADER = re.compile(
    r"ld(64|-linux[a-z0-9_-]{0,40}|-musl-[a-z0-9_-]{1,40})?\.so\.[0-9]+|linux-(vdso|gate)(32|64)?\.so\.1"
)
_MUSL = re.compile(r"(libc\.musl-|ld-musl-)[a-z0-9_-]{1,40}\.so\.1|libc\.so")
_GLIBC = re.compile(r"lib(c|m|pthread|dl|rt|util|nsl|anl|resolv)\.so\.[0-9]|ld(64|-linux[a-z0-9_-]{0,40})\.so\.[0-9]")
_PYTHON_DLL = re.compile(r"python3(?P<minor>[0-9]{0,2})(?P<t>t?)(?P<debug>(?:_d)?)\.dll", re.IGNORECASE)
_NAME_BYTES = 255  # NAME_MAX
_INTERPRETERS = re.compile(r"_?Py(_|[A-Z])\w*")


def is_libpython(name: str) -> bool:
    """Whether a needed name or soname is an interpreter's library, in any build, grafted or not."""
    return _LIBPYTHON.fullmatch(_base(name)) is not None


def is_python_dll(name: str) -> bool:
    """Whether a needed name is that of CPython on Windows: of one version, or the stable ABI's `python3.dll`."""
    return python_dll(name) is not None


def python_dll(name: str) -> tuple[int | None, str] | None:
    """Return the minor version that CPython's library on Windows is for, None of the stable ABI's, and its flags."""
    match = _PYTHON_DLL.fullmatch(name)
    if match is None:
        return None
    flags = match["t"].lower() + match["debug"].lower().lstrip("_")
    return (int(match["minor"]) if match["minor"] else None), flags


def is_loader(name: str) -> bool:
    """Whether it is the dynamic loader itself, which every policy has."""
    return _LOADER.fullmatch(_base(name)) is not None


def is_foreign(name: str, libc: str) -> bool:
    """Whether only the other libc than `libc` has a library or loader of this name."""
    return (_MUSL if libc == "glibc" else _GLIBC).fullmatch(_base(name)) is not None


def is_interpreters(symbol: str) -> bool:
    """Whether a symbol has the form of those that an interpreter exports."""
    return _INTERPRETERS.fullmatch(symbol) is not None


def are_known(libraries: Iterable[str]) -> bool:
    """Whether all are the system's or an interpreter's: any other, as of Qt's bindings, may define symbols like Py…."""
    return all(name in system_libraries() or is_loader(name) or is_libpython(name) for name in libraries)


def _base(name: str) -> str:
    """Return a file's name; empty if it is longer than any file's can be."""
    base = name.rpartition("/")[2]
    return base if len(base) <= _NAME_BYTES else ""
