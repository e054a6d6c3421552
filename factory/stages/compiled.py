"""What of cargo's target folder may serve another build: what was compiled of some crates, and nothing else."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from factory.engine.api import LinkEntry, TreeEntry

_UNIT = re.compile(r"(?P<crate>.+)-[0-9a-f]{16}")
_HASH = re.compile(r"[0-9a-f]{16}")
_OBJECT = re.compile(r"(?P<library>.+)-[0-9a-f]{16}\.[a-z.]+")
_PROFILES = (1, 2)  # how many folders lead to a profile's: its own, and before it that of a target
_RUSTC = PurePosixPath(".rustc_info.json")
_COMPILING = re.compile(r"^ *Compiling (\S+) v", re.MULTILINE)
_GAP = " bytes left out ..."


@dataclass(slots=True, kw_only=True)
class Compiled:
    """Chooses the files of a target folder that belong to some crates, by name, in the order of an engine's archive.

    cargo compiles again whatever has no fingerprint, so leaving files out is always sound. What the source's own crates
    were compiled to must be left out: their files have fixed times in a container, and cargo, which compares times,
    would take an edited crate for an unchanged one.
    """

    crates: frozenset[str]
    _libraries: set[str] = field(default_factory=set)

    def of(self, entries: Iterable[TreeEntry]) -> Iterator[TreeEntry]:
        """Yield the entries that are to be kept."""
        for entry in entries:
            is_linked = not (isinstance(entry, LinkEntry) and entry.hard) or self._has(PurePosixPath(entry.target))
            if self._has(entry.path) and is_linked:
                yield entry

    def _has(self, path: PurePosixPath) -> bool:
        parts = path.parts
        return path == _RUSTC or any(self._is_of(parts[depth:]) for depth in _PROFILES)

    def _is_of(self, parts: tuple[str, ...]) -> bool:
        """Whether a path in the folder of a profile belongs to the crates."""
        match parts:
            case (".fingerprint", unit, *rest):
                is_kept = self._crate(unit) in self.crates
                self._libraries |= {_library(name) for name in rest if is_kept and name.startswith("lib-")}
                return is_kept
            case ("build", crate, unit, *_) if _HASH.fullmatch(unit):  # cargo's newer layout: all of a unit lies there
                return crate in self.crates
            case ("build", unit, _, *_):
                return self._crate(unit) in self.crates
            case ("deps", name) if found := _OBJECT.fullmatch(name):
                # Folders come in the order of their names, so that the fingerprints of these objects are known.
                return not self._libraries.isdisjoint((found["library"], found["library"].removeprefix("lib")))
        return False

    @staticmethod
    def _crate(unit: str) -> str | None:
        found = _UNIT.fullmatch(unit)
        return None if found is None else found["crate"]


def _library(fingerprint: str) -> str:
    """Return the library that a fingerprint named `lib-NAME` is of, as its object's file spells it."""
    return fingerprint.removeprefix("lib-").replace("-", "_")


def compiled_in(printed: str) -> frozenset[str] | None:
    """Return the crates that cargo says it compiled; None where it says nothing, or not all of it is known."""
    names = frozenset(_COMPILING.findall(printed))
    return None if _GAP in printed else names or None
