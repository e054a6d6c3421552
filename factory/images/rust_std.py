"""Rust's standard library for Windows and musl, compiled from a suite's source: its packages have neither."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factory.digest import Digest
from factory.errors import ImageError
from factory.host import Host
from factory.images.foreign import machine_here
from factory.images.rust import RustBundle, kept_std, ran
from factory.images.shell import Progress
from factory.images.spec import data_folder, read_data
from factory.store import Store
from factory.system import processors

RUST_STD_FOLDER: Final = "rust-std"
_DATA: Final = "std.toml"
_SCRIPT: Final = "compile-std.sh"
_HELPER: Final = "unprivileged.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class StdSpec:
    """What the library is compiled from and with: packages of a suite, of which the first is rustc."""

    folder: Path
    suite: str
    packages: tuple[str, ...]


def std_spec() -> StdSpec:
    """Read the data file.

    Raises:
        ImageError: the file is invalid.
    """
    path = data_folder() / RUST_STD_FOLDER / _DATA
    table = read_data(path)
    try:
        suite, packages = table.required_text("suite"), table.required_texts("packages")
    except ValueError as error:
        raise ImageError(f"{path}: {error}", hint="images/README.md names every key") from error
    return StdSpec(folder=path.parent, suite=suite, packages=packages)


def input_digest(spec: StdSpec) -> Digest:
    """Digest everything of ours that the library is made with; no package's version."""
    files = [*sorted(path for path in spec.folder.iterdir()), spec.folder.parent / "scripts" / _HELPER]
    return Digest.of_chunks(hashlib.sha256(path.name.encode() + b"\0" + path.read_bytes()).digest() for path in files)


def compile_std(host: Host, store: Store, bundle: RustBundle, target: str, progress: Progress) -> RustBundle:
    """Compile the standard library for a target, to be laid over the bundle, and keep it in the store.

    Raises:
        ImageError: a tool is missing, packages could not be downloaded, it does not compile, or the suite has another
            version than the bundle by now.
    """
    spec = std_spec()
    env = {
        "SUITE": spec.suite,
        "PACKAGES": ",".join(spec.packages),
        "TRIPLE": target,
        "JOBS": str(processors()),
    }
    progress(f"compiling Rust's standard library for {target} on {spec.suite}")
    failing = f"Rust's standard library for {target} could not be compiled"
    machine, script = machine_here(), spec.folder / _SCRIPT  # It is the same whatever machine's rustc compiles it.
    with ran(script, env, failing=failing, host=host, store=store, progress=progress, machine=machine) as work:
        return kept_std(store, bundle, work, spec.packages[0], target=target, suite=spec.suite)
