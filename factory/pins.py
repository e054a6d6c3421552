"""A container image named by digest: the same bytes from every registry, whatever its tag means today.

The grammar is that of distribution's references: a registry (host, perhaps with a port) and a path, a tag that only
people read, and the digest of the manifest.
"""

import re
from dataclasses import dataclass
from typing import Self

from factory.digest import Digest

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:))(?::[0-9]{1,5})?"
_NAME = rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
TAGGED = re.compile(rf"(?P<name>{_NAME})(?::(?P<tag>{_TAG}))?")
PINNED = re.compile(rf"{TAGGED.pattern}@(?:sha256:)(?P<digest>[0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One image by the digest of its manifest; `tag` says where the digest was once found, and has no other meaning."""

    name: str
    digest: Digest
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.name}{f':{self.tag}' if self.tag else ''}@{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `registry/name@sha256:…`, perhaps with a tag before the digest.

        Raises:
            ValueError: the text is not such a reference, or has no digest.
        """
        match = PINNED.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an image with its digest such as registry/name@sha256:…")
        return cls(match["name"], Digest(match["digest"]), match["tag"] or "")

    @property
    def reference(self) -> str:
        """What an engine is asked for: name and digest, without the tag."""
        return f"{self.name}@{self.digest}"

    @property
    def registry(self) -> str:
        """The host in the name; empty where it has none, which the engine completes."""
        host, slash, _ = self.name.partition("/")
        return host if slash and re.fullmatch(_HOST, host) else ""
