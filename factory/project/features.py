"""Cargo's features within the tree: what a crate's choices switch on in the crates it depends on.

Crates of the tree are followed, crates of a registry are asked for features and not looked into. The rules are those of
the Cargo Book, "Features": `dep:`, `name/feature`, `name?/feature`, implicit features of optional dependencies,
inheritance from the workspace.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from factory.errors import SourceError
from factory.project.cargo import Crate, inside, read_crate
from factory.project.tables import Reading, Table

_MOST_CRATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dependency:
    """One entry of `[dependencies]`: the package's real name, its folder in the tree, and what it is asked for."""

    package: str
    folder: str | None
    features: tuple[str, ...]
    default_features: bool
    optional: bool


def asked_features(
    files: Reading, crate: Crate, features: Iterable[str] = (), *, default_features: bool = True
) -> dict[str, frozenset[str]]:
    """Return the features that each active registry crate is asked for by the tree, by package name.

    Raises:
        SourceError: a manifest on the way cannot be read.
    """
    walk = _Walk(files)
    walk.add(crate, [*(["default"] if default_features else []), *features])
    walk.run()
    return {name: frozenset(asked) for name, asked in walk.external.items()}


class _Walk:
    """A work list over features and dependencies of crates; each is done once.

    `waiting` are the features that `name?/feature` asks of a dependency, should something else switch it on.
    """

    def __init__(self, files: Reading) -> None:
        self.files = files
        self.crates: dict[str, Crate] = {}
        self.dependencies: dict[str, dict[str, _Dependency]] = {}
        self.active: set[tuple[str, str]] = set()
        self.done: set[tuple[str, str]] = set()
        self.waiting: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.todo: list[tuple[str, str]] = []
        self.dependencies_todo: list[tuple[str, str]] = []
        self.external: dict[str, set[str]] = defaultdict(set)

    def run(self) -> None:
        while self.todo or self.dependencies_todo:
            if self.dependencies_todo:
                self._activate(*self.dependencies_todo.pop())
                continue
            manifest, feature = self.todo.pop()
            if (manifest, feature) not in self.done:
                self.done.add((manifest, feature))
                self._switch_on(manifest, feature)

    def add(self, crate: Crate, features: Iterable[str]) -> None:
        if crate.manifest not in self.crates:
            if len(self.crates) == _MOST_CRATES:
                raise SourceError(f"more than {_MOST_CRATES} crates of the source depend on one another")
            self.crates[crate.manifest] = crate
            self.dependencies[crate.manifest] = _dependencies(crate)
            for name, dependency in self.dependencies[crate.manifest].items():
                if not dependency.optional:
                    self.dependencies_todo.append((crate.manifest, name))
        self.todo += [(crate.manifest, feature) for feature in features]

    def _switch_on(self, manifest: str, feature: str) -> None:
        name, slash, wanted = feature.partition("/")
        if slash and name.endswith("?"):
            if (manifest, name[:-1]) in self.active:
                self._ask(manifest, name[:-1], wanted)
            else:
                self.waiting[manifest, name[:-1]].append(wanted)
        elif slash:
            self.dependencies_todo.append((manifest, name))
            self._ask(manifest, name, wanted)
        elif feature.startswith("dep:"):
            self.dependencies_todo.append((manifest, feature.removeprefix("dep:")))
        else:
            declared = self.crates[manifest].table.table("features")
            if feature in declared:
                self.todo += [(manifest, value) for value in declared.texts(feature)]
            else:
                self.dependencies_todo.append((manifest, feature))

    def _activate(self, manifest: str, name: str) -> None:
        dependency = self.dependencies[manifest].get(name)
        if dependency is None or (manifest, name) in self.active:
            return
        self.active.add((manifest, name))
        self.external[dependency.package].update(())
        weak = self.waiting.pop((manifest, name), [])
        for feature in (*(["default"] if dependency.default_features else []), *dependency.features, *weak):
            self._ask(manifest, name, feature)
        if dependency.folder is not None:
            self.add(self._crate(dependency.folder), ())

    def _ask(self, manifest: str, name: str, feature: str) -> None:
        dependency = self.dependencies[manifest].get(name)
        if dependency is None:
            return
        if dependency.folder is None:
            self.external[dependency.package].add(feature)
        else:
            self.add(self._crate(dependency.folder), [feature])

    def _crate(self, folder: str) -> Crate:
        manifest = posixpath.join(folder, "Cargo.toml")
        return self.crates.get(manifest) or read_crate(self.files, manifest)


def _dependencies(crate: Crate) -> dict[str, _Dependency]:
    """Read the dependencies that hold on every platform; those under `[target]` say nothing about PyO3 in practice."""
    own = crate.table.table("dependencies")
    shared = crate.workspace.table("workspace", "dependencies")
    return {name: _dependency(crate, name, own, shared) for name, _ in own.items()}


def _dependency(crate: Crate, name: str, own: Table, shared: Table) -> _Dependency:
    table = _as_table(own, name)
    if not table.flag("workspace", default=False):
        return _merged(name, table, Table({}, table.place), crate.folder)
    if name not in shared:
        raise SourceError(f"{crate.manifest} inherits {name}, which its workspace does not declare")
    return _merged(name, table, _as_table(shared, name), crate.workspace_folder)


def _merged(name: str, own: Table, shared: Table, folder: str) -> _Dependency:
    """Join an entry with what it inherits: features add up, default features hold where either side has them."""
    inherits = own.flag("workspace", default=False)
    declared = shared if inherits else own
    path = declared.text("path")
    default = declared.flag("default-features", default=True)
    if inherits and "default-features" in own:
        default = default or own.flag("default-features", default=True)
    return _Dependency(
        package=declared.text("package") or name,
        folder=None if path is None else inside(folder, path),
        features=(*shared.texts("features"), *own.texts("features")),
        default_features=default,
        optional=own.flag("optional", default=False),
    )


def _as_table(parent: Table, name: str) -> Table:
    return Table({}, f"{parent.place}: {name}") if isinstance(parent.get(name), str) else parent.table(name)
