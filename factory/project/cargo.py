"""A crate and its workspace as their manifests say: paths, lock, Rust version, name of the library."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version

from factory.errors import SourceError
from factory.project.files import Reading
from factory.tables import Table
from factory.untrusted import UntrustedTextError, excerpt, parse_version

_MOST_EXCLUDED = 1000  # every crate of a workspace is compared with each

PYO3 = ("pyo3", "pyo3-ffi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """One crate of the tree; `manifest` is its path, `workspace` its workspace's manifest, which may be its own."""

    manifest: str
    table: Table
    workspace: Table
    workspace_folder: str

    @property
    def folder(self) -> str:
        """The folder of its manifest, empty for the root."""
        return posixpath.dirname(self.manifest)

    @property
    def library(self) -> str | None:
        """The name of the library it makes, None without a name."""
        name = self.table.table("lib").text("name") or self.table.table("package").text("name")
        return None if name is None else name.replace("-", "_")

    @property
    def rust_version(self) -> Version | None:
        """The `rust-version` of the package, or the one it inherits."""
        package = self.table.table("package")
        own = package.get("rust-version")
        text = self.workspace.table("workspace", "package").text("rust-version") if isinstance(own, dict) else own
        if text is None:
            return None
        try:
            return parse_version(str(text))
        except UntrustedTextError as error:
            raise SourceError(f"{self.manifest} states rust-version {excerpt(str(text))}, which {error}") from error


def read_crate(files: Reading, manifest: str) -> Crate:
    """Read a crate's manifest and find the workspace it belongs to.

    Raises:
        SourceError: there is no such manifest, or it is not valid TOML.
    """
    table = files.table(manifest)
    if table is None:
        raise SourceError(
            f"the source has no {manifest}",
            hint=f"manifests in it: {', '.join(_manifests(files)) or 'none'}",
        )
    workspace, folder = _workspace(files, manifest, table)
    return Crate(manifest=manifest, table=table, workspace=workspace, workspace_folder=folder)


def read_lock(files: Reading, crate: Crate) -> str | None:
    """Return the path of the Cargo.lock that governs a crate: its workspace's, else its own."""
    for folder in (crate.workspace_folder, crate.folder):
        path = posixpath.join(folder, "Cargo.lock")
        if files.size(path) is not None:
            return path
    return None


def locked_version(files: Reading, lock: str | None, name: str) -> Version | None:
    """Return the version that a lock pins for a crate.

    Raises:
        SourceError: the lock cannot be read.
    """
    table = None if lock is None else files.table(lock)
    if table is None:
        return None
    texts = [package.text("version") for package in table.tables("package") if package.text("name") == name]
    return max((parse_crate_version(text) for text in texts if text is not None), default=None)


def parse_crate_version(text: str) -> Version:
    """Read a crate's semantic version; what follows a `-` or `+` is left out where Python knows no such spelling.

    Raises:
        SourceError: it is not a version.
    """
    match = re.match(r"[0-9]+(\.[0-9]+){0,2}", text)
    try:
        return parse_version("" if match is None else match[0])
    except UntrustedTextError as error:
        raise SourceError(f"{excerpt(text)} is not a crate version") from error


def inside(folder: str, path: str) -> str | None:
    """Join a path of a manifest to its folder; None where it leaves the tree."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    if path.startswith("/") or joined == ".." or joined.startswith("../"):
        return None
    return "" if joined == "." else joined


def _workspace(files: Reading, manifest: str, table: Table) -> tuple[Table, str]:
    """Find the nearest manifest above that declares a workspace and does not exclude this crate (Cargo's rule)."""
    folder = posixpath.dirname(manifest)
    if "workspace" in table:
        return table, folder
    for parent in _parents(folder):
        candidate = files.table(posixpath.join(parent, "Cargo.toml"))
        if candidate is not None and "workspace" in candidate:
            below = posixpath.relpath(folder, parent or ".")
            excluded = candidate.table("workspace").texts("exclude")
            if len(excluded) > _MOST_EXCLUDED:
                raise SourceError(
                    f"{candidate.place}: workspace excludes {len(excluded)} paths; at most {_MOST_EXCLUDED} are read"
                )
            if any(below == path.strip("/") or below.startswith(f"{path.strip('/')}/") for path in excluded):
                break
            return candidate, parent
    return Table({}, manifest), folder


def _parents(folder: str) -> Iterator[str]:
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


def _manifests(files: Reading) -> list[str]:
    return [path for path in files.paths if posixpath.basename(path) == "Cargo.toml"][:5]
