"""What has changed from one wheel to another, as values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from factory.comparison.contents import Contents, Kind
from factory.installable import runs
from factory.tags import Interpreter
from factory.untrusted import UntrustedTextError, parse_specifiers

Change: TypeAlias = Literal["lost", "gained", "narrowed", "widened", "grafts", "needs", "size"]
"""Grafts are libraries that auditwheel copied; needs are those that the project's own objects ask for."""

_KINDS: tuple[Kind, ...] = ("module", "stub", "data", "licence")
_GROWTH = 0.2
_LEAST_BYTES = 1 << 16
_MINORS = frozenset(range(50))
_MEGABYTE = 1_000_000
_FEW_BYTES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which two wheels differ: `subjects` are named in order, `message` says it of them all."""

    change: Change
    message: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two wheels by their file names and sizes in bytes, and in what the new one differs."""

    new: str
    old: str
    new_bytes: int
    old_bytes: int
    differences: tuple[Difference, ...]

    @property
    def lost(self) -> tuple[Difference, ...]:
        """What is gone."""
        return tuple(difference for difference in self.differences if difference.change == "lost")

    @property
    def growth(self) -> float:
        """How much larger the file is: 0.2 for a fifth more; negative where it shrank."""
        return self.new_bytes / self.old_bytes - 1 if self.old_bytes else 0.0


def compared(new: Contents, old: Contents) -> Comparison:
    """Compare a wheel with an older one, or with another build of the same release."""
    parts = (_members, _entry_points, _exports, _tags, _platforms, _requires_python, _grafts, _needs, _sizes)
    return Comparison(
        new=new.filename,
        old=old.filename,
        new_bytes=new.size_bytes,
        old_bytes=old.size_bytes,
        differences=tuple(difference for part in parts for difference in part(new, old)),
    )


def _members(new: Contents, old: Contents) -> Iterator[Difference]:
    for kind in _KINDS:
        gone = tuple(sorted(name for named, name in old.sizes.keys() - new.sizes.keys() if named == kind))
        if gone:
            yield Difference(change="lost", message=_lost(kind, gone, new), subjects=gone)
    added = tuple(sorted(name for kind, name in new.sizes.keys() - old.sizes.keys() if kind == "module"))
    if added:
        yield Difference(change="gained", message=_counted(len(added), "module"), subjects=added)


def _lost(kind: Kind, gone: tuple[str, ...], new: Contents) -> str:
    """Count what is gone; stubs of compiled modules leave them without types, which py.typed may still promise."""
    counted = _counted(len(gone), kind)
    marked = [path.rpartition("/")[0].replace("/", ".") for named, path in new.sizes if path.endswith("/py.typed")]
    untyped = [name for name in gone if name in new.needed and any(name.startswith(f"{top}.") for top in marked)]
    return f"{counted}, though py.typed promises types" if kind == "stub" and untyped else counted


def _counted(count: int, kind: Kind) -> str:
    nouns = {"module": "module", "stub": "stub", "data": "data file", "licence": "licence file", "graft": "library"}
    return f"{count} {nouns[kind]}{'s' * (count != 1)}"


def _entry_points(new: Contents, old: Contents) -> Iterator[Difference]:
    if gone := tuple(sorted(old.entry_points - new.entry_points)):
        yield Difference(change="lost", message="entry points", subjects=gone)


def _exports(new: Contents, old: Contents) -> Iterator[Difference]:
    for name in sorted(old.exports.keys() & new.exports.keys()):
        if gone := tuple(sorted(old.exports[name] - new.exports[name])):
            yield Difference(change="lost", message=f"symbols that {name} exported", subjects=gone)


