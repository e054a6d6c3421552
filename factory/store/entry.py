"""The files of the ledger."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from factory.codec import JSON
from factory.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A result, the document that its key was made of, and the blobs that it needs."""

    document: Mapping[str, JSON]
    result: JSON
    blobs: tuple[Digest, ...]

    @property
    def version(self) -> int:
        """The version of the stage that made it; 0 where the document has no version."""
        version = self.document.get("version")
        return version if isinstance(version, int) else 0

    def written(self) -> bytes:
        """Return the bytes of its file."""
        entry = {"document": self.document, "result": self.result, "blobs": [blob.hex for blob in self.blobs]}
        return json.dumps(entry, sort_keys=True, ensure_ascii=True, allow_nan=False).encode("ascii")


def parse_entry(content: bytes) -> LedgerEntry | None:
    """Read the bytes of an entry's file; None where they are damaged, or of another version's shape."""
    try:
        match json.loads(content):
            case {"document": dict(document), "result": result, "blobs": list(blobs), **rest} if not rest:
                return LedgerEntry(document=document, result=result, blobs=tuple(_digest(blob) for blob in blobs))
    except (ValueError, RecursionError):
        return None
    return None


def parse_versions(content: bytes) -> Mapping[str, int]:
    """Read the stages' versions; empty where they were never written, or are damaged."""
    try:
        versions = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return versions if isinstance(versions, dict) else {}


def _digest(blob: object) -> Digest:
    if not isinstance(blob, str):
        raise ValueError(f"{blob!r} is not a sha256 digest")  # noqa: TRY004 -- as Digest says it of a text
    return Digest(blob)
