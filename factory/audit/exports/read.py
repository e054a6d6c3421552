"""The lists next to this file, read once, when the first wheel needs them.

`interpreters.txt` begins with the interpreters' tags; each further line is a symbol and, in hexadecimal, the set of
interpreters that have it, the first tag being the lowest bit. `libraries.txt` has a line `[arch soname]` before the
symbols of each library; behind a symbol that its first glibc lacked stands the version that brought it: `gettid 2.30`.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path


def known_interpreters() -> frozenset[str]:
    """Return the tags of the interpreters whose exports are known: `cp311`."""
    return frozenset(_interpreters()[0])


def interpreters_that_export(symbol: str) -> frozenset[str]:
    """Return the tags of the known interpreters that export a symbol."""
    tags, masks = _interpreters()
    mask = masks.get(symbol, 0)
    return frozenset(tag for bit, tag in enumerate(tags) if mask >> bit & 1)


def library_exports(arch: str, soname: str) -> frozenset[str] | None:
    """Return the names that a system library exports on an architecture, None for a library without a list."""
    return _exports().get(f"{arch} {soname}")


@lru_cache(maxsize=64)
def came_with(arch: str, sonames: frozenset[str]) -> Mapping[str, tuple[int, int]]:
    """Return which glibc brought each name that these libraries export together, where the first lacked it: (2, 30)."""
    lists = [_libraries().get(f"{arch} {soname}", {}) for soname in sonames]
    always = {name for lines in lists for name, since in lines.items() if not since}
    versions: dict[str, tuple[int, int]] = {}
    for lines in lists:
        for name, since in lines.items():
            if name not in always:
                versions[name] = min(_version(since), versions.get(name, _version(since)))
    return versions


@cache
def _interpreters() -> tuple[tuple[str, ...], Mapping[str, int]]:
    head, *lines = _text("interpreters.txt").splitlines()
    return tuple(head.split()), {name: int(mask, 16) for name, mask in map(str.split, lines)}


@cache
def _exports() -> Mapping[str, frozenset[str]]:
    return {head: frozenset(lines) for head, lines in _libraries().items()}


@cache
def _libraries() -> Mapping[str, Mapping[str, str]]:
    """Return for `arch soname` its symbols with their versions, "" where its first glibc had them."""
    lists: dict[str, Mapping[str, str]] = {}
    for part in _text("libraries.txt").split("[")[1:]:
        head, _, lines = part.partition("]\n")
        lists[head] = {name: since for name, _, since in (line.partition(" ") for line in lines.splitlines())}
    return lists


def _version(text: str) -> tuple[int, int]:
    major, minor = map(int, text.split("."))
    return major, minor


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="ascii")
