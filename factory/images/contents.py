"""The files of a Debian suite's packages: which package holds a path, and which packages there are."""

import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from factory.diagnoses.owners import Holder
from factory.digest import Artifact, Digest
from factory.errors import SourceError
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.assembly import DEBIAN_ARCHITECTURES
from factory.images.mirror import apt_mirror
from factory.images.spec import declared_specs
from factory.memory import NEVER, Memory, Stage
from factory.redaction import bare
from factory.web.bodies import body
from factory.web.session import attempt, open_session

_RELEASE_BYTES = 16 << 20
_CONTENTS_BYTES = 256 << 20
_UNPACKED_BYTES = 4 << 30
_PIECE_BYTES = 1 << 20
_LINE_BYTES = 64 << 10
_SHA256 = re.compile(r"(?ms)^SHA256:\n(?P<files>(?: [^\n]*\n)+)")
_SOUGHT_IN = (b"usr/include/", b"usr/bin/")
_SOUGHT_ENDINGS = (b".so", b".pc", b"onfig.cmake", b".pm", b"/copyright")
"""The last is there so that every package has a line (Debian Policy, 12.5)."""
_DOCUMENTATION = b"usr/share/doc/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtFiles(Stage[Artifact]):
    """The lines of a suite's indices that builds may ask for: one in ten, and every package has one."""

    NAME, VERSION, REDONE_BY = "sought-files", 1, NEVER

    indices: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The files of one suite's packages, as the mirror of the images has its indices; `memory` keeps what is sought.

    `held` are packages that the image has already: those that its data file names. What they depend on is not known.
    """

    suite: str
    held: frozenset[str]
    arch: str
    host: Host
    memory: Memory

    def find(self, paths: Collection[str], names: Collection[str]) -> Mapping[str, tuple[Holder, ...]]:
        """Return what packages hold of each path (`usr/include/ffi.h`), and each name that is a package's by itself.

        `usr/include/*/mysql.h` is the header in any folder below.

        Raises:
            SourceError: the mirror has no such indices, or they are broken.
        """
        sought = self._sought()
        with self.memory.store.open_blob(sought.digest) as stream:
            return _found(stream, frozenset(paths), frozenset(names), f"the files of {self.suite}")

    @property
    def _base(self) -> str:
        mirror = apt_mirror(self.host)
        if mirror is None:
            raise SourceError("this machine names no mirror of Debian", hint="name one in FACTORY_APT_MIRROR")
        return f"{bare(mirror).rstrip('/')}/dists/{self.suite}"

    def _sought(self) -> Artifact:
        indices = self._indices()

        def read() -> Artifact:
            pieces = (piece for name, digest in indices.items() for piece in self._sought_in(name, digest))
            return self.memory.store.put_stream(pieces, f"{self.suite}.gz")

        return self.memory.surely(SoughtFiles(indices=tuple(indices.values())), read)

    def _indices(self) -> Mapping[str, Digest]:
        """Read the digests of the indices out of the suite's release file, so that each index is fetched once.

        Packages for all architectures have an index of their own (DebianRepository/Format, "Contents indices").
        """
        what = f"the index of {self.suite}"

        def release() -> bytes:
            return b"".join(body(session, f"{self._base}/InRelease", what, most_bytes=_RELEASE_BYTES))

        with open_session(self.host) as session:
            text = attempt(what, release).decode(errors="replace")
        own = f"main/Contents-{DEBIAN_ARCHITECTURES.get(self.arch, self.arch)}.gz"
        listed = _listed(text, (own, "main/Contents-all.gz"))
        if own not in listed:
            raise SourceError(f"the mirror of {self.suite} lists no {own}", hint="name another in FACTORY_APT_MIRROR")
        return listed

    def _sought_in(self, name: str, digest: Digest) -> Iterator[bytes]:
        """Fetch an index, and yield the lines that may be asked for, packed; the index itself is not kept."""
        what = f"the files of {self.suite}"

        def index() -> Digest:
            pieces = body(session, f"{self._base}/{name}", what, most_bytes=_CONTENTS_BYTES)
            return self.memory.store.put_stream(pieces, "Contents.gz").digest

        with open_session(self.host) as session:
            arrived = attempt(what, index)
        try:
            if arrived != digest:
                raise SourceError(
                    f"{what} are not those that its release file lists", hint="the mirror may be changing"
                )
            with self.memory.store.open_blob(arrived) as stream:
                for lines in _lines(stream, what):
                    yield gzip.compress(b"".join(line + b"\n" for line in lines if _is_sought(line)), compresslevel=3)
        finally:
            self.memory.store.discard(arrived)


def _is_sought(line: bytes) -> bool:
    path = (line.split(None, 1) or [b""])[0]
    if path.startswith(_SOUGHT_IN) or path.endswith(_SOUGHT_ENDINGS):
        return True
    # A folder of documentation may be a link to another package's.
    return path.startswith(_DOCUMENTATION) and path.count(b"/") == _DOCUMENTATION.count(b"/")


def _listed(release: str, names: Collection[str]) -> Mapping[str, Digest]:
    files = match["files"] if (match := _SHA256.search(release)) else ""
    rows = (line.split() for line in files.splitlines())
    return {
        row[2]: Digest(row[0])
        for row in rows
        if len(row) == 3 and row[2] in names and re.fullmatch("[0-9a-f]{64}", row[0])  # noqa: PLR2004 -- digest, size, name
    }


def contents_of(image: ImageFacts, host: Host, memory: Memory) -> Contents | None:
    """Return the files of the suite that an image is made from; None where it is made from none."""
    spec = next((spec for spec in declared_specs() if spec.facts.name == image.name), None)
    if spec is None:
        return None
    held = frozenset(spec.packages)
    return Contents(suite=spec.suite, held=held, arch=spec.facts.platform.arch, host=host, memory=memory)


def _found(
    stream: BinaryIO, paths: frozenset[str], names: frozenset[str], what: str
) -> Mapping[str, tuple[Holder, ...]]:
    anywhere = _Anywhere(paths)
    wanted = {path.encode(): path for path in paths}
    holders: dict[str, tuple[Holder, ...]] = {}
    for lines in _lines(stream, what):
        for path, held_by in _chosen(lines, wanted.keys(), anywhere.bases):
            keys = [*((wanted[path],) if path in wanted else ()), *anywhere.keys_of(path)]
            holders |= {key: (*holders.get(key, ()), *_holders(path, held_by)) for key in keys}
        for name in names - holders.keys():
            if any(name in _names(line.rsplit(maxsplit=1)[-1]) for line in lines if name.encode() in line):
                holders[name] = (Holder(name),)
    return holders


def _chosen(
    lines: Iterable[bytes], wanted: Container[bytes], bases: tuple[bytes, ...]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the path and the packages of each line that could answer; an index has a million others."""
    for line in lines:
        fields = line.split()
        if len(fields) == 2 and (fields[0] in wanted or fields[0].endswith(bases)):  # noqa: PLR2004 -- a path, which has no spaces here, and packages
            yield fields[0], fields[1]


