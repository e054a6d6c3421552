"""Making a store smaller: what was not used for longest goes first, and nothing that a living process may hold."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from factory.digest import Digest
from factory.store.inventory import Blob, Result, blobs, results
from factory.store.locks import is_held


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is kept or removed together: a result, or a blob that no result names.

    `path` is the file of the result, relative to the store; None for a blob alone. Its blobs go with it unless another
    unit needs them. `is_damaged` is a result that nobody can use.
    """

    path: str | None
    used_ns: int
    size_bytes: int
    blobs: tuple[Digest, ...]
    is_damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep removed, or would remove, and what is left; sizes in bytes.

    `is_shared` is whether another process has the store open, so that what it may hold has stayed.
    """

    results: int
    blobs: int
    freed_bytes: int
    left_bytes: int
    is_shared: bool


def units_of(found: Iterable[Result], used_ns: Mapping[Digest, int]) -> Iterator[Unit]:
    """Yield the units of results and blobs; of a blob it is known when it was last used."""
    named = set[Digest]()
    for result in found:
        named.update(result.blobs)
        yield Unit(
            path=f"ledger/{result.stage}/{result.key}.json",
            used_ns=result.used_ns,
            size_bytes=result.size_bytes,
            blobs=result.blobs,
            is_damaged=result.entry is None,
        )
    for digest, used in used_ns.items():
        if digest not in named:
            yield Unit(path=None, used_ns=used, size_bytes=0, blobs=(digest,))


def kept(
    units: Iterable[Unit], sizes: Mapping[Digest, int], *, limit_bytes: int, held_since_ns: int | None
) -> tuple[frozenset[Unit], frozenset[Digest]]:
    """Choose what stays: what was used since `held_since_ns`, and then the last used that fit into the limit.

    Also return the blobs that stay, which are those of the units and what was put since then.
    """
    staying, needed, total_bytes = set[Unit](), set[Digest](), 0
    for unit in sorted(units, key=attrgetter("used_ns"), reverse=True):
        if unit.is_damaged:
            continue
        is_held = held_since_ns is not None and unit.used_ns >= held_since_ns
        total_bytes += unit.size_bytes + sum(sizes.get(digest, 0) for digest in set(unit.blobs) - needed)
        if total_bytes > limit_bytes and not is_held:
            break  # What was used before is not looked at, or a large result would go before older small ones.
        staying.add(unit)
        needed.update(unit.blobs)
    return frozenset(staying), frozenset(needed)


def sweep(root: Path, *, limit_bytes: int, held_since_ns: int | None, dry: bool) -> Swept:
    """Remove from a store what does not fit into the limit; with `dry`, only say what would go.

    Whoever calls it holds the store's exclusive lock. Results go before their blobs, so that a kill at any moment
    leaves results that have what they need.
    """
    here = tuple(blobs(root))
    sizes = {blob.digest: blob.size_bytes for blob in here}
    units = frozenset(units_of(results(root), {blob.digest: blob.used_ns for blob in here}))
    staying, needed = kept(units, sizes, limit_bytes=limit_bytes, held_since_ns=held_since_ns)
    gone = [unit for unit in units - staying if unit.path is not None]
    unneeded = sorted(sizes.keys() - needed - _put_since(here, held_since_ns))
    if not dry:
        _remove(root, gone, unneeded)
    freed_bytes = _sum(gone) + sum(map(sizes.__getitem__, unneeded))
    return Swept(
        results=len(gone),
        blobs=len(unneeded),
        freed_bytes=freed_bytes,
        left_bytes=_sum(units) + sum(sizes.values()) - freed_bytes,
        is_shared=held_since_ns is not None,
    )


def _put_since(here: Iterable[Blob], held_since_ns: int | None) -> frozenset[Digest]:
    """Return the blobs that may be held although an old result alone names them: a blob is put before its result."""
    return frozenset(blob.digest for blob in here if held_since_ns is not None and blob.used_ns >= held_since_ns)


def _remove(root: Path, gone: Iterable[Unit], unneeded: Iterable[Digest]) -> None:
    for unit in gone:
        (root / str(unit.path)).unlink(missing_ok=True)
    for digest in unneeded:
        (root / "blobs" / digest.hex[:2] / digest.hex).unlink(missing_ok=True)


def _sum(units: Iterable[Unit]) -> int:
    return sum(unit.size_bytes for unit in units)


def oldest_session_ns(root: Path, own: Path) -> int | None:
    """Return when the oldest living session but the own one was opened, in ns since 1970; None where there is none.

    By the file system's clock, as the times of results and blobs are.
    """
    starts = []
    for lock in (root / "temp").glob("*.lock"):
        try:
            if lock != own and is_held(lock):
                starts.append(lock.lstat().st_mtime_ns)
        except FileNotFoundError:
            continue
    return min(starts, default=None)
