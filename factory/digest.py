"""SHA-256 digests of bytes, files and trees."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

_CHUNK_BYTES = 1 << 20
_HEX_LENGTH = 64


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest as 64 lowercase hexadecimal digits."""

    hex: str

    def __post_init__(self) -> None:
        if len(self.hex) != _HEX_LENGTH or set(self.hex) - set("0123456789abcdef"):
            raise ValueError(f"{self.hex!r} is not a sha256 digest")

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @property
    def short(self) -> str:
        """The first twelve digits, for people."""
        return self.hex[:12]

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Digest bytes in memory."""
        return cls(hashlib.sha256(content).hexdigest())

    @classmethod
    def of_chunks(cls, chunks: Iterable[bytes]) -> Self:
        """Digest a stream of chunks."""
        state = hashlib.sha256()
        for chunk in chunks:
            state.update(chunk)
        return cls(state.hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Digest a file without holding it in memory."""
        with path.open("rb") as stream:
            return cls.of_chunks(chunks(stream))


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A named file whose bytes lie in the store under its digest."""

    filename: str
    digest: Digest
    size_bytes: int


def chunks(stream: BinaryIO, size_bytes: int = _CHUNK_BYTES) -> Iterable[bytes]:
    """Yield a stream's bytes in pieces of at most `size_bytes`."""
    while piece := stream.read(size_bytes):
        yield piece
