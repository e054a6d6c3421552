"""A member's bytes, as they come out of the archive."""

import mmap
import zlib
from collections.abc import Iterator

from factory.archive.directory import DirectoryEntry
from factory.archive.flaws import BrokenArchiveError
from factory.archive.placing import content_start

STORED, DEFLATED = 0, 8
_CHUNK_BYTES = 1 << 20


def read_content(archive: mmap.mmap | bytes, entry: DirectoryEntry) -> Iterator[bytes]:
    """Yield a member's bytes in pieces of about a mebibyte, whatever it is packed by.

    Raises:
        BrokenArchiveError: they lie past the end of the file, or end before or after the packed ones do.
        zlib.error: they cannot be inflated.
    """
    start = content_start(archive, entry)
    if start is None:
        raise BrokenArchiveError("its content lies past the end of the file")
    pieces = _pieces(archive, start, start + entry.packed_bytes)
    return pieces if entry.method == STORED else _inflated(pieces)


def read_declared(archive: mmap.mmap | bytes, entry: DirectoryEntry) -> Iterator[bytes]:
    """Yield a member's bytes in pieces, no more of them than the directory declares.

    Raises:
        BrokenArchiveError: there are more, or as for `read_content`.
        zlib.error: they are not deflated.
    """
    size = 0
    for chunk in read_content(archive, entry):
        size += len(chunk)
        if size > entry.size_bytes:
            raise BrokenArchiveError(f"it holds more than the {entry.size_bytes} bytes that are declared")
        yield chunk


def read_checked(archive: mmap.mmap | bytes, entry: DirectoryEntry) -> Iterator[bytes]:
    """Yield a member's bytes in pieces, and compare their size and checksum with those of the directory.

    Raises:
        BrokenArchiveError: they differ, or as for `read_declared`.
        zlib.error: they are not deflated.
    """
    size, crc = 0, 0
    for chunk in read_declared(archive, entry):
        size += len(chunk)
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if size != entry.size_bytes:
        raise BrokenArchiveError(f"it holds {size} bytes; {entry.size_bytes} are declared")
    if crc != entry.crc:
        raise BrokenArchiveError(f"its checksum is {crc:08x}; {entry.crc:08x} is declared")


def _pieces(archive: mmap.mmap | bytes, start: int, end: int) -> Iterator[bytes]:
    """Yield a part of the file; its pages do not stay in this process's memory."""
    for at in range(start, end, _CHUNK_BYTES):
        yield archive[at : min(at + _CHUNK_BYTES, end)]
        if isinstance(archive, mmap.mmap):
            page = at - at % mmap.PAGESIZE
            archive.madvise(mmap.MADV_DONTNEED, page, min(_CHUNK_BYTES, end - page))


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what deflated pieces hold, about a mebibyte at a time.

    Raises:
        BrokenArchiveError: the stream ends before or after its bytes do.
        zlib.error: it cannot be inflated.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in pieces:
        rest = piece
        while rest and not inflater.eof:
            if chunk := inflater.decompress(rest, _CHUNK_BYTES):
                yield chunk
            rest = inflater.unconsumed_tail
        if inflater.unused_data:
            raise BrokenArchiveError("its content ends before its packed bytes do")
    while not inflater.eof:
        chunk = inflater.decompress(b"", _CHUNK_BYTES)
        if not chunk:
            raise BrokenArchiveError("its content is cut short")
        yield chunk
