"""Rust for images without it: one bundle, assembled once from Debian's packages, with a loader of its own."""

import hashlib
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from packaging.version import Version

from factory.digest import Artifact, Digest
from factory.engine.api import FileEntry
from factory.errors import ImageError
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.bootstrap import assembly_env
from factory.images.scripts import scripts_for, written_for
from factory.images.shell import DOWNLOADS, Progress, run_script
from factory.images.spec import data_folder, read_data
from factory.machines import MACHINES, USUAL_MACHINE
from factory.store import Store
from factory.tables import Table

RUST: Final = PurePosixPath("/rust")
"""Where every container has the bundle: its programs name their loader by this path."""

RUST_FOLDER: Final = "rust"
_BUNDLE: Final = "bundle.toml"
_SCRIPT: Final = "assemble.sh"
_STD_SCRIPT: Final = "std.sh"
_REBUILT = re.compile(r"\+b[0-9]+$")
_PACKED = re.compile(r"(?P<package>[a-z0-9][a-z0-9.+-]{0,99}+)_(?P<version>[^_\s]{1,99}+)_")
_HELPERS: Final = ("relocate.py", "unprivileged.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class RustSpec:
    """The bundle as its data file declares it: what it holds, and which packages of which suite it is made from.

    `version` is the oldest Rust that it may hold; it has a standard library for each of `targets`. `std` is the package
    of that for other machines, and `machines` Debian's architecture for each.
    """

    folder: Path
    version: Version
    targets: tuple[str, ...]
    suite: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    std: str
    machines: Mapping[str, str]

    def serves(self, image: ImageFacts) -> bool:
        """Whether what it compiles in an image can be linked there."""
        libc = {"glibc": "gnu", "musl": "musl"}[image.platform.libc]
        return image.role != "trial" and f"{image.platform.arch}-unknown-linux-{libc}" in self.targets


@dataclass(frozen=True, slots=True, kw_only=True)
class RustBundle:
    """An assembled bundle in the store: a tar, which holds the manifest of its packages with their hashes."""

    file: Artifact


def rust_spec() -> RustSpec:
    """Read the bundle's data file.

    Raises:
        ImageError: the file is invalid.
    """
    path = data_folder() / RUST_FOLDER / _BUNDLE
    try:
        return _spec(path, read_data(path))
    except ValueError as error:
        raise ImageError(f"{path}: {error}", hint="images/README.md names every key") from error


def input_digest(spec: RustSpec) -> Digest:
    """Digest everything of ours that the bundle is made from; no package's version."""
    names = sorted(path for path in spec.folder.iterdir() if path.is_file())
    files = [*names, *(spec.folder.parent / "scripts" / name for name in _HELPERS)]
    return Digest.of_chunks(hashlib.sha256(path.name.encode() + b"\0" + path.read_bytes()).digest() for path in files)


def make_rust(host: Host, store: Store, machine: str, progress: Progress) -> RustBundle:
    """Assemble the bundle that runs on a machine and keep it in the store; equal packages give equal bytes.

    Raises:
        ImageError: a tool is missing, or packages could not be downloaded.
    """
    spec = rust_spec()
    env = {
        "SUITE": spec.suite,
        "PACKAGES": ",".join(spec.packages),
        "PROGRAMS": " ".join(spec.programs),
        "VERSION": str(spec.version),
        "MACHINE": machine,
    }
    of_machine = "" if machine == USUAL_MACHINE else f" for {machine}"
    progress(f"resolving and unpacking Rust{of_machine} from {spec.suite}")
    failing = f"the Rust bundle{of_machine} could not be assembled"
    script = spec.folder / _SCRIPT
    try:
        with ran(script, env, failing=failing, host=host, store=store, progress=progress, machine=machine) as work:
            return RustBundle(file=store.put_file(work / "bundle.tar", "rust.tar"))
    except ImageError as error:
        if host.rust_server is not None:
            raise
        hint = f"{error.hint}; or set RUSTUP_DIST_SERVER, and the Rust project's own is brought instead"
        raise ImageError(error.message, hint=hint) from error


def make_std(host: Host, store: Store, bundle: RustBundle, machine: str, progress: Progress) -> RustBundle:
    """Fetch the standard library for another machine, which is to be laid over the bundle, and keep it in the store.

    Raises:
        ImageError: a tool is missing, packages could not be downloaded, or the suite has another version by now.
    """
    spec = rust_spec()
    env = {
        "SUITE": spec.suite,
        "PACKAGE": spec.std,
        "ARCHITECTURE": spec.machines[machine],
        "TRIPLE": MACHINES[machine].rust,
    }
    progress(f"fetching Rust's standard library for {machine} from {spec.suite}")
    failing = f"Rust's standard library for {machine} could not be fetched"
    with ran(spec.folder / _STD_SCRIPT, env, failing=failing, host=host, store=store, progress=progress) as work:
        return kept_std(store, bundle, work, spec.std, target=machine, suite=spec.suite)


@contextmanager
def ran(
    script: Path,
    env: Mapping[str, str],
    *,
    failing: str,
    host: Host,
    store: Store,
    progress: Progress,
    machine: str = USUAL_MACHINE,
) -> Iterator[Path]:
    """Run one of our scripts on a suite, the `SUITE` of its variables, and lend the folder that holds what it made.

    What the script moves is for a `machine`.

    Raises:
        ImageError: a tool is missing, or the script failed.
    """
    with store.temp_folder() as work:
        run_script(
            written_for(machine, script.read_text(encoding="utf-8")),
            failing=failing,
            suite=env["SUITE"],
            host=host,
            work=work,
            downloads=store.lasting_folder(DOWNLOADS),
            env={**assembly_env(script.parent, host, scripts_for(machine, script.parents[1], work)), **env},
            progress=progress,
        )
        yield work


def kept_std(store: Store, bundle: RustBundle, work: Path, package: str, *, target: str, suite: str) -> RustBundle:
    """Keep a standard library that lies in a folder, if the package that it comes from fits the bundle's rustc.

    Raises:
        ImageError: the package is of another version.
    """
    with store.lend(bundle.file) as tar, tarfile.open(tar) as files:
        own = files.extractfile("./manifest")
        rustc = _version_in(own.read().decode() if own else "", rust_spec().packages[0])
    std = _version_in((work / "manifest").read_text(encoding="utf-8"), package)
    if rustc != std:
        raise ImageError(
            f"the factory's own Rust is {rustc}, and {suite} has the standard library of {std} for {target}",
            hint="`--update` makes both anew",
        )
    return RustBundle(file=store.put_file(work / "std.tar", f"rust-{target}.tar"))


def _version_in(manifest: str, package: str) -> str:
    """Return a package's version by its file's name, without the mark of a rebuild on one architecture."""
    versions = {file["package"]: file["version"] for file in _PACKED.finditer(manifest)}
    return _REBUILT.sub("", versions[package]) if package in versions else "unknown"


def bundled_files(tar: Path) -> Iterator[FileEntry]:
    """Yield the bundle's files, as they lie below `RUST`."""
    with tarfile.open(tar) as bundle:
        for member in bundle:
            stream = bundle.extractfile(member) if member.isreg() else None
            if stream is not None:
                yield FileEntry(path=PurePosixPath(member.name), content=stream.read(), mode=member.mode & 0o755)


def _spec(path: Path, table: Table) -> RustSpec:
    std = table.required_table("std")
    return RustSpec(
        folder=path.parent,
        version=Version(table.required_text("version")),
        targets=table.required_texts("targets"),
        suite=table.required_text("suite"),
        packages=table.required_texts("packages"),
        programs=table.required_texts("programs"),
        std=std.required_text("package"),
        machines=MappingProxyType({name: text for name, text in std.text_items() if name != "package"}),
    )
