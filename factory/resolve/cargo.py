"""The folder in which cargo fetches crates, and the configuration that it gets there.

cargo never fetches in the source tree: a project's cargo configuration can name programs that cargo then runs (wrappers
of rustc, credential providers, git helpers). The folder has the manifests, the lock, and the part of the configuration
that says where crates come from. Source files are empty, because cargo requires every target to exist.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.digest import Digest
from factory.engine.api import FileEntry
from factory.errors import SourceError
from factory.host import is_loopback, registry_id
from factory.keys import key
from factory.project.cargo import find_workspace
from factory.project.files import Files, Reading, read_bytes
from factory.resolve.toml_text import render_toml
from factory.untrusted import UntrustedTextError, decoded, parse_toml

_SOURCE_FIELDS = (
    *("replace-with", "registry", "local-registry", "directory"),
    *("git", "branch", "tag", "rev"),
)
_KEPT: Mapping[str, tuple[str, ...]] = {"source": _SOURCE_FIELDS, "registries": ("index", "protocol")}
_REGISTRY_FIELDS = ("default", "index")
_LOCAL = ("directory", "local-registry")
_TOKEN_PROVIDER = {
    "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS": "cargo:token"
}  # cargo's own provider, which is no program, but must be named
_CREDENTIALS = re.compile(r"https?://[^/@\s]+@|://[^/@\s:]+:[^/@\s]*@")
_CONFIGURATION_BYTES = 4 << 20
_COPIED_BYTES = 64 << 20
_CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
"""The public registry's name in every lock file, whatever replaces it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFolder:
    """All that cargo sees while it fetches. Paths are relative to the folder, which is cargo's working directory.

    `manifests` are crates that share no workspace; `lock_paths` is where cargo reads the lock of each, or writes a new
    one. `needs_network` is False if no lock names a crate, or the project contains all of them (`cargo vendor`).
    `registries` are the indexes that the project itself names, by `registry_id`.
    """

    files: tuple[FileEntry, ...]
    manifests: tuple[str, ...]
    lock_paths: tuple[str, ...]
    needs_network: bool
    registries: frozenset[tuple[str, str]]

    @property
    def digest(self) -> Digest:
        """The digest of every path and content, and of the manifests to fetch for."""
        files = {str(file.path): Digest.of(file.content).hex for file in self.files}
        return key({"manifests": list(self.manifests), "files": files})

    def commands(self, *, locked: bool) -> tuple[tuple[str, ...], ...]:
        """Return the commands that download every crate of each lock, for all targets: `cargo metadata` needs them."""
        option = ("--locked",) if locked else ()
        return tuple(("cargo", "fetch", *option, "--manifest-path", manifest) for manifest in self.manifests)


