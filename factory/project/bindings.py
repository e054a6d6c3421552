"""Wheels for every Python: what maturin's bindings and scikit-build's tags say of them.

maturin takes the bindings that are configured, else those that the crate's dependencies and targets mean
(`find_bridge` of maturin's `src/bridge/detection.rs`).
"""

import posixpath

from factory.project.cargo import PYO3, Crate
from factory.project.files import Reading
from factory.tables import Table

_PROGRAMS = "bin"
_LIBRARIES = ("cffi", "uniffi")
_GENERIC = ("py2.py3", "py3")


def any_abi_of_crate(files: Reading, crate: Crate, maturin: Table, dependencies: frozenset[str]) -> str | None:
    """Return why maturin tags a crate's wheels `py3-none`, None where they are for an interpreter or an ABI.

    `dependencies` are the crates that its choices switch on. A program that links libpython is bound to its version.
    """
    bindings = _bindings(files, crate, maturin, dependencies)
    if bindings not in _LIBRARIES and not (bindings == _PROGRAMS and dependencies.isdisjoint(PYO3)):
        return None
    named = maturin.text("bindings")
    return f"{maturin.place} says bindings = {named}" if named else f"maturin takes {crate.manifest} for {bindings}"


def makes_programs(files: Reading, crate: Crate, maturin: Table, dependencies: frozenset[str]) -> bool:
    """Tell whether maturin packs a crate's programs instead of its library."""
    return _bindings(files, crate, maturin, dependencies) == _PROGRAMS


def any_abi_of_cmake(pyproject: Table) -> str | None:
    """Return why scikit-build-core tags its wheels `py3-none`, None where it does not."""
    table = pyproject.table("tool", "scikit-build", "wheel")
    tag = table.get("py-api")
    return f"{table.place} says py-api = {tag}" if tag in _GENERIC else None


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