def _tags(new: Contents, old: Contents) -> Iterator[Difference]:
    """Compare what the tags claim; two wheels for one interpreter each claim as much, whichever it is."""
    if new.tags == old.tags or not (_is_stable(new) or _is_stable(old)):
        return
    message = f"tags from {_listed(old.tags)} to {_listed(new.tags)}"
    if not (_is_stable(new) and _is_stable(old)):
        yield Difference(change="narrowed" if _is_stable(old) else "widened", message=message)
    elif new.oldest_minor is not None and old.oldest_minor is not None and new.oldest_minor != old.oldest_minor:
        message = f"the stable ABI's floor from cp3{old.oldest_minor} to cp3{new.oldest_minor}"
        yield Difference(change="narrowed" if new.oldest_minor > old.oldest_minor else "widened", message=message)
    else:
        yield Difference(change="narrowed" if old.tags - new.tags else "widened", message=message)


def _is_stable(wheel: Contents) -> bool:
    return all(tag.endswith(("-abi3", "-abi3t", "-none")) for tag in wheel.tags)


def _listed(names: frozenset[str]) -> str:
    return ".".join(sorted(names))


def _platforms(new: Contents, old: Contents) -> Iterator[Difference]:
    if not new.platforms or not old.platforms or min(new.platforms) == min(old.platforms):
        return
    before, after = min(old.platforms), min(new.platforms)
    change: Change = "widened" if after.serves(before) else "narrowed"
    yield Difference(change=change, message=f"the oldest platform from {before} to {after}")


def _requires_python(new: Contents, old: Contents) -> Iterator[Difference]:
    before, after = _admitted(old.requires_python), _admitted(new.requires_python)
    if before != after:
        message = f"Requires-Python from {old.requires_python or 'none'} to {new.requires_python or 'none'}"
        yield Difference(change="widened" if before < after else "narrowed", message=message)


def _admitted(text: str) -> frozenset[int]:
    """Return the minor versions of Python 3 that a Requires-Python admits; all where it cannot be read."""
    try:
        specifiers = parse_specifiers(text)
    except UntrustedTextError:
        return _MINORS  # the gate refuses such a wheel
    return frozenset(minor for minor in _MINORS if runs(specifiers, Interpreter(minor)))


def _grafts(new: Contents, old: Contents) -> Iterator[Difference]:
    """Match grafts by name and interface; one whose hash differs is another build of the same library."""
    for message, names in (
        ("libraries added", new.grafts.keys() - old.grafts.keys()),
        ("libraries gone", old.grafts.keys() - new.grafts.keys()),
        ("libraries renewed", {name for name in new.grafts.keys() & old.grafts.keys() if _differs(name, new, old)}),
    ):
        if names:
            yield Difference(change="grafts", message=message, subjects=tuple(sorted(names)))


def _differs(name: str, new: Contents, old: Contents) -> bool:
    return new.grafts[name] != old.grafts[name]


def _needs(new: Contents, old: Contents) -> Iterator[Difference]:
    for name in sorted(old.needed.keys() & new.needed.keys()):
        before, after = old.needed[name], new.needed[name]
        if before != after:
            words = (f"{verb} {', '.join(sorted(names))}" for verb, names in _verbs(before, after).items() if names)
            yield Difference(change="needs", message=f"{name} {' and '.join(words)}")


def _verbs(before: frozenset[str], after: frozenset[str]) -> Mapping[str, frozenset[str]]:
    return {"now needs": after - before, "no longer needs": before - after}


def _sizes(new: Contents, old: Contents) -> Iterator[Difference]:
    """Name the members that grew by a fifth and 64 KiB at least, or came with that much, the largest growth first."""
    grown = {named: size - old.sizes.get(named, 0) for named, size in new.sizes.items()}
    large = [named for named in grown if grown[named] >= max(_LEAST_BYTES, _GROWTH * old.sizes.get(named, 0))]
    for kind, name in sorted(large, key=lambda named: (-grown[named], named)):
        before = old.sizes.get((kind, name))
        was = "new" if before is None else f"before {written(before)}"
        yield Difference(change="size", message=f"{name} has {written(new.sizes[kind, name])}, {was}")


def written(count: int) -> str:
    """Write a size as people read it."""
    if count < _FEW_BYTES:
        return f"{count} bytes"
    return f"{count / _MEGABYTE:.1f} MB" if count >= _MEGABYTE else f"{count / 1000:.0f} kB"
