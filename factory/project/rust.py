"""The Rust of a project: the crates that its backend builds, their PyO3, and the choices that decide both."""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from factory.errors import SourceError
from factory.project.bindings import any_abi_of_crate, makes_programs
from factory.project.cargo import PYO3, Crate, inside, lock_path, locked_version, needs_beyond, read_crate, read_lock
from factory.project.features import asked_features
from factory.project.files import Reading
from factory.project.metadata import Metadata
from factory.project.model import Pyo3, ReadTag
from factory.project.setup_script import SetupScript
from factory.tables import Table

_MATURIN_MANIFESTS = ("Cargo.toml", "rust/Cargo.toml", "native/Cargo.toml")
_MOST_MANIFESTS = 100
_OWN_FEATURES = "pyo3/extension-module"  # setuptools-rust's `_binding_features`; maturin adds none


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a recipe chooses before a source is read: the backend, and cargo's manifests and features.

    `metadata` is what the recipe states of the project, for a backend whose sources state nothing.
    """

    backend: str | None = None
    manifest: str | None = None
    program_manifest: str | None = None
    features: tuple[str, ...] = ()
    default_features: bool = True
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaging:
    """What says how a project is built: the factory's name for its backend, pyproject.toml and setup.py."""

    backend: str
    pyproject: Table
    script: SetupScript


@dataclass(frozen=True, slots=True, kw_only=True)
class Rust:
    """The first crate that a backend builds, and what follows from it; all is empty where it builds none.

    `others` are manifests of further crates, each with a lock of its own; `absent_locks`, `beyond`, `any_abi`,
    `programs`, `program_manifest` and `absent_program_locks` are Project's.
    """

    crate: Crate | None = None
    lock: str | None = None
    others: tuple[str, ...] = ()
    absent_locks: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    pyo3: Pyo3 | None = None
    any_abi: ReadTag | None = None
    programs: bool = False
    program_manifest: str | None = None
    absent_program_locks: tuple[str, ...] = ()


def read_rust(files: Reading, folder: str, packaging: Packaging, chosen: Choices) -> Rust:
    """Read the crates of a project.

    Raises:
        SourceError: a manifest is not there, is outside of the source, or cannot be read.
    """
    names = tuple(dict.fromkeys(_manifests(files, folder, packaging, chosen)))
    if len(names) > _MOST_MANIFESTS:
        raise SourceError(f"the source names {len(names)} manifests of crates; at most {_MOST_MANIFESTS} are read")
    crates = [read_crate(files, _within(folder, name)) for name in names]
    rust = _of_wheels(files, crates, packaging, chosen) if crates else Rust()
    manifest = chosen.program_manifest
    return rust if manifest is None else _with_programs(files, folder, crates, rust, manifest)


def _of_wheels(files: Reading, crates: Sequence[Crate], packaging: Packaging, chosen: Choices) -> Rust:
    crate = crates[0]
    asked = _asked(files, crate, packaging, chosen)
    pyo3 = [name for name in PYO3 if name in asked]
    maturin = packaging.pyproject.table("tool", "maturin")
    by_maturin = packaging.backend == "maturin"
    return Rust(
        crate=crate,
        lock=read_lock(files, crate),
        others=tuple(_with_own_lock(crates)),
        absent_locks=tuple(dict.fromkeys(lock_path(crate) for crate in crates if read_lock(files, crate) is None)),
        beyond=tuple(dict.fromkeys(chain.from_iterable(map(needs_beyond, crates)))),
        pyo3=_pyo3(files, crate, asked, pyo3) if pyo3 else None,
        any_abi=any_abi_of_crate(files, crate, maturin, frozenset(asked)) if by_maturin else None,
        programs=by_maturin and makes_programs(files, crate, maturin, frozenset(asked)),
    )


def _with_programs(files: Reading, folder: str, crates: Sequence[Crate], rust: Rust, manifest: str) -> Rust:
    """Add the crate of programs, unless it is in a workspace whose crates are fetched anyway."""
    crate = read_crate(files, _within(folder, manifest))
    beyond = tuple(dict.fromkeys((*rust.beyond, *needs_beyond(crate))))
    if crate.workspace_folder in [other.workspace_folder for other in crates]:
        return replace(rust, beyond=beyond)
    absent = () if read_lock(files, crate) else (lock_path(crate),)
    return replace(rust, beyond=beyond, program_manifest=crate.manifest, absent_program_locks=absent)


def _manifests(files: Reading, folder: str, packaging: Packaging, chosen: Choices) -> Sequence[str]:
    if chosen.manifest is not None:
        return [chosen.manifest]
    if packaging.backend == "maturin":
        named = packaging.pyproject.table("tool", "maturin").text("manifest-path")
        return [named or _default_manifest(files, folder)]
    if packaging.backend != "setuptools":
        return []
    table = packaging.pyproject.table("tool", "setuptools-rust")
    modules = [*table.tables("ext-modules"), *table.tables("bins")]
    return [module.text("path") or "Cargo.toml" for module in modules] or packaging.script.rust_manifests


def _default_manifest(files: Reading, folder: str) -> str:
    """Return the manifest that maturin takes when none is named."""
    present = (name for name in _MATURIN_MANIFESTS if files.size(folder + name) is not None)
    return next(present, _MATURIN_MANIFESTS[0])


def _within(folder: str, name: str) -> str:
    manifest = inside(posixpath.dirname(folder), name)
    if manifest is None:
        raise SourceError(f"the manifest {name} is outside of the source")
    return manifest


def _with_own_lock(crates: Sequence[Crate]) -> Iterator[str]:
    """Yield the crates after the first, one per workspace: cargo fetches a whole workspace at once."""
    seen = {crates[0].workspace_folder}
    for crate in crates[1:]:
        if crate.workspace_folder not in seen:
            seen.add(crate.workspace_folder)
            yield crate.manifest


def _asked(files: Reading, crate: Crate, packaging: Packaging, chosen: Choices) -> dict[str, frozenset[str]]:
    features, default = chosen.features, chosen.default_features
    if packaging.backend == "maturin":
        maturin = packaging.pyproject.table("tool", "maturin")
        # maturin takes its own features only where the command line names none, and some hold for one Python only.
        own = maturin.get("features") if not features else None
        features = tuple(item for item in own if isinstance(item, str)) if isinstance(own, list) else features
        default = default and not maturin.flag("no-default-features", default=False)
    elif packaging.backend == "setuptools":
        modules = packaging.pyproject.table("tool", "setuptools-rust").tables("ext-modules")
        features = (*features, *(modules[0].texts("features") if modules else ()), _OWN_FEATURES)
    return asked_features(files, crate, features, default_features=default)


def _pyo3(files: Reading, crate: Crate, asked: dict[str, frozenset[str]], names: Sequence[str]) -> Pyo3:
    version = locked_version(files, read_lock(files, crate), names[0])
    return Pyo3(version=version, features=frozenset().union(*(asked[name] for name in names)))
