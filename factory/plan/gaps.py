"""What PyO3 lacks under a stable ABI's floor and a crate uses: hints, as the compiler is the judge.

From PyO3's guide, "Py_LIMITED_API/abi3", section "Missing features", and its changelog.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from packaging.version import Version

from factory.project.model import Pyo3, Usage
from factory.tags import Abi3Floor

_FIRST_FLOOR = 2  # PEP 384 came with 3.2: every floor will do
_FIRST_PYO3 = Version("0.13")  # with any stable ABI
_CORRUPTING = (Version("0.28.0"), Version("0.28.1"))  # PyO3#5823


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What PyO3 has for floors from 3.`minor` on, since one of its versions, and what happens otherwise."""

    what: str
    minor: int = _FIRST_FLOOR
    since: Version = _FIRST_PYO3
    otherwise: str = "the build stops with an error"


GAPS: Mapping[Usage, Gap] = MappingProxyType(
    {
        "text_signature": Gap(
            what="text_signature on a class", minor=10, otherwise="help() and inspect show no signature of the class"
        ),
        "dict": Gap(what="the option dict of a class", minor=9, since=Version("0.13.1")),
        "weakref": Gap(what="the option weakref of a class", minor=9, since=Version("0.13.1")),
        "buffer": Gap(what="the buffer API", minor=11),
        "native base": Gap(what="a class that extends a native type", minor=12, since=Version("0.28")),
        "immutable_type": Gap(what="the option immutable_type of a class", minor=14, since=Version("0.25")),
        "datetime": Gap(what="the types of datetime", since=Version("0.25")),
    }
)


def gap_notes(pyo3: Pyo3 | None, floor: Abi3Floor | None) -> Iterator[str]:
    """Yield a sentence for each use of PyO3 that the lowest floor of the plan does not have.

    A PyO3 whose version no lock says counts as the newest.
    """
    if pyo3 is None or floor is None:
        return
    for use in pyo3.uses:
        gap = GAPS[use.usage]
        if use.usage == "native base" and pyo3.version in _CORRUPTING and floor.minor >= gap.minor:
            yield (
                f"{use.place}: {gap.what} corrupts memory under abi3 with PyO3 {pyo3.version} (PyO3#5823); "
                "update to 0.28.2 or newer"
            )
        elif pyo3.version is not None and pyo3.version < gap.since:
            and_floor = f" and a floor of cp3{gap.minor}" if floor.minor < gap.minor else ""
            needs = f"PyO3 {gap.since} or newer{and_floor}"
            yield f"{use.place}: {gap.what} needs {needs} under abi3; it is {pyo3.version}: {gap.otherwise}"
        elif floor.minor < gap.minor:
            needs = f"an abi3 floor of cp3{gap.minor} or newer"
            yield f"{use.place}: {gap.what} needs {needs}; it is {floor}: {gap.otherwise}"
