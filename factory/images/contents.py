"""The index of a Debian suite's files: which packages hold a path, and which packages there are."""

import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from factory.diagnoses.owners import Holder
from factory.digest import Digest
from factory.errors import SourceError
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.mirror import apt_mirror
from factory.images.spec import declared_specs
from factory.store import Store
from factory.web.bodies import body
from factory.web.session import attempt, bare, open_session

_RELEASE_BYTES = 16 << 20
_CONTENTS_BYTES = 256 << 20
_UNPACKED_BYTES = 4 << 30
_LINE_BYTES = 64 << 10
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_SHA256 = re.compile(r"(?ms)^SHA256:\n(?P<files>(?: [^\n]*\n)+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The index of one suite, as the mirror of the images has it. It is kept in the store by its digest.

    `held` are packages that the image has already: those that its data file names. What they depend on is not known.
    """

    suite: str
    held: frozenset[str]
    arch: str
    host: Host
    store: Store

    def find(self, paths: Collection[str], names: Collection[str]) -> Mapping[str, tuple[Holder, ...]]:
        """Return what packages hold of each path (`usr/include/ffi.h`), and each name that is a package's by itself.

        `usr/include/*/mysql.h` is the header in any folder below. The index is read through once.

        Raises:
            SourceError: the mirror has no such index, or it is broken.
        """
        digest = self._digest()
        if not self.store.has(digest):
            self._fetch(digest)
        with self.store.open_blob(digest) as stream:
            return _found(stream, frozenset(paths), frozenset(names), f"the files of {self.suite}")

    @property
    def _file(self) -> str:
        return f"main/Contents-{_ARCHITECTURES.get(self.arch, self.arch)}.gz"

    @property
    def _base(self) -> str:
        mirror = apt_mirror(self.host)
        if mirror is None:
            raise SourceError("this machine names no mirror of Debian", hint="name one in FACTORY_APT_MIRROR")
        return f"{bare(mirror).rstrip('/')}/dists/{self.suite}"

    def _digest(self) -> Digest:
        """Read the index's digest out of the suite's release file, so that the index is fetched once."""
        what = f"the index of {self.suite}"

        def release() -> bytes:
            return b"".join(body(session, f"{self._base}/InRelease", what, most_bytes=_RELEASE_BYTES))

        with open_session(self.host) as session:
            text = attempt(what, release).decode(errors="replace")
        files = match["files"] if (match := _SHA256.search(text)) else ""
        for line in files.splitlines():
            if (words := line.split()) and words[2:] == [self._file] and re.fullmatch("[0-9a-f]{64}", words[0]):
                return Digest(words[0])
        raise SourceError(
            f"the mirror of {self.suite} lists no {self._file}", hint="name another in FACTORY_APT_MIRROR"
        )

    def _fetch(self, digest: Digest) -> None:
        what = f"the files of {self.suite}"

        def contents() -> Digest:
            pieces = body(session, f"{self._base}/{self._file}", what, most_bytes=_CONTENTS_BYTES)
            return self.store.put_stream(pieces, "Contents.gz").digest

        with open_session(self.host) as session:
            arrived = attempt(what, contents)
        if arrived != digest:
            self.store.discard(arrived)
            raise SourceError(f"{what} are not those that its release file lists", hint="the mirror may be changing")


def contents_of(image: ImageFacts, host: Host, store: Store) -> Contents | None:
    """Return the index of the suite that an image is made from; None where it is made from none."""
    spec = next((spec for spec in declared_specs() if spec.facts.name == image.name), None)
    if spec is None:
        return None
    held = frozenset(spec.packages)
    return Contents(suite=spec.suite, held=held, arch=spec.facts.platform.arch, host=host, store=store)


def _found(
    stream: BinaryIO, paths: frozenset[str], names: frozenset[str], what: str
) -> Mapping[str, tuple[Holder, ...]]:
    anywhere = _Anywhere(paths)
    wanted = {path.encode(): path for path in paths}
    holders: dict[str, tuple[Holder, ...]] = {}
    for path, held_by in _lines(stream, what):
        keys = [*((wanted[path],) if path in wanted else ()), *anywhere.keys_of(path)]
        for key in keys:
            holders[key] = (*holders.get(key, ()), *_holders(path, held_by))
        for name in names.intersection(_names(held_by)) if names else ():
            holders[name] = (Holder(name),)
    return holders


class _Anywhere:
    """The asked paths that hold a `*`, which are in whichever folder."""

    def __init__(self, paths: Collection[str]) -> None:
        """Group them by their last part, which a line's path is compared with first."""
        self._by_base: dict[bytes, list[tuple[bytes, bytes, str]]] = defaultdict(list)
        for path in paths:
            above, star, below = path.partition("*")
            if star:
                self._by_base[path.rpartition("/")[2].encode()].append((above.encode(), below.encode(), path))

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


def _lines(stream: BinaryIO, what: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield paths and the packages that hold them, as `Contents` indices write them (DebianRepository/Format)."""
    read_bytes = 0
    try:
        with gzip.GzipFile(fileobj=stream) as lines:
            while line := lines.readline(_LINE_BYTES):
                read_bytes += len(line)
                if read_bytes > _UNPACKED_BYTES:
                    raise SourceError(f"{what} have more than {_UNPACKED_BYTES} bytes")
                if len(words := line.rsplit(maxsplit=1)) == 2:  # noqa: PLR2004 -- a path, which may hold spaces, and packages
                    yield words[0], words[1]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{what} are not valid gzip: {error}") from error
