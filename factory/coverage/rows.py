"""Coverage in rows: what a table shows of it, in as few lines as tell all."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from factory.coverage.choice import Coverage, Kind, Taken
from factory.tags import Interpreter, PlatformTag

_SHORT: dict[Kind, str] = {"sdist": "sdist", "excluded": "-", "nothing": "none"}
_COUNTED: dict[Kind, str] = {
    "wheel": "get a wheel",
    "sdist": "get the sdist",
    "nothing": "get nothing",
    "excluded": "are excluded by Requires-Python",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Platforms of one machine with one libc, in which the same files are taken: one for each interpreter."""

    machine: str
    libc: str
    taken: tuple[Taken, ...]

    @property
    def platforms(self) -> str:
        """The oldest platform of each wheel that is taken, without the machine."""
        parts = dict.fromkeys(_oldest(taken.filename) for taken in self.taken if taken.kind == "wheel")
        return ", ".join(parts) or "-"


def rows(coverage: Coverage) -> tuple[Row, ...]:
    """Join neighbouring versions of a libc that get the same files."""
    of_platforms = [(PlatformTag.parse(name), tuple(taken)) for name, taken in groupby(coverage.taken, _platform)]
    joined = groupby(of_platforms, lambda pair: (pair[0].arch, pair[0].libc, *(taken.filename for taken in pair[1])))
    return tuple(_row([*pairs]) for _, pairs in joined)


def _row(pairs: Sequence[tuple[PlatformTag, tuple[Taken, ...]]]) -> Row:
    first, last = pairs[0][0], pairs[-1][0]
    versions = dict.fromkeys(f"{platform.major}.{platform.minor}" for platform in (first, last))
    return Row(machine=first.arch, libc=f"{first.libc} {' to '.join(versions)}", taken=pairs[0][1])


def _platform(taken: Taken) -> str:
    return taken.platform


def _oldest(filename: str) -> str:
    """Name the oldest platform among a wheel's tags, without its machine."""
    tags = filename.removesuffix(".whl").rpartition("-")[2].split(".")
    try:
        platforms = [PlatformTag.parse(tag) for tag in tags]
    except ValueError:
        return ".".join(tags)
    return min(platforms).policy


def heads(coverage: Coverage) -> tuple[str, ...]:
    """Name the interpreters of the columns: `3.13`, `3.14t`."""
    return tuple(Interpreter.parse(taken.interpreter).marked_version for taken in rows(coverage)[0].taken)


def short(taken: Taken) -> str:
    """Say in at most seven characters what is taken: `cp313`, `abi3`, `py3`, `sdist`, `none`, `-`."""
    if taken.kind != "wheel":
        return _SHORT[taken.kind]
    python, abi, _ = taken.filename.removesuffix(".whl").rsplit("-", 3)[1:]
    return python.rpartition(".")[2] if abi == "none" else abi.rpartition(".")[2]


def closing(coverage: Coverage) -> str:
    """Say in one line how many environments get what."""
    kinds = [taken.kind for taken in coverage.taken]
    counts = [f"{kinds.count(kind)} {words}" for kind, words in _COUNTED.items() if kind in kinds]
    return f"of {len(kinds)} environments {', '.join(counts)}"
