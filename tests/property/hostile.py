"""Texts that make a pattern go back and forth, made of the pattern's own parts."""

import importlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

_Part: TypeAlias = Any  # what a part of a pattern holds differs from part to part
_parser: Any = importlib.import_module("re._parser")  # no public module takes a pattern apart

UNITS = (
    "\n", " ", "\t", "\r\n", "a", "1", ".", "-", ":", "::", "a:", "1:", "a ", "/", "//", "`", "'", '"', "(", "[", "{",
    "#", "##", "\\", "=", "a=", "a.", "-0000000000", "Connect", "E ", "error: ", ": \n", "\x1b[", "\x1b]", "a\n", "\n ",
    "a b\n", "failed to get a\n", "failed to get `a` as a dependency\n", "error sending request for url (a)",
    "Caused by:\n",
)  # fmt: skip


def texts(pattern: "re.Pattern[str] | re.Pattern[bytes]", size: int) -> Iterator[str]:
    """Yield texts of some size: beginnings of what the pattern takes, and then again and again what it may repeat."""
    for begun, unit in dict.fromkeys((*(("", unit) for unit in UNITS), *_pairs(pattern))):
        if unit:
            yield (begun + unit * (size // len(unit) + 1))[:size]


def _pairs(pattern: "re.Pattern[str] | re.Pattern[bytes]") -> Iterator[tuple[str, str]]:
    begun = ""
    for name, value in _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE):
        for inside, unit in _repeated(str(name), value):
            yield begun + inside, unit
            yield "", begun + inside + unit
        begun += _sample(str(name), value)
        yield "", begun
        yield "", f"{begun}\n"


def _sample(name: str, value: _Part) -> str:
    match name:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return "b" if value == ord("a") else "a"
        case "ANY":
            return "a"
        case "IN":
            return _member(value)
        case "BRANCH":
            return _all(value[1][0])
        case "SUBPATTERN":
            return _all(value[-1])
        case "ATOMIC_GROUP":
            return _all(value)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = value
            return _all(inner) * (least or min(1, int(most)))
        case _:
            return ""


def _all(items: Sequence[Any]) -> str:
    return "".join(_sample(str(name), value) for name, value in items)


def _repeated(name: str, value: _Part) -> Iterator[tuple[str, str]]:
    """Yield what a repetition within this part takes, each with what comes before it in the part."""
    match name:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            yield "", _all(value[2])
            yield from _inner(value[2])
        case "BRANCH":
            for branch in value[1]:
                yield "", _all(branch)
                yield from _inner(branch)
        case "SUBPATTERN":
            yield from _inner(value[-1])
        case "ATOMIC_GROUP":
            yield from _inner(value)
        case _:
            return


def _inner(items: Sequence[Any]) -> Iterator[tuple[str, str]]:
    begun = ""
    for name, value in items:
        for inside, unit in _repeated(str(name), value):
            yield begun + inside, unit
        begun += _sample(str(name), value)


def _member(items: Sequence[Any]) -> str:
    """Return a character of a class."""
    pattern = re.compile(_class_of(items))
    return next((chr(code) for code in (97, 49, 32, 46, *range(1, 256)) if pattern.match(chr(code))), "\u2028")


def _class_of(items: Sequence[Any]) -> str:
    shown = ""
    for name, value in items:
        match str(name):
            case "NEGATE":
                shown += "^"
            case "LITERAL":
                shown += re.escape(chr(value))
            case "RANGE":
                shown += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
            case "CATEGORY":
                shown += _CATEGORIES[str(value)]
    return f"[{shown}]"


_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
