"""Which interpreters a PyO3 builds for: its own limits, read from `pyo3-ffi/build.rs` of each release."""

from dataclasses import dataclass

from packaging.version import Version

from factory.tags import Interpreter


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of every PyO3 from `since` on, as minor versions of Python 3; `free_threaded` None means never.

    Newer versions up to one are built "experimentally: do not distribute them", so they count as excluded.
    """

    since: Version
    cpython: tuple[int, int]
    pypy: tuple[int, int]
    free_threaded: int | None


# The newest release read is 0.29.2, and 0.30.0's notes; a release after those is held to the last line.
PYO3_LIMITS = (
    Limits(Version("0.13"), (6, 9), (6, 7), None),
    Limits(Version("0.15"), (6, 10), (7, 8), None),
    Limits(Version("0.16"), (7, 10), (7, 9), None),
    Limits(Version("0.17"), (7, 11), (7, 9), None),
    Limits(Version("0.19.1"), (7, 11), (7, 10), None),
    Limits(Version("0.20"), (7, 12), (7, 10), None),
    Limits(Version("0.22"), (7, 13), (7, 10), None),
    Limits(Version("0.23"), (7, 13), (9, 10), 13),
    Limits(Version("0.23.5"), (7, 13), (9, 11), 13),
    Limits(Version("0.25"), (7, 14), (9, 11), 13),
    Limits(Version("0.26"), (7, 14), (9, 14), 13),
    Limits(Version("0.27"), (7, 14), (11, 14), 13),
    Limits(Version("0.29"), (8, 15), (11, 15), 14),
    Limits(Version("0.30"), (9, 15), (11, 15), 14),
)


_FIRST_WITHOUT_FEATURE = Version("0.26")


def pyo3_links_libpython(version: Version, features: frozenset[str]) -> bool:
    """Tell whether an extension module of this PyO3 links libpython: before 0.26 unless a feature forbids it.

    From 0.26 on the environment says it (PyO3's guide, "The extension-module feature"), which every build here has.
    """
    return version < _FIRST_WITHOUT_FEATURE and "extension-module" not in features


def pyo3_excludes(version: Version, interpreter: Interpreter, *, by_floor: bool) -> str:
    """Return why this PyO3 cannot serve an interpreter, empty where it can.

    An interpreter that an abi3 wheel of an older one covers (`by_floor`) need not be known to PyO3: only what is too
    old is excluded then.
    """
    limits = max((line for line in PYO3_LIMITS if line.since <= version), key=lambda line: line.since, default=None)
    if limits is None:
        return ""
    lowest, highest = limits.pypy if interpreter.implementation == "pp" else limits.cpython
    kind = "PyPy" if interpreter.implementation == "pp" else "CPython"
    if interpreter.minor < lowest:
        return f"PyO3 {version} needs {kind} 3.{lowest} or newer"
    if by_floor:
        return ""
    if interpreter.minor > highest:
        return f"PyO3 {version} supports {kind} only up to 3.{highest}"
    if not interpreter.free_threaded:
        return ""
    if limits.free_threaded is None:
        return f"PyO3 {version} does not support free-threaded Python"
    if interpreter.minor < limits.free_threaded:
        return f"PyO3 {version} needs free-threaded Python 3.{limits.free_threaded} or newer"
    return ""
