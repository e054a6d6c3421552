"""What a source tree says of itself, by reading alone: nothing of it is ever run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from factory.catalogue import BAZEL
from factory.digest import Digest
from factory.errors import SourceError
from factory.project.bindings import any_abi_of_cmake
from factory.project.build_scripts import host_questions
from factory.project.cargo import inside
from factory.project.files import Files, Reading, read_bytes
from factory.project.floors import configured_floor, pyo3_floor, unread_floor
from factory.project.metadata import Metadata, read_metadata, read_setup_cfg, requirements
from factory.project.model import BuildSystem, Project
from factory.project.rust import Choices, Packaging, Rust, read_rust
from factory.project.rust_file import read_rust_file
from factory.project.setup_script import SetupScript, read_setup_script
from factory.project.uses import read_uses
from factory.project.written_tags import written_tags
from factory.tables import Table

_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"  # PEP 517, "Source trees"
_MOST_BUILD_REQUIREMENTS = 1000
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_WORKSPACE_FILES = ("WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel")


def read_project(tree: Files, subdir: str = "", *, choices: Choices | None = None) -> Project:
    """Read a project that lies in a tree, or in a folder of it, as these choices would build it.

    Raises:
        SourceError: there is no project, or what it says cannot be read.
    """
    files, chosen = Reading.of(tree), choices or Choices()
    folder = f"{subdir.strip('/')}/" if subdir.strip("/") else ""
    stated = _stated(files, folder) if chosen.metadata is None else _workspace(files, folder, chosen.metadata)
    pyproject, cfg, script = stated.pyproject, stated.cfg, stated.script
    metadata, system = stated.metadata, stated.system
    backend = chosen.backend or _backend(system)
    rust = read_rust(files, folder, Packaging(backend=backend, pyproject=pyproject, script=script), chosen)
    crate, lock = rust.crate, rust.lock
    pyo3 = replace(rust.pyo3, uses=read_uses(tree, crate)) if rust.pyo3 and crate else None
    written = written_tags(files, folder, pyproject, system)
    any_abi = rust.any_abi or any_abi_of_cmake(pyproject) or written.tag
    floor = pyo3_floor(backend, crate, pyo3) or configured_floor(pyproject, cfg, script, folder)
    return Project(
        name=metadata.name,
        version=metadata.version,
        requires_python=metadata.requires_python,
        build_system=system,
        backend=backend,
        dependencies=metadata.dependencies,
        pyo3=pyo3,
        rust_version=None if crate is None else crate.rust_version,
        rust_file=None if crate is None else read_rust_file(files, folder),
        any_abi=any_abi,
        computed_tags=written.computed if any_abi is None and floor is None else None,
        programs=rust.programs,
        limited_api=pyproject.table("tool", "meson-python").flag("limited-api", default=False),
        floor=floor,
        unread_floor=unread_floor(pyproject, cfg, script, folder),
        cargo_manifest=None if crate is None else crate.manifest,
        cargo_lock=lock,
        cargo_lock_digest=None if lock is None else Digest.of(read_bytes(files, lock) or b""),
        other_manifests=rust.others,
        absent_locks=rust.absent_locks,
        beyond=rust.beyond,
        program_manifest=rust.program_manifest,
        absent_program_locks=rust.absent_program_locks,
        module=_module(backend, pyproject, rust, script),
        host_questions=() if crate is None else host_questions(tree),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What the files of a project state, as far as the backend does not matter; of a Bazel workspace, nothing."""

    metadata: Metadata
    system: BuildSystem
    pyproject: Table
    cfg: Mapping[str, Mapping[str, str]]
    script: SetupScript


def _stated(files: Reading, folder: str) -> _Stated:
    pyproject = files.table(f"{folder}pyproject.toml") or Table({}, f"{folder}pyproject.toml")
    if all(files.size(folder + name) is None for name in _PROJECT_FILES):
        raise SourceError(f"there is no project in {folder or 'the source'}", hint="no pyproject.toml, no setup.py")
    cfg = read_setup_cfg(files, f"{folder}setup.cfg")
    script = read_setup_script(files, f"{folder}setup.py")
    metadata = read_metadata(files, folder, pyproject, cfg, script)
    return _Stated(metadata=metadata, system=_build_system(pyproject), pyproject=pyproject, cfg=cfg, script=script)


def _workspace(files: Reading, folder: str, metadata: Metadata) -> _Stated:
    """Take what the recipe states: BUILD files are programs, which only Bazel reads."""
    if all(files.size(folder + name) is None for name in _WORKSPACE_FILES):
        raise SourceError(
            f"there is no Bazel workspace in {folder or 'the source'}",
            hint="no WORKSPACE, no WORKSPACE.bazel, no MODULE.bazel: add an empty WORKSPACE, or name the folder that "
            "has one: source: {subdir: …}",
        )
    system = BuildSystem(requires=(), build_backend=BAZEL)
    return _Stated(metadata=metadata, system=system, pyproject=Table({}, ""), cfg={}, script=SetupScript(keywords={}))


def _build_system(pyproject: Table) -> BuildSystem:
    """Read `[build-system]`; without a backend it is setuptools in its old way (PEP 517)."""
    table = pyproject.table("build-system")
    place = f"{table.place}.requires"
    backend = table.text("build-backend")
    # The version that PEP 517 names for sources without a [build-system] table.
    requires = table.texts("requires") or (() if backend else ("setuptools>=40.8.0",))
    paths = table.texts("backend-path")
    if any(inside("", path) is None for path in paths):
        raise SourceError(
            f"{table.place}: backend-path leads out of the source", hint="PEP 517 requires it to be inside"
        )
    return BuildSystem(
        requires=requirements(requires, place, _MOST_BUILD_REQUIREMENTS),
        build_backend=backend or _LEGACY_BACKEND,
        backend_path=paths,
    )


def _backend(system: BuildSystem) -> str:
    top = system.module
    return top if top in ("maturin", "setuptools") and not system.backend_path else "pep517"


def _module(backend: str, pyproject: Table, rust: Rust, script: SetupScript) -> str | None:
    """Return the dotted name of the one extension module that the source names, None where that is not clear."""
    if backend == "maturin" and rust.crate is not None:
        if rust.any_abi is not None or rust.programs:
            return None
        name = pyproject.table("tool", "maturin").text("module-name") or rust.crate.library
        # maturin puts a module without a package into a package of its name.
        return name if name is None or "." in name else f"{name}.{name}"
    targets = [module.text("target") for module in pyproject.table("tool", "setuptools-rust").tables("ext-modules")]
    names = targets or [name for name, _ in script.extensions]
    return (names[0] or None) if backend == "setuptools" and len(names) == 1 else None
