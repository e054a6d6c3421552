"""The index of a Debian suite's files: which packages hold a path, and which packages there are."""

import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from factory.digest import Digest
from factory.errors import SourceError
from factory.host import Host
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

    def find(self, paths: Collection[str], names: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the packages that hold each path (`usr/include/ffi.h`), and each name that is a package's by itself.

        `*/mysql.h` is the header in any folder of headers. The index is read through once.

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


def contents_of(families: Sequence[str], host: Host, store: Store) -> Contents | None:
    """Return the index of the suite from which the oldest build image of the first family is made; None without one."""
    made = [spec for spec in declared_specs() if spec.facts.role == "build" and spec.facts.family in families[:1]]
    if not made:
        return None
    spec = min(made, key=lambda spec: spec.facts.platform.version)
    held = frozenset(spec.packages)
    return Contents(suite=spec.suite, held=held, arch=spec.facts.platform.arch, host=host, store=store)


def _found(stream: BinaryIO, paths: frozenset[str], names: frozenset[str], what: str) -> Mapping[str, tuple[str, ...]]:
    anywhere = _Anywhere(paths)
    wanted = {path.encode(): path for path in paths}
    holders: dict[str, tuple[str, ...]] = {}
    for path, held_by in _lines(stream, what):
        if path in wanted:
            holders[wanted[path]] = _names(held_by)
        for key in anywhere.keys_of(path):
            holders[key] = (*holders.get(key, ()), *_names(held_by))
        for name in names.intersection(_names(held_by)) if names else ():
            holders[name] = (name,)
    return holders


class _Anywhere:
    """The asked paths that begin with `*/`: headers in whichever folder."""

    def __init__(self, paths: Collection[str]) -> None:
        """Group them by their last part, which a line's path is compared with first."""
        self._by_base: dict[bytes, list[tuple[bytes, str]]] = defaultdict(list)
        for path in paths:
            if path.startswith("*/"):
                self._by_base[path.rpartition("/")[2].encode()].append((path[1:].encode(), path))

    def keys_of(self, path: bytes) -> Iterator[str]:
        """Yield those that a path is."""
        if path.startswith(b"usr/include/"):
            for ending, key in self._by_base.get(path.rpartition(b"/")[2], ()):
                if path.endswith(ending):
                    yield key


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
