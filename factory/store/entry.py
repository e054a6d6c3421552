"""One entry of the ledger: a result, the document that its key was made of, and the blobs it needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from factory.codec import JSON
from factory.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is remembered under one key."""

    document: Mapping[str, JSON]
    result: JSON
    blobs: tuple[Digest, ...]

    @property
    def version(self) -> int:
        """The version of the stage that made it; 0 where the document names none."""
        version = self.document.get("version")
        return version if isinstance(version, int) else 0

    def written(self) -> bytes:
        """Return the bytes of its file."""
        entry = {"document": self.document, "result": self.result, "blobs": [blob.hex for blob in self.blobs]}
        return json.dumps(entry, sort_keys=True, ensure_ascii=True, allow_nan=False).encode("ascii")


def parse_entry(content: bytes) -> Entry | None:
    """Read the bytes of an entry's file; None where they are torn, or of a shape that another factory wrote."""
    try:
        match json.loads(content):
            case {"document": dict(document), "result": result, "blobs": list(blobs), **rest} if not rest:
                return Entry(document=document, result=result, blobs=tuple(_digest(blob) for blob in blobs))
    except (ValueError, RecursionError):
        return None
    return None


def parse_versions(content: bytes) -> Mapping[str, int]:
    """Read what was written down of the stages' versions; nothing where it was not, or is torn."""
    try:
        noted = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _digest(blob: object) -> Digest:
    if not isinstance(blob, str):
        raise ValueError(f"{blob!r} is not a sha256 digest")  # noqa: TRY004 -- as Digest says it of a text
    return Digest(blob)
