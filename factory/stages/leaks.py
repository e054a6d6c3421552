"""Find values of `build.pass-env` in a finished wheel, where everyone who gets the wheel could read them."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from factory.archive import UNREAD, Archive, mapped_archive
from factory.redaction import Search

_PIECE_BYTES = 1 << 20
_OUTSIDE = "its file name, a member's name, a comment, or between its members"


def leak_in(stream: BinaryIO, filename: str, values: Mapping[str, str]) -> str:
    """Say which variable's value a wheel holds, and where; empty where it holds none.

    Members are searched as they unpack, then the file as it is, with its names and comments. A member that cannot be
    unpacked, and so not searched, is named as well. The answer never holds a value itself.
    """
    search = Search.of(values)
    if not search.needles:
        return ""
    with mapped_archive(stream) as archive:
        inside = _inside(archive, search)
    if inside:
        return inside
    name = search.first_in([filename.encode(errors="surrogateescape"), *_pieces(stream)])
    return f"holds the value of {name} in {_OUTSIDE}" if name else ""


def _inside(archive: Archive, search: Search) -> str:
    found: list[str] = []

    def look(member: str, pieces: Iterator[bytes]) -> None:
        if not found and (name := search.first_in(pieces)):
            found.append(f"holds the value of {name} in {member}")

    archive.stream(look)
    unread = (flaw for flaw in archive.flaws if flaw.kind in UNREAD)
    return next(iter(found), "") or next((f"cannot be searched: {flaw.member} {flaw.message}" for flaw in unread), "")


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while piece := stream.read(_PIECE_BYTES):
        yield piece
