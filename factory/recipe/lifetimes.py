"""When each CPython is supported upstream: a dated table, from the release schedules (PEP 602 and those named).

Last compared with the schedules in November 2026. A line is added when its version is released.
"""

from dataclasses import dataclass
from datetime import date

from factory.tags import Interpreter


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One CPython: its first final release, and the last day of its security support."""

    minor: int
    schedule: str
    first: date
    last: date


LIFETIMES = (
    Lifetime(8, "PEP 569", date(2019, 10, 14), date(2024, 10, 7)),
    Lifetime(9, "PEP 596", date(2020, 10, 5), date(2025, 10, 31)),
    Lifetime(10, "PEP 619", date(2021, 10, 4), date(2026, 10, 31)),
    Lifetime(11, "PEP 664", date(2022, 10, 24), date(2027, 10, 31)),
    Lifetime(12, "PEP 693", date(2023, 10, 2), date(2028, 10, 31)),
    Lifetime(13, "PEP 719", date(2024, 10, 7), date(2029, 10, 31)),
    Lifetime(14, "PEP 745", date(2025, 10, 7), date(2030, 10, 31)),
    Lifetime(15, "PEP 790", date(2026, 10, 1), date(2031, 10, 31)),
)


def supported(today: date) -> tuple[Interpreter, ...]:
    """Return the CPython versions that are supported on a day, with the GIL, oldest first."""
    return tuple(Interpreter(life.minor) for life in LIFETIMES if life.first <= today <= life.last)
