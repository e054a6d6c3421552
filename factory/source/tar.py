"""The members of a tar archive, as POSIX and GNU write them, read in time and memory that the archive's size bounds.

The standard library's reader keeps every header, copies global ones into every member, and follows chains of extension
headers by recursion; what else it costs depends on Python's patch level.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from factory.source.tree import Spool

Kind = Literal["file", "folder", "symlink", "hardlink", "special"]

_BLOCK_BYTES: Final = 512
_EXTENSION_BYTES: Final = 1 << 20  # more than any genuine pax header or long name has
_EXTENSIONS_BYTES: Final = 64 << 20  # of all members together
_NUMBER_DIGITS: Final = 40
_HEADER: Final = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12x")  # pax(1), ustar Interchange Format
_KINDS: Final[Mapping[bytes, Kind]] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"5": "folder",
}
_WANTED: Final = (b"path", b"linkpath", b"size", b"mtime")
_SPARSE: Final = b"GNU.sparse."
_LONG: Final[Mapping[bytes, bytes]] = {b"L": b"path", b"K": b"linkpath"}


class BrokenTarError(ValueError):
    """Bytes that are not a tar archive, or that end in the middle of one; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TarMember:
    """One member: its content lies at `offset` of the spool; names are decoded as they are, and not checked."""

    name: str
    kind: Kind
    target: str
    mode: int
    mtime_s: float
    offset: int
    size_bytes: int


def read_tar(spool: Spool) -> Iterator[TarMember]:
    """Yield the members of the archive that a spool holds, up to its end or the first block of zeros.

    Raises:
        BrokenTarError: it is not such an archive, or its extension headers are larger than any genuine one's.
    """
    at, left_bytes = 0, _EXTENSIONS_BYTES
    shared: dict[bytes, bytes] = {}
    own: dict[bytes, bytes] = {}
    while block := spool.read(at, _BLOCK_BYTES):
        if len(block) < _BLOCK_BYTES:
            raise BrokenTarError("it ends in the middle of a header")
        if not any(block):
            return
        fields = _fields(block)
        kind, size_bytes = fields[7], _number(fields[4])
        at += _BLOCK_BYTES
        if kind in b"xXgLK":
            left_bytes -= size_bytes
            own |= _extension(spool, at, size_bytes, kind, shared, left_bytes)
        else:
            member = _member(fields, at, {**shared, **own})
            size_bytes, own = member.size_bytes, {}
            yield member
        at += -(-size_bytes // _BLOCK_BYTES) * _BLOCK_BYTES
        if at - _BLOCK_BYTES >= spool.size_bytes:
            raise BrokenTarError("it ends in the middle of a member")
    if not at:
        raise BrokenTarError("it is empty")


def _fields(block: bytes) -> tuple[bytes, ...]:
    """Split a header into its fields, once its checksum is verified."""
    blank = block[:148] + b" " * 8 + block[156:]
    fields: tuple[bytes, ...] = _HEADER.unpack(block)
    if (expected := _number(fields[6])) != sum(blank):
        signed = sum(struct.unpack("512b", blank))  # as some old programs computed it
        if expected != signed:
            raise BrokenTarError("the checksum of a header is wrong")
    return fields


def _number(field: bytes) -> int:
    """Read a number: octal digits, or GNU's base 256 where the first bit is set."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") - (0x80 << 8 * (len(field) - 1))
        return value if field[0] != 0xFF else value - (0x80 << 8 * (len(field) - 1))  # noqa: PLR2004 -- below zero
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError as error:
        raise BrokenTarError(f"a header holds {digits!a} where a number belongs") from error


def _extension(
    spool: Spool, at: int, size_bytes: int, kind: bytes, shared: dict[bytes, bytes], left_bytes: int
) -> Mapping[bytes, bytes]:
    """Return what a header says about the next member; what it says about all later ones goes into `shared`."""
    if not 0 <= size_bytes <= _EXTENSION_BYTES:
        raise BrokenTarError(f"it holds a header of {size_bytes} bytes; at most {_EXTENSION_BYTES} are read")
    if left_bytes < 0:
        raise BrokenTarError(f"its headers hold more than {_EXTENSIONS_BYTES} bytes in all")
    content = spool.read(at, size_bytes)
    if len(content) < size_bytes:
        raise BrokenTarError("it ends in the middle of a header")
    if kind in _LONG:
        return {_LONG[kind]: content.partition(b"\0")[0]}
    records = _records(content)
    if kind == b"g":
        shared |= records
        return {}
    return records


def _records(content: bytes) -> dict[bytes, bytes]:
    """Return the pax records that are used here; each is `length key=value` and a line feed."""
    records = {}
    at = 0
    while at < len(content):
        blank = content.find(b" ", at, at + 8)
        digits = content[at:blank]
        end = at + (int(digits) if blank > 0 and digits.isdigit() else 0)
        key, separator, value = content[blank + 1 : end - 1].partition(b"=")
        if end <= blank or not separator or content[end - 1 : end] != b"\n":
            raise BrokenTarError("a record of a pax header is damaged")
        if key in _WANTED:
            records[key] = value
        elif key.startswith(_SPARSE):
            records[_SPARSE] = b""  # Its content is not what lies in the archive, so the member counts as special.
        at = end
    return records


def _member(fields: tuple[bytes, ...], at: int, records: Mapping[bytes, bytes]) -> TarMember:
    name, mode, _, _, size, mtime, _, flag, linkname, magic, _, _, _, _, prefix = fields
    raw = records.get(b"path") or _text(name)
    if b"path" not in records and magic.startswith(b"ustar\0") and _text(prefix):
        raw = _text(prefix) + b"/" + raw
    kind = _KINDS.get(flag, "special") if _SPARSE not in records else "special"
    if flag == b"\0" and raw.endswith(b"/"):
        kind = "folder"  # as in archives before POSIX
    size_bytes = _decimal(records[b"size"]) if b"size" in records else _number(size)
    if size_bytes < 0:
        raise BrokenTarError(f"a member has {size_bytes} bytes")
    return TarMember(
        name=raw.decode(errors="surrogateescape"),
        kind=kind,
        target=(records.get(b"linkpath") or _text(linkname)).decode(errors="surrogateescape"),
        mode=_number(mode),
        mtime_s=_seconds(records[b"mtime"]) if b"mtime" in records else _number(mtime),
        offset=at,
        size_bytes=size_bytes if kind in ("file", "special") else 0,
    )


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > _NUMBER_DIGITS:
        raise BrokenTarError(f"a pax header gives {value[:_NUMBER_DIGITS]!a} as a size")
    return int(value)


def _seconds(value: bytes) -> float:
    try:
        return float(value[:_NUMBER_DIGITS])
    except ValueError as error:
        raise BrokenTarError(f"a pax header gives {value[:_NUMBER_DIGITS]!a} as a time") from error
