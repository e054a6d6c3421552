"""What a source tree says of itself, by reading alone: nothing of it is ever run."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from factory.digest import Digest
from factory.errors import SourceError
from factory.project.cargo import PYO3, Crate, inside, locked_version, read_crate, read_lock
from factory.project.features import asked_features
from factory.project.floors import configured_floor, pyo3_floor
from factory.project.metadata import read_metadata, read_setup_cfg, requirement
from factory.project.model import BuildSystem, Project, Pyo3
from factory.project.setup_script import SetupScript, read_setup_script
from factory.project.tables import Files, Table

_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"  # PEP 517, "Source trees"
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_MATURIN_MANIFESTS = ("Cargo.toml", "rust/Cargo.toml", "native/Cargo.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a recipe chooses before a source is read: the backend, and cargo's manifest and features."""

    backend: str | None = None
    manifest: str | None = None
    features: tuple[str, ...] = ()
    default_features: bool = True


def read_project(files: Files, subdir: str = "", *, choices: Choices | None = None) -> Project:
    """Read a project that lies in a tree, or in a folder of it, as these choices would build it.

    Raises:
        SourceError: there is no project, or what it says cannot be read.
    """
    chosen = choices or Choices()
    folder = f"{subdir.strip('/')}/" if subdir.strip("/") else ""
    pyproject = Table.read(files, f"{folder}pyproject.toml") or Table({}, f"{folder}pyproject.toml")
    if all(files.read(folder + name) is None for name in _PROJECT_FILES):
        raise SourceError(f"there is no project in {folder or 'the source'}", hint="no pyproject.toml, no setup.py")
    cfg = read_setup_cfg(files, f"{folder}setup.cfg")
    script = read_setup_script(files, f"{folder}setup.py")
    metadata = read_metadata(files, folder, pyproject, cfg, script)
    system = _build_system(pyproject)
    backend = chosen.backend or _backend(system)
    crate = _crate(files, folder, backend, pyproject, script, chosen)
    lock = None if crate is None else read_lock(files, crate)
    pyo3 = None if crate is None else _pyo3(files, crate, backend, pyproject, chosen)
    return Project(
        name=metadata.name,
        version=metadata.version,
        requires_python=metadata.requires_python,
        build_system=system,
        backend=backend,
        dependencies=metadata.dependencies,
        pyo3=pyo3,
        rust_version=None if crate is None else crate.rust_version,
        floor=pyo3_floor(backend, crate, pyo3) or configured_floor(pyproject, cfg, script, folder),
        cargo_manifest=None if crate is None else crate.manifest,
        cargo_lock=lock,
        cargo_lock_digest=None if lock is None else Digest.of(files.read(lock) or b""),
        module=_module(backend, pyproject, crate, script),
    )


def _build_system(pyproject: Table) -> BuildSystem:
    """Read `[build-system]`; without a backend it is setuptools in its old way (PEP 517)."""
    table = pyproject.table("build-system")
    place = f"{table.place}.requires"
    backend = table.text("build-backend")
    requires = table.texts("requires") or (() if backend else ("setuptools>=40.8.0",))
    paths = table.texts("backend-path")
    if any(inside("", path) is None for path in paths):
        raise SourceError(f"{table.place}: backend-path leaves the source", hint="PEP 517 wants it inside")
    return BuildSystem(
        requires=tuple(requirement(text, place) for text in requires),
        build_backend=backend or _LEGACY_BACKEND,
        backend_path=paths,
    )


def _backend(system: BuildSystem) -> str:
    top = system.build_backend.partition(":")[0].partition(".")[0]
    return top if top in ("maturin", "setuptools") and not system.backend_path else "pep517"


def _crate(
    files: Files, folder: str, backend: str, pyproject: Table, script: SetupScript, chosen: Choices
) -> Crate | None:
    named: Sequence[str] = ()
    if chosen.manifest is not None:
        named = [chosen.manifest]
    elif backend == "maturin":
        named = [pyproject.table("tool", "maturin").text("manifest-path") or _default_manifest(files, folder)]
    elif backend == "setuptools":
        modules = pyproject.table("tool", "setuptools-rust").tables("ext-modules")
        named = [module.text("path") or "Cargo.toml" for module in modules] or script.rust_manifests
    if not named:
        return None
    manifest = inside(posixpath.dirname(folder), named[0])
    if manifest is None:
        raise SourceError(f"the manifest {named[0]} lies outside of the source")
    return read_crate(files, manifest)


def _default_manifest(files: Files, folder: str) -> str:
    """Return the manifest that maturin takes when none is named."""
    found = (name for name in _MATURIN_MANIFESTS if files.read(folder + name) is not None)
    return next(found, _MATURIN_MANIFESTS[0])


def _pyo3(files: Files, crate: Crate, backend: str, pyproject: Table, chosen: Choices) -> Pyo3 | None:
    features, default = chosen.features, chosen.default_features
    if backend == "maturin":
        maturin = pyproject.table("tool", "maturin")
        # maturin takes its own features only where the command line names none, and some hold for one Python only.
        own = maturin.get("features") if not features else None
        features = tuple(item for item in own if isinstance(item, str)) if isinstance(own, list) else features
        default = default and not maturin.flag("no-default-features", default=False)
    asked = asked_features(files, crate, features, default_features=default)
    names = [name for name in PYO3 if name in asked]
    if not names:
        return None
    version = locked_version(files, read_lock(files, crate), names[0])
    return Pyo3(version=version, features=frozenset().union(*(asked[name] for name in names)))


def _module(backend: str, pyproject: Table, crate: Crate | None, script: SetupScript) -> str | None:
    """Return the dotted name of the one extension module that the source names, None where that is not plain."""
    if backend == "maturin" and crate is not None:
        maturin = pyproject.table("tool", "maturin")
        if maturin.text("bindings") not in (None, "pyo3", "pyo3-ffi"):
            return None
        name = maturin.text("module-name") or crate.library
        # maturin puts a module without a package into a package of its name.
        return name if name is None or "." in name else f"{name}.{name}"
    targets = [module.text("target") for module in pyproject.table("tool", "setuptools-rust").tables("ext-modules")]
    names = targets or [name for name, _ in script.extensions]
    return (names[0] or None) if backend == "setuptools" and len(names) == 1 else None
