"""What the source says of itself, as frozen values."""

from dataclasses import dataclass
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.digest import Digest
from factory.tags import Abi3Floor, AnyPython


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSystem:
    """The `[build-system]` table (PEP 517, 518), or its defaults when the table is absent."""

    requires: tuple[Requirement, ...]
    build_backend: str
    backend_path: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The top-level module of the backend: `scikit_build_core` of `scikit_build_core.build`."""
        return self.build_backend.partition(":")[0].partition(".")[0]


Usage = Literal["text_signature", "dict", "weakref", "buffer", "native base", "immutable_type", "datetime"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyo3Use:
    """A use of PyO3 that some stable ABIs lack, and where it is: `src/lib.rs:12`."""

    usage: Usage
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyo3:
    """The crate's PyO3: the version its lock pins (None without a lock) and its features, defaults included.

    `uses` are what patterns find in the crate's own source.
    """

    version: Version | None
    features: frozenset[str]
    uses: tuple[Pyo3Use, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFloor:
    """The abi3 floors found in the source, and a description of where they are stated.

    `way` tells how they reach the build: `default` cargo features do it by themselves, the `project` fixes them itself
    (`py_limited_api` in setup.cfg or pyproject.toml). Several floors are one abi3 and one abi3t.
    """

    floors: tuple[Abi3Floor, ...]
    way: Literal["default", "project"]
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTag:
    """The tag without an ABI that the source gives its wheels, and a description of where it is stated."""

    tag: AnyPython
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RustFile:
    """The file that tells rustup which Rust to take, and its channel: `1.85`; None where it names none."""

    path: str
    channel: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a source tree declares. `version` is None where only its backend could compute it.

    `backend` is the factory's own name for the build backend: `maturin`, `setuptools` or `pep517`.
    `any_abi` is the tag of wheels for every Python (`py3-none-…`), None where they contain extension modules;
    `programs` says whether they contain programs instead. `limited_api` is meson-python's: the floor is the interpreter
    that builds. `unread_floor` says where something is stated as a floor that is none; `computed_tags` says what code
    decides the tags of wheels where nothing states them.
    `cargo_manifest` and `cargo_lock` are paths relative to the tree's root, with `/`: of the crate whose PyO3 decides.
    `other_manifests` are crates of the same build with a lock of their own. `absent_locks` are where cargo looks for a
    Cargo.lock and the tree has none; `beyond` says what the crates need that lies outside of the tree.
    `program_manifest` is the crate of the recipe's `programs` where it shares no workspace with those of the wheels;
    `absent_program_locks` is where cargo looks for its Cargo.lock and the tree has none. `host_questions` are where
    build scripts ask for the architecture of the machine that they run on. `rust_file` names a Rust for rustup.
    """

    name: NormalizedName
    version: Version | None
    requires_python: SpecifierSet
    build_system: BuildSystem
    backend: str
    dependencies: tuple[Requirement, ...] = ()
    pyo3: Pyo3 | None = None
    rust_version: Version | None = None
    rust_file: RustFile | None = None
    floor: ReadFloor | None = None
    unread_floor: str | None = None
    any_abi: ReadTag | None = None
    computed_tags: str | None = None
    programs: bool = False
    limited_api: bool = False
    cargo_manifest: str | None = None
    cargo_lock: str | None = None
    cargo_lock_digest: Digest | None = None
    other_manifests: tuple[str, ...] = ()
    absent_locks: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    program_manifest: str | None = None
    absent_program_locks: tuple[str, ...] = ()
    module: str | None = None
    host_questions: tuple[str, ...] = ()
