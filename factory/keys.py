"""A stage's key: the digest of a document that names everything its result depends on.

The document itself is kept with the result, so that it can be said later what has changed since.
"""

import json
from collections.abc import Mapping, Sequence

from factory.codec import JSON
from factory.digest import Digest

_VERSION = 1
_PLAIN = frozenset({str, bool, int, float, type(None)})


def document(stage: str, version: int, inputs: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Put together a key document. `version` rises when the stage's own code changes what it makes of its inputs."""
    return {"factory": _VERSION, "stage": stage, "version": version, "inputs": dict(inputs)}


def key(document: Mapping[str, JSON]) -> Digest:
    """Digest a key document. The order in which tables were written does not matter, that of lists does.

    Raises:
        TypeError: it holds something that is not plain JSON, or a table with names that are not text.
        ValueError: it holds a number that JSON cannot write.
    """
    return Digest.of(canonical(document))


def canonical(value: JSON) -> bytes:
    """Write JSON in its one canonical form: sorted names, no blanks, UTF-8."""
    _check(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def _check(value: object) -> None:
    """Refuse what `json` would quietly turn into something else, such as a table's number names."""
    if type(value) in _PLAIN:
        return
    match value:
        case None | bool() | int() | float() | str():
            return
        case Mapping():
            for name, inner in value.items():
                if not isinstance(name, str):
                    raise TypeError(f"{name!r} is not a text, so it cannot name a field of a key document")
                _check(inner)
        case Sequence() if not isinstance(value, bytes | bytearray):
            for inner in value:
                _check(inner)
        case _:
            raise TypeError(f"{value!r} cannot be part of a key document")