def fetch_folder(tree: Files, *manifests: str) -> FetchFolder:
    """Reduce a source tree to what cargo may see in a container with network.

    Raises:
        SourceError: a configuration, a manifest or the lock is not valid TOML, or they are too large.
    """
    reading = Reading.of(tree)
    lock_paths = tuple(posixpath.join(find_workspace(reading, path)[1], "Cargo.lock") for path in manifests)
    configuration = dict(_configuration(reading, tree))
    rooted = configuration.get(".cargo/config", configuration.get(".cargo/config.toml", {}))
    files = [*_copies(tree), *(_entry(path, render_toml(table).encode()) for path, table in configuration.items())]
    return FetchFolder(
        files=tuple(sorted(files, key=lambda file: file.path)),
        manifests=manifests,
        lock_paths=lock_paths,
        needs_network=any(_needs_network(_content(reading, path), rooted) for path in lock_paths),
        registries=frozenset(pair for table in configuration.values() for pair in _registries(table)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserConfiguration:
    """The part of a user's own `$CARGO_HOME/config.toml` that says where crates come from: no program, no token.

    `is_loopback` if one of its URLs has this machine's own loopback address.
    """

    content: bytes = b""
    registries: frozenset[tuple[str, str]] = frozenset()
    is_loopback: bool = False


def user_configuration(content: bytes) -> UserConfiguration:
    """Reduce a user's own configuration as a project's: a mirror stays, programs and tokens are dropped.

    Raises:
        SourceError: it is not valid TOML, or has a user or a password, which builds, that read this file, may not see.
    """
    try:
        kept = _cut(parse_toml(decoded(content, _CONFIGURATION_BYTES)))
    except UntrustedTextError as error:
        raise SourceError(f"your cargo configuration cannot be read: it {error}") from error
    for table, name, value in _urls(kept):
        if _CREDENTIALS.search(value):
            raise SourceError(
                f"your cargo configuration has a user or a password in a URL of [{table}.{name}], where builds see it",
                hint=f"remove it, and give a token instead: CARGO_REGISTRIES_{registry_id(name)}_TOKEN, or "
                f"`cargo login --registry {name}`",
            )
    return UserConfiguration(
        content=render_toml(kept).encode(),
        registries=frozenset(_registries(kept)),
        is_loopback=any(is_loopback(value) for _, _, value in _urls(kept)),
    )


def _urls(kept: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for table in ("source", "registries"):
        for name, entry in _table(kept.get(table)).items():
            yield from ((table, name, str(value)) for value in _table(entry).values() if "://" in str(value))


def usable_tokens(
    tokens: Mapping[str, str], users: frozenset[tuple[str, str]], projects: frozenset[tuple[str, str]]
) -> Mapping[str, str]:
    """Return the variables by which cargo gets the tokens of the registries that the user names.

    cargo sends a registry's token to whatever index the project's configuration gives that name; so the token of a
    registry that a project gives another index is withheld.

    Raises:
        SourceError: such a registry is reached by plain http beyond this machine, where others can read the token.
    """
    for name, index in sorted(users):
        if name in tokens and _is_open(index):
            raise SourceError(
                f"the registry {name} of your cargo configuration has a token, but its index uses plain http",
                hint="use https, or remove the token",
            )
    theirs = {name for name, index in projects if (name, index) not in users}
    ours = {name for name, _ in users} - theirs
    variables = {f"CARGO_REGISTRIES_{name}_TOKEN": token for name, token in sorted(tokens.items()) if name in ours}
    return {**variables, **(_TOKEN_PROVIDER if variables else {})}


def _is_open(index: str) -> bool:
    url = index.lower().removeprefix("sparse+")  # cargo accepts a scheme in capitals too
    return url.startswith("http://") and not is_loopback(url)


def _registries(configuration: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, entry in _table(configuration.get("registries")).items():
        yield registry_id(name), str(_table(entry).get("index", ""))


def _copies(tree: Files) -> Iterator[FileEntry]:
    copied_bytes = 0
    for path in tree.paths:
        name = posixpath.basename(path)
        if name in ("Cargo.toml", "Cargo.lock", ".cargo-checksum.json"):
            content = read_bytes(tree, path) or b""
            copied_bytes += len(content)
            if copied_bytes > _COPIED_BYTES:
                raise SourceError(f"the source's manifests and locks have more than {_COPIED_BYTES} bytes together")
            yield _entry(path, content)
        elif name.endswith(".rs"):
            yield _entry(path, b"")


def _entry(path: str, content: bytes) -> FileEntry:
    return FileEntry(path=PurePosixPath(path), content=content)


def _configuration(reading: Reading, tree: Files) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield what is kept of each of the project's configuration files."""
    for path in tree.paths:
        if _is_configuration(path):
            yield path, _cut(_content(reading, path) or {})


def _is_configuration(path: str) -> bool:
    return path.endswith((".cargo/config", ".cargo/config.toml")) and PurePosixPath(path).parent.name == ".cargo"


def _cut(configuration: Mapping[str, object]) -> Mapping[str, object]:
    """Keep where crates come from, and drop the rest: an allow-list, since any other table may name a program."""
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


def _content(reading: Reading, path: str) -> Mapping[str, object] | None:
    table = reading.table(path)
    return None if table is None else table.content


def _needs_network(lock: Mapping[str, object] | None, configuration: Mapping[str, object]) -> bool:
    if lock is None:
        return True
    packages = lock.get("package", [])
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
