"""The platform policies (PEP 600, PEP 656), read from auditwheel's tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict

import auditwheel  # its tables are all that is taken

from factory.tags import PlatformTag

_Libc = Literal["glibc", "musl"]
_TABLES: dict[_Libc, str] = {"glibc": "manylinux-policy.json", "musl": "musllinux-policy.json"}
_DIGITS = 9
# The soname of musl's libc contains musl's own name of the architecture (PEP 656 gives none; Alpine's packages do).
_MUSL_ARCHITECTURES = {"i686": "x86", "armv7l": "armv7"}


class _Row(TypedDict):
    name: str
    symbol_versions: dict[str, dict[str, list[str]]]
    lib_whitelist: list[str]
    blacklist: dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What every system that accepts `tag` promises.

    `versions` maps a prefix (`GLIBC`) to its promised versions, `libraries` are promised sonames, `private` maps a
    library to symbols that some builds of it lack.
    """

    tag: PlatformTag
    versions: Mapping[str, frozenset[str]]
    libraries: frozenset[str]
    private: Mapping[str, frozenset[str]]

    def promises(self, version: str) -> bool:
        """Whether a symbol version such as `GLIBC_2.17` may be needed; unlisted libraries' are not judged."""
        prefix, _, number = version.partition("_")
        if prefix not in self.versions or number in self.versions[prefix]:
            return True
        key = _number(number)
        return prefix == "GLIBC" and key is not None and key <= (self.tag.major, self.tag.minor)

    def newest(self, version: str) -> str:
        """Name the newest promised version of the library that this one belongs to, empty when there is none."""
        prefix, _, _ = version.partition("_")
        if prefix == "GLIBC":
            return f"GLIBC_{self.tag.major}.{self.tag.minor}"
        numbers = [(key, text) for text in self.versions.get(prefix, ()) if (key := _number(text)) is not None]
        return f"{prefix}_{max(numbers)[1]}" if numbers else ""


def _number(text: str) -> tuple[int, ...] | None:
    """Read a dotted version; hostile ones have more digits than `int` takes."""
    parts = text.split(".")
    plain = all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in parts)
    return tuple(map(int, parts)) if plain else None


def age(version: str) -> tuple[tuple[int, ...], str]:
    """Order symbol versions of one prefix; those that are not numbers (`GLIBC_PRIVATE`) come first."""
    return _number(version.partition("_")[2]) or (), version


@cache
def _rows(libc: _Libc) -> tuple[_Row, ...]:
    table = Path(auditwheel.__file__).with_name("policy") / _TABLES[libc]
    return tuple(json.loads(table.read_text(encoding="utf-8")))


@cache
def policies(libc: _Libc, arch: str) -> tuple[Policy, ...]:
    """Return all listed policies for an architecture, the most demanding (oldest) first."""
    listed = [_policy(row, arch) for row in _rows(libc) if arch in row["symbol_versions"]]
    return tuple(sorted(listed, key=lambda policy: policy.tag))


def _policy(row: _Row, arch: str) -> Policy:
    tag = PlatformTag.parse(f"{row['name']}_{arch}")
    return Policy(
        tag=tag,
        versions={prefix: frozenset(names) for prefix, names in row["symbol_versions"][arch].items()},
        libraries=_libraries(row, tag.libc, arch),
        private={library: frozenset(names) for library, names in row["blacklist"].items()},
    )


def _libraries(row: _Row, libc: _Libc, arch: str) -> frozenset[str]:
    """Take them from the table; there musl's libc is libc.so, and its loader answers to its soname too (dynlink.c)."""
    own = {f"libc.musl-{_MUSL_ARCHITECTURES.get(arch, arch)}.so.1"} if libc == "musl" else set[str]()
    return frozenset(own.union(row["lib_whitelist"]))


@cache
def system_libraries() -> frozenset[str]:
    """List every library that any policy promises on any architecture."""
    rows = ((row, libc, arch) for libc in _TABLES for row in _rows(libc) for arch in row["symbol_versions"])
    return frozenset(name for row, libc, arch in rows for name in _libraries(row, libc, arch))


def policy_for(tag: PlatformTag) -> Policy | None:
    """Find what a platform tag promises, None when no listed policy of its architecture is as old.

    PEP 600 allows any glibc version: between two listed ones the lower one's libraries hold, with the tag's own glibc.
    """
    older = [policy for policy in policies(tag.libc, tag.arch) if policy.tag.serves(tag)]
    if not older:
        return None
    nearest = older[-1]
    return Policy(tag=tag, versions=nearest.versions, libraries=nearest.libraries, private=nearest.private)
