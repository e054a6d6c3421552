"""What a crate's source uses of PyO3 that some stable ABIs lack: found by pattern, for hints alone."""

import re
from collections.abc import Iterator

from factory.project.cargo import Crate
from factory.project.files import Files
from factory.project.model import Pyo3Use, Usage
from factory.untrusted import UntrustedTextError, decoded

_MOST_FILES = 1000
_MOST_BYTES = 2 << 20  # of all files together
_COMMENT = re.compile(r"//[^\n]*")
_CLASS = re.compile(r"\bpyclass\((?P<options>[^\]]{0,1000})")
_OPTION = re.compile(r"\b(?P<name>dict|weakref|text_signature|immutable_type)\b(?!:)")
_BASE = re.compile(r"\bextends ?= ?(?:[a-z0-9_]{1,99}::){0,9}(?P<name>Py[A-Z][A-Za-z]{1,99})\b")
_NEW = re.compile(r"#\[new\][^{]{0,1000}\btext_signature\b")
_BUFFER = re.compile(r"\b(?:__getbuffer__|PyBuffer|PyUntypedBuffer)\b")
_DATETIME = re.compile(r"\bPy(?:DateTime|Date|Time|Delta|TzInfo)\b")
_ANYWHERE: tuple[tuple[re.Pattern[str], Usage], ...] = (
    (_NEW, "text_signature"),
    (_BUFFER, "buffer"),
    (_DATETIME, "datetime"),
)
_OPTIONS: tuple[Usage, ...] = ("dict", "weakref", "text_signature", "immutable_type")
_ANY_OBJECT = "PyAny"  # the one base whose layout every stable ABI knows
_GATES_ITSELF = "Py_LIMITED_API"


def read_uses(files: Files, crate: Crate) -> tuple[Pyo3Use, ...]:
    """Return each such use once, where it is first found in the crate's `src`; at most 2 MiB of it are read.

    A file that asks for `Py_LIMITED_API` itself is left out: it may have another way for the stable ABI.
    """
    first: dict[Usage, Pyo3Use] = {}
    for path, text in _sources(files, crate):
        for usage, at in () if _GATES_ITSELF in text else _found(text):
            place = f"{path}:{text.count(chr(10), 0, at) + 1}"
            first.setdefault(usage, Pyo3Use(usage=usage, place=place))
    return tuple(first.values())


def _sources(files: Files, crate: Crate) -> Iterator[tuple[str, str]]:
    """Yield the paths and texts of Rust files; comments are blank, and nothing moves to another line."""
    folder, left = f"{crate.folder}/src/".removeprefix("/"), _MOST_BYTES
    paths = sorted(path for path in files.paths if path.startswith(folder) and path.endswith(".rs"))
    for path in paths[:_MOST_FILES]:
        left -= files.size(path) or 0
        if left < 0:
            return
        try:
            yield path, _COMMENT.sub("", decoded(files.read(path) or b"", _MOST_BYTES))
        except UntrustedTextError:
            continue  # The compiler will say what is wrong with it.


def _found(text: str) -> Iterator[tuple[Usage, int]]:
    for declared in _CLASS.finditer(text):
        at, options = declared.start(), declared["options"]
        named = {option["name"] for option in _OPTION.finditer(options)}
        yield from ((usage, at) for usage in _OPTIONS if usage in named)
        if (base := _BASE.search(options)) and base["name"] != _ANY_OBJECT and f"struct {base['name']}" not in text:
            yield "native base", at
    for pattern, usage in _ANYWHERE:
        if match := pattern.search(text):
            yield usage, match.start()
