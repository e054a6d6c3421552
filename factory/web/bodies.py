"""Bodies of HTTP answers, unpacked and read within limits."""

import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Final

import requests
from urllib3.exceptions import HTTPError, ProtocolError

from factory.errors import SourceError
from factory.web.session import TIMEOUT_S

OnBytes = Callable[[int, int | None], None]
"""Called with the number of bytes so far, and with the total where it is known."""

_CHUNK_BYTES: Final = 1 << 18
_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's manual, inflateInit2


def body(
    session: requests.Session,
    url: str,
    what: str,
    *,
    most_bytes: int,
    size_bytes: int | None = None,
    progress: OnBytes = lambda _done, _total: None,
) -> Generator[bytes]:
    """Ask for a file and yield its bytes, unpacked; `size_bytes` is what is known of it beforehand.

    Raises:
        SourceError: it is larger than `most_bytes`, or compressed by something other than gzip; `what` is named.
        RequestException: the server or the network fails, or the body is shorter than announced.
    """
    # Without compression the announced length is that of the file, so that a connection that ends early is noticed.
    with session.get(url, stream=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as response:
        response.raise_for_status()
        total = _length(response) or size_bytes
        done = 0
        for piece in pieces(response, what, most_bytes=most_bytes):
            yield piece
            done += len(piece)
            progress(done, total)
        if total is not None and done < total:
            raise requests.ConnectionError(f"the connection ended after {done} of {total} bytes")


def pieces(response: requests.Response, what: str, *, most_bytes: int) -> Iterator[bytes]:
    """Yield an answer's body, unpacked: the libraries would unpack a whole bomb before its size could be checked.

    Raises:
        SourceError: it is larger than `most_bytes`, or compressed by something other than gzip.
        RequestException: the connection fails.
    """
    announced = _length(response)
    if announced is not None and announced > most_bytes:
        raise _too_large(what, most_bytes)
    done = 0
    for piece in _unpacked(_raw(response), response.headers.get("Content-Encoding", "").strip().lower(), what):
        done += len(piece)
        if done > most_bytes:
            raise _too_large(what, most_bytes)
        yield piece


def _too_large(what: str, most_bytes: int) -> SourceError:
    return SourceError(f"{what} is larger than {most_bytes} bytes", hint="is the address right?")


def _raw(response: requests.Response) -> Iterator[bytes]:
    """Yield the body as it comes; errors are those of requests, as from `iter_content`."""
    try:
        with closing(response.raw.stream(_CHUNK_BYTES, decode_content=False)) as stream:
            yield from stream
    except ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
    except HTTPError as error:
        raise requests.ConnectionError(error) from error


def _unpacked(packed: Iterator[bytes], encoding: str, what: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        yield from packed
        return
    if encoding not in ("gzip", "x-gzip"):
        raise SourceError(f"{what} is compressed as {encoding[:20]!a}; only gzip is accepted")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for piece in packed:
            rest = piece
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, _CHUNK_BYTES)
                rest = unpacker.unconsumed_tail or unpacker.unused_data
            if rest and unpacker.eof:
                raise SourceError(f"{what} has data after the end of its gzip stream")
        while chunk := unpacker.decompress(unpacker.unconsumed_tail, _CHUNK_BYTES):
            yield chunk
    except zlib.error as error:
        raise SourceError(f"{what} is declared as gzip but is not valid gzip") from error
    if not unpacker.eof:
        raise requests.ConnectionError("the connection ended in the middle of a gzip stream")


def _length(response: requests.Response) -> int | None:
    """Return the announced size, unless the body is compressed on its way."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and len(length) < 20 and "Content-Encoding" not in response.headers else None  # noqa: PLR2004 -- digits of 2**64
