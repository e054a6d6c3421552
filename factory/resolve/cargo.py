"""Crates: the folder in which cargo fetches them, and what cargo printed when it could not.

cargo never fetches in the source tree: a project's cargo configuration can name programs that cargo then runs (wrappers
of rustc, credential providers, git helpers). The folder holds manifests, the lock, and of the configuration what says
where crates come from. Sources are there as empty files, because cargo wants every target to exist.
"""

import posixpath
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from factory.digest import Digest
from factory.engine.api import FileEntry
from factory.errors import SourceError
from factory.keys import key
from factory.resolve.toml_text import render_toml

_SOURCE_FIELDS = (
    *("replace-with", "registry", "local-registry", "directory"),
    *("git", "branch", "tag", "rev"),
)
_KEPT: Mapping[str, tuple[str, ...]] = {"source": _SOURCE_FIELDS, "registries": ("index", "protocol")}
_REGISTRY_FIELDS = ("default", "index")
_LOCAL = ("directory", "local-registry")
_CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
"""How every lock file names the public registry, whatever it is replaced with."""


class Readable(Protocol):
    """A tree of files."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file's path, relative, with `/`."""
        ...

    def read(self, path: str) -> bytes | None:
        """Read one file; None where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFolder:
    """All that cargo sees while it fetches. Paths are relative to the folder, which is cargo's working directory.

    `lock_path` is where cargo reads the lock or writes a new one. `needs_network` is False where the lock names no
    crate, or the project brings all of them along (`cargo vendor`).
    """

    files: tuple[FileEntry, ...]
    manifest: str
    lock_path: str
    needs_network: bool

    @property
    def digest(self) -> Digest:
        """What names the folder: every path and content, and the manifest that is fetched for."""
        files = {str(file.path): Digest.of(file.content).hex for file in self.files}
        return key({"manifest": self.manifest, "files": files})

    def argv(self, *, locked: bool) -> tuple[str, ...]:
        """Return the command that downloads every crate of the lock, for every target: `cargo metadata` reads all."""
        return ("cargo", "fetch", *(("--locked",) if locked else ()), "--manifest-path", self.manifest)


def fetch_folder(tree: Readable, *, manifest: str) -> FetchFolder:
    """Cut a source tree down to what cargo may see in a container with network.

    Raises:
        SourceError: a configuration or the lock is no TOML.
    """
    lock_path = str(PurePosixPath(_workspace_root(tree, manifest)) / "Cargo.lock")
    configuration = {path: _configuration(tree, path) for path in tree.paths if _is_configuration(path)}
    rooted = configuration.get(".cargo/config", configuration.get(".cargo/config.toml", {}))
    files = [*_copies(tree), *(_entry(path, render_toml(table).encode()) for path, table in configuration.items())]
    return FetchFolder(
        files=tuple(sorted(files, key=lambda file: file.path)),
        manifest=manifest,
        lock_path=lock_path,
        needs_network=_needs_network(tree.read(lock_path), rooted),
    )


def user_configuration(content: bytes) -> bytes:
    """Cut a user's own `$CARGO_HOME/config.toml` down in the same way: a mirror stays, programs and tokens go.

    Raises:
        SourceError: it is no TOML.
    """
    return render_toml(_cut(_parse("your cargo configuration", content))).encode()


def _copies(tree: Readable) -> Iterator[FileEntry]:
    for path in tree.paths:
        name = posixpath.basename(path)
        if name in ("Cargo.toml", "Cargo.lock", ".cargo-checksum.json"):
            yield _entry(path, tree.read(path) or b"")
        elif name.endswith(".rs"):
            yield _entry(path, b"")


def _entry(path: str, content: bytes) -> FileEntry:
    return FileEntry(path=PurePosixPath(path), content=content)


def _is_configuration(path: str) -> bool:
    return path.endswith((".cargo/config", ".cargo/config.toml")) and PurePosixPath(path).parent.name == ".cargo"


def _configuration(tree: Readable, path: str) -> Mapping[str, object]:
    return _cut(_parse(path, tree.read(path) or b""))


def _parse(path: str, content: bytes) -> Mapping[str, object]:
    try:
        return tomllib.loads(content.decode())
    except ValueError as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def _cut(configuration: Mapping[str, object]) -> Mapping[str, object]:
    """Keep where crates come from, and drop all else: an allow-list, since any other table may name a program."""
    kept: dict[str, object] = {}
    for table, allowed in _KEPT.items():
        entries = _table(configuration.get(table))
        if cut := {name: _only(_table(entry), allowed) for name, entry in entries.items()}:
            kept[table] = cut
    if registry := _only(_table(configuration.get("registry")), _REGISTRY_FIELDS):
        kept["registry"] = registry
    return kept


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _only(table: Mapping[str, object], allowed: tuple[str, ...]) -> Mapping[str, object]:
    return {name: value for name, value in table.items() if name in allowed and isinstance(value, str)}


def _workspace_root(tree: Readable, manifest: str) -> str:
    """Return the folder whose Cargo.lock counts: the nearest with `[workspace]`, else the manifest's own."""
    own = posixpath.dirname(manifest)
    folder = own
    while True:
        content = tree.read(posixpath.join(folder, "Cargo.toml"))
        table = {} if content is None else _parse(posixpath.join(folder, "Cargo.toml"), content)
        if "workspace" in table:
            return folder
        named = _table(table.get("package")).get("workspace")
        if folder == own and isinstance(named, str):
            root = _within(posixpath.join(own, named))
            return own if root is None else root
        if not folder:
            return own
        folder = posixpath.dirname(folder)


def _within(path: str) -> str | None:
    """Return a path in its shortest form, the root as nothing; None where it leaves the tree."""
    plain = posixpath.normpath(path)
    if plain.startswith(("..", "/")):
        return None
    return "" if plain == "." else plain


def _needs_network(lock: bytes | None, configuration: Mapping[str, object]) -> bool:
    if lock is None:
        return True
    packages = _parse("Cargo.lock", lock).get("package", [])
    sources = {_table(package).get("source") for package in packages} if isinstance(packages, list) else {None}
    remote = {source for source in sources if isinstance(source, str)}
    return any(not _is_replaced(source, _table(configuration.get("source"))) for source in remote)


def _is_replaced(source: str, table: Mapping[str, object]) -> bool:
    """Whether a chain of `replace-with` leads from a lock's source to a folder of the project."""
    name = _source_name(source, table)
    seen: set[str] = set()
    while name is not None and name not in seen:
        seen.add(name)
        entry = _table(table.get(name))
        if any(local in entry for local in _LOCAL):
            return True
        following = entry.get("replace-with")
        name = following if isinstance(following, str) else None
    return False


def _source_name(source: str, table: Mapping[str, object]) -> str | None:
    """Find the configuration's entry for a source as locks write it: `registry+URL`, `git+URL?tag=…#commit`."""
    if source == _CRATES_IO:
        return "crates-io"
    kind, _, url = source.partition("+")
    field = {"registry": "registry", "sparse": "registry", "git": "git"}.get(kind, "")
    plain = url.partition("#")[0].partition("?")[0]
    return next((name for name, entry in table.items() if _table(entry).get(field) == plain), None)
