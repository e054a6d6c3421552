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
