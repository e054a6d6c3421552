"""The central directory (APPNOTE 4.3.12 to 4.3.16), every field checked against the file."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from factory.archive.flaws import BrokenArchiveError

_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_COMMENT_BYTES = 1 << 16
_ENCRYPTED = 0x1 | 0x40  # APPNOTE 4.4.4: bit 0, and bit 6 for strong encryption
_UTF8 = 0x800
_UNIX = 3
_ALL_16, _ALL_32 = 0xFFFF, 0xFFFFFFFF
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_PATH_HEAD = struct.Struct("<BI")  # of the latter: its version, and the checksum of the name it replaces


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """One entry of the central directory (APPNOTE 4.3.12); `header` is where its local header begins in the file.

    `needs` is the version of the format that unpackers must know, and `unicode_name` the name for those that read the
    field for it (APPNOTE 4.6.9), empty where there is none.
    """

    name: str
    raw_name: bytes
    unicode_name: bytes
    needs: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed_bytes: int
    size_bytes: int
    header: int
    mode: int

    @property
    def has_descriptor(self) -> bool:
        """Whether checksum and sizes follow the content instead of preceding it."""
        return bool(self.flags & 0x8)

    @property
    def is_encrypted(self) -> bool:
        """Whether its content is encrypted, by whatever method."""
        return bool(self.flags & _ENCRYPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Where the central directory lies; `prepended` bytes precede the archive, `appended` follow it."""

    start: int
    size: int
    count: int
    end: int
    prepended: int
    appended: int


def find_directory(content: mmap | bytes) -> Directory:
    """Find the end record nearest to the end of the file, as every unpacker does.

    Raises:
        BrokenArchiveError: there is no end record, or it points out of the file.
    """
    at = content.rfind(b"PK\5\6", max(0, len(content) - _COMMENT_BYTES - _END.size))
    if at < 0 or at + _END.size > len(content):
        raise BrokenArchiveError("it has no end record")
    _, disk, first_disk, _, count, size, start, comment = _END.unpack_from(content, at)
    if disk != first_disk or disk not in (0, _ALL_16):
        raise BrokenArchiveError("it is one of several volumes")
    end = at
    if _ALL_16 in (disk, count) or _ALL_32 in (size, start):
        end, count, size, start = _zip64(content, at, (count, size, start))
    prepended = end - size - start
    if prepended < 0:
        raise BrokenArchiveError("its central directory lies past its end")
    appended = max(0, len(content) - at - _END.size - comment)
    return Directory(start=start + prepended, size=size, count=count, end=end, prepended=prepended, appended=appended)


def _zip64(content: mmap | bytes, at: int, plain: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Read the larger end record if a locator precedes the plain one; without it the plain fields count."""
    locator = at - _LOCATOR.size
    if locator < 0 or content[locator : locator + 4] != b"PK\6\7":
        return at, *plain
    record = locator - _END64.size
    if record < 0 or content[record : record + 4] != b"PK\6\6":
        raise BrokenArchiveError("its zip64 end record is not before its locator")
    *_, count, size, start = _END64.unpack_from(content, record)
    return record, count, size, start


def read_entries(content: mmap | bytes, directory: Directory) -> Iterator[DirectoryEntry]:
    """Walk the central directory to its end.

    Raises:
        BrokenArchiveError: an entry is damaged or cut short.
    """
    at, end = directory.start, directory.start + directory.size
    while at < end:
        if at + _CENTRAL.size > end or content[at : at + 4] != b"PK\1\2":
            raise BrokenArchiveError("its central directory is damaged")
        fields = _CENTRAL.unpack_from(content, at)
        name_bytes, extra_bytes, comment_bytes = fields[10:13]
        names = at + _CENTRAL.size
        at = names + name_bytes + extra_bytes + comment_bytes
        if at > end:
            raise BrokenArchiveError("an entry of its central directory is cut short")
        raw = bytes(content[names : names + name_bytes])
        extra = bytes(content[names + name_bytes : names + name_bytes + extra_bytes])
        yield _entry(fields, raw, extra, directory.prepended)


def _entry(fields: tuple[int, ...], raw: bytes, extra: bytes, prepended: int) -> DirectoryEntry:
    _, made_by, needs, flags, method, time, date, crc, packed, size, _, _, _, _, _, attributes, header = fields
    size, packed, header = _wide((size, packed, header), extra)
    return DirectoryEntry(
        name=raw.decode("utf-8" if flags & _UTF8 else "cp437", errors="backslashreplace"),
        raw_name=raw,
        unicode_name=_unicode_name(raw, extra),
        needs=needs & 0xFF,
        flags=flags,
        method=method,
        time=time,
        date=date,
        crc=crc,
        packed_bytes=packed,
        size_bytes=size,
        header=header + prepended,
        mode=attributes >> 16 if made_by >> 8 == _UNIX else 0,
    )


def _unicode_name(raw: bytes, extra: bytes) -> bytes:
    """Read the field for another name; one of another version or for another name is none."""
    field = extra_field(extra, _UNICODE_PATH)
    holds = len(field) >= _PATH_HEAD.size and _PATH_HEAD.unpack_from(field) == (1, zlib.crc32(raw))
    return field[_PATH_HEAD.size :] if holds else b""


def _wide(values: tuple[int, int, int], extra: bytes) -> tuple[int, int, int]:
    """Replace those fields that are all ones by the zip64 extra field's, in its order (APPNOTE 4.5.3)."""
    field = extra_field(extra, _ZIP64)
    wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
    size, packed, header = (next(wide, value) if value == _ALL_32 else value for value in values)
    return size, packed, header


def extra_field(extra: bytes, wanted: int) -> bytes:
    """Find one field of an extra area, empty where there is none; a broken area ends the search."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return b""
