"""The lists next to this file, read once, when the first wheel needs them.

`interpreters.txt` begins with the interpreters' tags; each further line is a symbol and, in hexadecimal, the set of
interpreters that have it, the first tag being the lowest bit. `libraries.txt` has a line `[arch soname]` before the
symbols of each library.
"""

from collections.abc import Mapping
from functools import cache
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
    return _libraries().get(f"{arch} {soname}")


@cache
def _interpreters() -> tuple[tuple[str, ...], Mapping[str, int]]:
    head, *lines = _text("interpreters.txt").splitlines()
    return tuple(head.split()), {name: int(mask, 16) for name, mask in map(str.split, lines)}


@cache
def _libraries() -> Mapping[str, frozenset[str]]:
    lists: dict[str, frozenset[str]] = {}
    for part in _text("libraries.txt").split("[")[1:]:
        head, _, names = part.partition("]\n")
        lists[head] = frozenset(names.split())
    return lists


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="ascii")
