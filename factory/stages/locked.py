"""The crates that locks name: which lie in the source and which outside, which need which, and what pins them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.digest import Digest
from factory.keys import key
from factory.source.tree import Tree
from factory.stages.crates import LOCK_LIMIT_BYTES
from factory.untrusted import UntrustedTextError, decoded, parse_toml

_VENDORED = ".cargo-checksum.json"
_SETTINGS = (".cargo/config", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml")
_CHECKOUTS, _GIT = "checkouts", "git+"
_TIMES = LOCK_LIMIT_BYTES >> 22  # parse_toml counts in 4 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedCrate:
    """A crate as a lock writes it; `source` is empty for one whose files lie in the source of the project.

    `needs` are the names of the crates that it depends on.
    """

    name: str
    version: str = ""
    source: str = ""
    checksum: str = ""
    needs: tuple[str, ...] = ()


def locked(content: bytes) -> tuple[LockedCrate, ...]:
    """Read the crates of a lock; none where it cannot be read, which cargo refuses anyway."""
    try:
        packages = parse_toml(decoded(content, LOCK_LIMIT_BYTES), times=_TIMES).get("package")
    except UntrustedTextError:
        return ()
    return tuple(_crates(packages)) if isinstance(packages, list) else ()


def _crates(packages: list[object]) -> Iterator[LockedCrate]:
    for package in packages:
        if isinstance(package, Mapping):
            name, version, source, checksum = (
                str(package.get(field, "")) for field in ("name", "version", "source", "checksum")
            )
            given = package.get("dependencies")
            needs = given if isinstance(given, list) else []
            # `name`, or with what tells it from others of that name: `name version`, `name version (source)`.
            names = tuple(str(need).partition(" ")[0] for need in needs)
            yield LockedCrate(name=name, version=version, source=source, checksum=checksum, needs=names)


def outside(crates: Iterable[LockedCrate]) -> frozenset[str]:
    """Return the names of crates whose files, and those of all that they need, lie outside of the source.

    Their names and versions say what they are compiled of. A registry's crate that needs one of the source, by
    `[patch]`, is none of them, nor is one that shares its name with one of the source.
    """
    known = tuple(crates)
    own = frozenset(crate.name for crate in known if not crate.source)
    return frozenset(crate.name for crate in known) - with_dependents(own, known)


def with_dependents(names: frozenset[str], crates: Iterable[LockedCrate]) -> frozenset[str]:
    """Return these crates and all that need one of them, directly or not."""
    needed_by = defaultdict[str, list[str]](list)
    for crate in crates:
        for need in crate.needs:
            needed_by[need].append(crate.name)
    found, left = set(names), list(names)
    while left:
        fresh = set(needed_by.get(left.pop(), ())) - found
        found |= fresh
        left += fresh
    return frozenset(found)


def vendored(tree: Tree) -> tuple[str, ...]:
    """Return the folders of a source that hold crates of a registry's, each with a `/` at its end."""
    return tuple(path.removesuffix(_VENDORED) for path in tree.paths if path.endswith(f"/{_VENDORED}"))


def digest_of(tree: Tree, crates: Iterable[LockedCrate]) -> Digest:
    """Return the digest of what crates outside of the source are compiled of, and by which settings of the source.

    cargo does not look at the files of vendored crates, which an edit may change, and their digests with them.
    """
    pins = sorted({(crate.name, crate.version, crate.source, crate.checksum) for crate in crates if crate.source})
    folders = vendored(tree)
    files = {
        path: str(Digest.of(tree.read(path) or b""))
        for path in tree.paths
        if path.startswith(folders) or f"/{path}".endswith(tuple(f"/{name}" for name in _SETTINGS))
    }
    return key({"crates": [list(pin) for pin in pins], "files": files})


def by_python(found: str, crates: Iterable[LockedCrate]) -> frozenset[str]:
    """Return the crates that may be compiled otherwise for another interpreter, by what `python_crates.sh` has found.

    The folder of a registry's crate is named after it and its version. That of a repository is not, so that one file
    in any of them stands for all.
    """
    folders = {folder for line in found.splitlines() for folder in PurePosixPath(line).parts}
    return frozenset(
        crate.name
        for crate in crates
        if f"{crate.name}-{crate.version}" in folders or (_CHECKOUTS in folders and crate.source.startswith(_GIT))
    )
