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
_SECTIONS = ("dependencies", "build-dependencies")  # cargo builds neither tests nor examples of a wheel


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
    workspace, folder = find_workspace(files, manifest)
    return Crate(manifest=manifest, table=table, workspace=workspace, workspace_folder=folder)


def lock_path(crate: Crate) -> str:
    """Return where cargo reads a crate's Cargo.lock: beside its workspace's manifest, and nowhere else."""
    return posixpath.join(crate.workspace_folder, "Cargo.lock")


def read_lock(files: Reading, crate: Crate) -> str | None:
    """Return the path of the Cargo.lock that governs a crate, None where the tree has none there."""
    path = lock_path(crate)
    return None if files.size(path) is None else path


def needs_beyond(crate: Crate) -> Iterator[str]:
    """Yield what a crate needs that lies outside of the tree: a workspace that it inherits from, crates by path."""
    if "workspace" not in crate.workspace and (inherited := next(_inherited(crate.table), None)):
        yield f"{crate.manifest} takes {inherited} from a workspace, and no manifest of the source is its root"
    for name in _SECTIONS:
        for dependency, value in crate.table.table(name).items():
            path = value.get("path") if isinstance(value, dict) else None
            if isinstance(path, str) and not path.startswith("/") and inside(crate.folder, path) is None:
                yield f"{crate.manifest} depends on {excerpt(dependency)} at {excerpt(path)}, outside of the source"


def _inherited(table: Table) -> Iterator[str]:
    """Yield the fields of a package and the dependencies that say `workspace = true`."""
    for name in ("package", *_SECTIONS):
        for key, value in table.table(name).items():
            if isinstance(value, dict) and value.get("workspace") is True:
                yield excerpt(f"{name}.{key}")


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


def find_workspace(files: Reading, manifest: str) -> tuple[Table, str]:
    """Return the manifest of a crate's workspace and its folder, as cargo finds them (`find_workspace_root`).

    It is the crate's own, the one that `package.workspace` names, or the nearest above that does not exclude the crate,
    or that a manifest between names. A crate without one stands alone: an empty table, and its own folder.

    Raises:
        SourceError: a manifest on the way is not valid.
    """
    folder = posixpath.dirname(manifest)
    for place in (folder, *_parents(folder)):
        table = files.table(posixpath.join(place, "Cargo.toml"))
        if table is None:
            continue
        if "workspace" in table and (place == folder or not _excludes(table, place, folder)):
            return table, place
        if (root := _named_root(table, place)) is not None:
            return files.table(posixpath.join(root, "Cargo.toml")) or Table({}, manifest), root
    return Table({}, manifest), folder


def _named_root(table: Table, folder: str) -> str | None:
    """Return the folder that `package.workspace` names; None if none is named, or it is outside of the tree."""
    package = table.get("package")
    named = package.get("workspace") if isinstance(package, dict) else None
    return inside(folder, named) if isinstance(named, str) else None


def _excludes(root: Table, place: str, folder: str) -> bool:
    """Whether a workspace excludes a crate: what it lists as a member by name it does not."""
    workspace = root.table("workspace")
    excluded, members = workspace.texts("exclude"), workspace.texts("members")
    if len(excluded) > _MOST_EXCLUDED:
        raise SourceError(f"{root.place}: workspace excludes {len(excluded)} paths; at most {_MOST_EXCLUDED} are read")
    below = posixpath.relpath(folder, place or ".")
    is_member = any(_is_at_or_below(below, path) for path in members[:_MOST_EXCLUDED])
    return not is_member and any(_is_at_or_below(below, path) for path in excluded)


def _is_at_or_below(path: str, top: str) -> bool:
    plain = posixpath.normpath(top)
    return path == plain or path.startswith(f"{plain}/")


def _parents(folder: str) -> Iterator[str]:
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


def _manifests(files: Reading) -> list[str]:
    return [path for path in files.paths if posixpath.basename(path) == "Cargo.toml"][:5]
