"""Wheels for every Python: what maturin's bindings and scikit-build's tags say of them.

maturin takes the bindings that are configured, else those that the crate's dependencies and targets mean
(`find_bridge` of maturin's `src/bridge/detection.rs`).
"""

import posixpath

from factory.project.cargo import PYO3, Crate
from factory.project.files import Reading
from factory.project.model import ReadTag
from factory.tables import Table
from factory.tags import AnyPython

_PROGRAMS = "bin"
_LIBRARIES = ("cffi", "uniffi")


def any_abi_of_crate(files: Reading, crate: Crate, maturin: Table, dependencies: frozenset[str]) -> ReadTag | None:
    """Return the `py3-none` that maturin gives a crate's wheels, None where they are for an interpreter or an ABI.

    `dependencies` are the crates that its choices switch on. A program that links libpython is bound to its version.
    """
    bindings = _bindings(files, crate, maturin, dependencies)
    if bindings not in _LIBRARIES and not (bindings == _PROGRAMS and dependencies.isdisjoint(PYO3)):
        return None
    named = maturin.text("bindings")
    where = f"{maturin.place} says bindings = {named}" if named else f"maturin takes {crate.manifest} for {bindings}"
    return ReadTag(tag=AnyPython(), where=where)


def makes_programs(files: Reading, crate: Crate, maturin: Table, dependencies: frozenset[str]) -> bool:
    """Tell whether maturin packs a crate's programs instead of its library."""
    return _bindings(files, crate, maturin, dependencies) == _PROGRAMS


def any_abi_of_cmake(pyproject: Table) -> ReadTag | None:
    """Return the tag that scikit-build-core gives its wheels by `py-api`, None where it names an ABI or nothing."""
    table = pyproject.table("tool", "scikit-build", "wheel")
    tag = AnyPython.named(f"{table.get('py-api')}-none")
    return None if tag is None else ReadTag(tag=tag, where=f"{table.place} says py-api = {tag.python_tag}")


def _bindings(files: Reading, crate: Crate, maturin: Table, dependencies: frozenset[str]) -> str | None:
    if (bindings := maturin.text("bindings")) is not None:
        return bindings
    is_library = "cdylib" in crate.table.table("lib").texts("crate-type")
    if not dependencies.isdisjoint(PYO3):
        return _PROGRAMS if not is_library and _has_program(files, crate) else "pyo3"
    if "uniffi" in dependencies:
        return "uniffi"
    if is_library:
        return "cffi"
    return _PROGRAMS if _has_program(files, crate) else None


def _has_program(files: Reading, crate: Crate) -> bool:
    """Tell whether cargo finds a binary: a table, `src/main.rs`, or a file or folder in `src/bin`."""
    source = posixpath.join(crate.folder, "src")
    in_source = any(path == f"{source}/main.rs" or path.startswith(f"{source}/bin/") for path in files.paths)
    return in_source or bool(crate.table.tables("bin"))
