"""Secret values in every spelling in which a text or a file may hold them."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

SHORTEST = 4
"""Values with fewer characters are not hidden: any text holds them."""
SHORTEST_IN_FILES = 6
"""Values with fewer characters are not searched for in files: any wheel holds `true` and `3.12`."""
_SHORTEST_LINE = 16  # a shorter line of a longer value may be in any file, too: `"type": "account",`
_WRAPPED = (64, 76)  # widths at which PEM (RFC 7468) and MIME (RFC 2045) break base64
_BOUNDARY = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")  # RFC 7468: the same in everybody's key
_UNQUOTED = re.compile(r"([^\w@%+=:,./-])")


def bare(url: str) -> str:
    """Take user and password off a URL."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Take users and passwords out of every URL in a text, and known secrets wherever they occur."""
    return re.sub(r"(?<=//)[^/@\s]+@", "", hide(text, secrets))


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace known secrets by `***`, in every spelling, wherever they are."""
    spans = sorted(span for secret in secrets for spelling in spellings(secret) for span in _spans(text, spelling))
    shown: list[str] = []
    at = 0
    for start, end in spans:
        if start > at or not shown:
            shown += [text[at:start], "***"]
        at = max(at, end)
    return "".join([*shown, text[at:]])


@lru_cache(maxsize=256)
def spellings(value: str) -> frozenset[str]:
    """Return how a text may spell a value or one of its lines: escaped, percent-encoded, in base64, in hex."""
    parts = {value, *_lines(value)}
    return frozenset(spelling for part in parts if len(part) >= SHORTEST for spelling in _spellings(part))


def _lines(value: str) -> Iterator[str]:
    for line in value.splitlines():
        if not _BOUNDARY.fullmatch(line.strip()):
            yield line.strip()


def _spellings(part: str) -> Iterator[str]:
    content = part.encode(errors="surrogateescape")
    yield part
    yield from (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1])
    yield from (repr(part)[1:-1], repr(content)[2:-1], html.escape(part), html.escape(part, quote=False))
    yield from (part.replace("'", r"'\''"), part.replace("'", "'\"'\"'"), _UNQUOTED.sub(r"\\\1", part))  # of shells
    for encoded in (quote(content, safe=""), quote(content), quote_plus(content)):
        yield from (encoded, re.sub("%..", lambda escape: escape[0].lower(), encoded))
    yield from (content.hex(), content.hex().upper())
    for encoded in _base64(content):
        yield from (encoded, encoded.translate(str.maketrans("+/", "-_")))


def _base64(content: bytes) -> Iterator[str]:
    """Yield the base64 of bytes inside a longer text, less the characters that depend on what surrounds them."""
    for before in range(3):
        text = b64encode(bytes(before) + content).decode().rstrip("=")
        yield text[(0, 2, 3)[before] : len(text) - bool((before + len(content)) % 3)]
    whole = b64encode(content).decode()
    for width in _WRAPPED:
        if len(whole) > width:
            yield from (whole[at : at + width] for at in range(0, len(whole) - SHORTEST, width))


def _spans(text: str, spelling: str) -> Iterator[tuple[int, int]]:
    start = text.find(spelling)
    while start >= 0:
        end = start + len(spelling)
        yield start, end
        start = text.find(spelling, end)


@dataclass(frozen=True, slots=True)
class Search:
    """A search for several named values at once, in bytes that come in pieces."""

    needles: tuple[tuple[bytes, str], ...]

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        """Search for the values that are long enough to mean something in a file."""
        named = {
            spelling.encode(errors="surrogateescape"): name
            for name, value in values.items()
            for part in {value, value.strip(), *(line for line in _lines(value) if len(line) >= _SHORTEST_LINE)}
            if len(part) >= SHORTEST_IN_FILES
            for spelling in _spellings(part)
        }
        return cls(tuple(named.items()))

    def first_in(self, pieces: Iterable[bytes]) -> str | None:
        """Return the name of a value that the bytes hold; a value across two pieces is found, too.

        The time is linear in the bytes: CPython finds a long needle by the two-way algorithm.
        """
        overlap = max((len(needle) for needle, _ in self.needles), default=1) - 1
        tail = b""
        for piece in pieces:
            window = tail + piece
            for needle, name in self.needles:
                if needle in window:
                    return name
            tail = window[-overlap:] if overlap else b""
        return None
