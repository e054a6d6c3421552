"""What importing a wheel's modules costs: what is measured, and the answers."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from factory.codec import ABSENT
from factory.guests import program
from factory.steps import ENVIRONMENT, WORK
from factory.trials.subjects import Subjects

OLDER, OLDER_WHEELS = WORK / "older", WORK / "older-wheels"
"""Where the environment of the older wheel is, with which the new one is compared, and where that wheel lies."""

_MODULES = 4  # a large package has a hundred, and to import one of them imports most others
_TIMES = 3
_SECONDS = 10
_LINE = re.compile(r"cost: (?P<name>new|old) (?P<module>[\w.]{1,200}) (?P<us>[0-9]{1,10}) (?P<bytes>[0-9]{1,15})")
_LONGER, _LONGER_S = 1.5, 0.01
_LARGER, _LARGER_BYTES = 1.2, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """What one module's import takes in a new process, the least of three; `old…` are the older wheel's, if any.

    The bytes are those by which the process's address space grew, which the module's own libraries are part of.
    """

    module: str
    seconds: float
    mapped_bytes: int
    old_seconds: float | None = field(default=None, metadata={ABSENT: True})
    old_mapped_bytes: int | None = field(default=None, metadata={ABSENT: True})

    @property
    def is_slower(self) -> bool:
        """Whether it takes notably longer than with the older wheel: half as long again, and ten milliseconds."""
        old = self.old_seconds
        return old is not None and self.seconds > max(old * _LONGER, old + _LONGER_S)

    @property
    def is_larger(self) -> bool:
        """Whether it maps notably more than the older wheel: a fifth, and a megabyte."""
        old = self.old_mapped_bytes
        return old is not None and self.mapped_bytes > max(old * _LARGER, old + _LARGER_BYTES)


def measured_modules(subjects: Subjects) -> tuple[str, ...]:
    """Choose the modules to measure: those that the recipe names, then the outermost."""
    named = [name for name in subjects.modules if name in subjects.named]
    rest = sorted((name for name in subjects.modules if name not in subjects.named), key=lambda n: (n.count("."), n))
    return tuple([name for name in (*named, *rest) if name not in subjects.tolerated][:_MODULES])


def costs_request(modules: Sequence[str], preparing: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Return the program that measures imports, and what it is told.

    `preparing` are the commands that install an older wheel at `OLDER`; none where there is no such wheel.
    """
    older = {"old": str(OLDER / "bin/python")} if preparing else {}
    order = {
        "modules": list(modules),
        "prepare": [list(argv) for argv in preparing],
        "pythons": {"new": str(ENVIRONMENT / "bin/python"), **older},
        "times": _TIMES,
        "seconds": _SECONDS,
    }
    return program("costs.py"), json.dumps(order, sort_keys=True)


def costs_in(lines: Iterable[str]) -> tuple[ImportCost, ...]:
    """Read what the program measured; what the older wheel alone has is left out."""
    found: dict[str, dict[str, tuple[float, int]]] = {}
    for match in filter(None, map(_LINE.fullmatch, lines)):
        found.setdefault(match["module"], {})[match["name"]] = (int(match["us"]) / 1e6, int(match["bytes"]))
    return tuple(
        ImportCost(
            module=module,
            seconds=sides["new"][0],
            mapped_bytes=sides["new"][1],
            old_seconds=sides["old"][0] if "old" in sides else None,
            old_mapped_bytes=sides["old"][1] if "old" in sides else None,
        )
        for module, sides in found.items()
        if "new" in sides
    )
