"""Which libraries a wheel for Windows need not bring."""

import re
from functools import cache
from pathlib import Path

_API_SET = re.compile(r"(?:api|ext)-[a-z0-9-]{1,200}\.dll")
_PYPY = re.compile(r"libpypy3\.[0-9]{1,2}-c\.dll")
# What CPython's installer lays beside python.exe (PC/layout/main.py, "vcruntime140*").
_WITH_PYTHON = frozenset({"vcruntime140.dll", "vcruntime140_1.dll"})
_REDISTRIBUTABLE = re.compile(
    r"(?:msvc[pr]|vcomp|concrt|vccorlib|vcamp|vcruntime|mfc|mfcm|atl)[0-9]{2,3}[a-z0-9_]{0,20}\.dll"
)


@cache
def system_libraries() -> frozenset[str]:
    """List the libraries that every Windows has that Python 3.9 and newer runs on, in small letters.

    `python -m tools.windows_libraries` writes the list, of what delvewheel read on installation discs.
    """
    path = Path(__file__).with_name("windows_libraries.txt")
    return frozenset(path.read_text(encoding="ascii").split())


def comes_with_system(name: str) -> bool:
    """Whether Windows or the interpreter brings a library; an API set is a name for one of Windows' own."""
    known = name in system_libraries() or name in _WITH_PYTHON
    return known or _API_SET.fullmatch(name) is not None or _PYPY.fullmatch(name) is not None


def is_redistributable(name: str) -> bool:
    """Whether Microsoft's redistributable packages bring it, which many systems have installed."""
    return _REDISTRIBUTABLE.fullmatch(name) is not None