class _Anywhere:
    """The asked paths that hold a `*`, which are in whichever folder."""

    def __init__(self, paths: Collection[str]) -> None:
        """Group them by their last part, which a line's path is compared with first."""
        self._by_base: dict[bytes, list[tuple[bytes, bytes, str]]] = defaultdict(list)
        for path in paths:
            above, star, below = path.partition("*")
            if star:
                self._by_base[path.rpartition("/")[2].encode()].append((above.encode(), below.encode(), path))

    @property
    def bases(self) -> tuple[bytes, ...]:
        """Their last parts, with the slash before them."""
        return tuple(b"/" + base for base in self._by_base)

    def keys_of(self, path: bytes) -> Iterator[str]:
        """Yield those that a path is."""
        for above, below, key in self._by_base.get(path.rpartition(b"/")[2], ()):
            # In the folder above itself, too: `usr/include/*/x.h` is also `usr/include/x.h`.
            if path.startswith(above) and path.endswith(below):
                yield key


def _holders(path: bytes, held_by: bytes) -> Iterator[Holder]:
    return (Holder(name, path.decode(errors="replace")) for name in _names(held_by))


def _names(held_by: bytes) -> tuple[str, ...]:
    """Return the packages of a line, without their sections: `libdevel/libffi-dev,libdevel/other`."""
    return tuple(name.rpartition("/")[2] for name in held_by.decode("ascii", errors="replace").split(","))


def _lines(stream: BinaryIO, what: str) -> Iterator[list[bytes]]:
    """Yield paths with the packages that hold them, some thousand lines at a time (DebianRepository/Format)."""
    read_bytes, rest = 0, b""
    try:
        with gzip.GzipFile(fileobj=stream) as unpacked:
            while piece := unpacked.read(_PIECE_BYTES):
                read_bytes += len(piece)
                if read_bytes > _UNPACKED_BYTES:
                    raise SourceError(f"{what} have more than {_UNPACKED_BYTES} bytes")
                *lines, rest = (rest[-_LINE_BYTES:] + piece).split(b"\n")
                yield lines
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{what} are not valid gzip: {error}") from error
    yield [rest]
