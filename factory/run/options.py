"""What a caller decides about a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from factory.catalogue import AUTO
from factory.clock import today


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which cells are owed, and which image families may be used, the preferred first, or `auto` alone.

    `only` and `skip` are globs of cell ids or `<recipe>/<cell id>`.
    """

    families: Sequence[str] = (AUTO,)
    today: date = field(default_factory=today)
    only: Sequence[str] = ()
    skip: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where and how a run works.

    `fresh` does all work again, `update` only looks up sources and requirements again. `jobs` is how many cells and
    trials run at once; None means as many as there are processors. With `keep_going` a bad recipe does not stop the
    others. `keep` copies the workspaces of failed cells into the run's folder, which lies below `evidence`.
    """

    output: Path = Path("dist")
    selection: Selection = field(default_factory=Selection)
    jobs: int | None = None
    fresh: bool = False
    update: bool = False
    keep: bool = False
    keep_going: bool = False
    evidence: Path = Path(".factory/runs")
