"""Whether members lie where the directory says: unpackers that read from the start must see the same archive."""

import struct
from collections.abc import Iterable, Iterator
from mmap import mmap

from factory.archive.directory import Directory, DirectoryEntry
from factory.archive.flaws import Flaw
from factory.excerpt import cut

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_SAME_FLAGS = 0x1 | 0x8 | 0x40 | 0x800
_DESCRIPTORS = frozenset({12, 16, 20, 24})  # with or without signature, 32 or 64 bits (APPNOTE 4.3.9)
_ALL_32 = 0xFFFFFFFF
_SHOWN = 500


def content_start(content: mmap | bytes, entry: DirectoryEntry) -> int | None:
    """Find where a member's packed bytes begin, None where there is no local header or they do not fit the file."""
    if content[entry.header : entry.header + 4] != b"PK\3\4" or entry.header + _LOCAL.size > len(content):
        return None
    name, extra = struct.unpack_from("<HH", content, entry.header + 26)
    start = entry.header + _LOCAL.size + int(name) + int(extra)
    return start if start + entry.packed_bytes <= len(content) else None


def judge_places(content: mmap | bytes, directory: Directory, entries: Iterable[DirectoryEntry]) -> Iterator[Flaw]:
    """Compare both headers of every member, and account for every byte of the file."""
    if directory.prepended:
        yield _flaw("padding", "", f"{directory.prepended} bytes precede the archive")
    if directory.appended:
        yield _flaw("padding", "", f"{directory.appended} bytes follow the archive")
    end = directory.prepended
    previous = ""
    for entry in sorted(entries, key=lambda entry: (entry.header, entry.name)):
        yield from _headers(content, entry)
        start = content_start(content, entry)
        if start is None:
            continue
        if entry.header < end:
            yield _flaw("overlap", entry.name, f"begins inside {previous or 'what precedes it'}")
        elif entry.header > end:
            yield _flaw("padding", entry.name, f"{entry.header - end} bytes before it belong to no member")
        end, previous = max(end, _end(content, entry, start)), entry.name
    if end < directory.start:
        yield _flaw("padding", "", f"{directory.start - end} bytes before the directory belong to no member")
    elif end > directory.start:
        yield _flaw("overlap", previous, "reaches into the central directory")


def _flaw(kind: str, member: str, message: str) -> Flaw:
    return Flaw(kind=kind, member=member, message=message)  # type: ignore[arg-type]  # every kind given above is a FlawKind


def _end(content: mmap | bytes, entry: DirectoryEntry, start: int) -> int:
    """Find where a member ends, its descriptor included: a descriptor has the size after which some header follows."""
    end = start + entry.packed_bytes
    if not entry.has_descriptor:
        return end
    sizes = [size for size in sorted(_DESCRIPTORS) if content[end + size : end + size + 2] == b"PK"]
    return end + (sizes[0] if sizes else 0)


def _headers(content: mmap | bytes, entry: DirectoryEntry) -> Iterator[Flaw]:
    start = content_start(content, entry)
    if start is None:
        yield _flaw("mismatch", entry.name, "has no local header where the directory says, or ends past the file")
        return
    _, _, flags, method, _, _, crc, packed, size, name_bytes, _ = _LOCAL.unpack_from(content, entry.header)
    raw = bytes(content[entry.header + _LOCAL.size : entry.header + _LOCAL.size + name_bytes])
    if raw != entry.raw_name:
        shown = cut(raw.decode(errors="backslashreplace"), _SHOWN)
        yield _flaw("mismatch", entry.name, f"is called {shown} in its local header")
    elif entry.unicode_name not in (b"", entry.name.encode(errors="replace")):
        shown = cut(entry.unicode_name.decode(errors="backslashreplace"), _SHOWN)
        yield _flaw("mismatch", entry.name, f"is called {shown} in its field for a Unicode path")
    elif (method, flags & _SAME_FLAGS) != (entry.method, entry.flags & _SAME_FLAGS):
        yield _flaw("mismatch", entry.name, "has another method or other flags in its local header")
    elif not entry.has_descriptor and not _same_sizes((crc, packed, size), entry):
        yield _flaw("mismatch", entry.name, "has another checksum or size in its local header")


def _same_sizes(local: tuple[int, int, int], entry: DirectoryEntry) -> bool:
    """Compare them; all ones refer to a zip64 field, which must then say the same as the directory's."""
    crc, packed, size = local
    return crc == entry.crc and packed in (entry.packed_bytes, _ALL_32) and size in (entry.size_bytes, _ALL_32)
