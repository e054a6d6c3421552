"""Cargo's features within the tree: what a crate's choices switch on in the crates it depends on.

Crates of the tree are followed, crates of a registry are asked for features and not looked into. The rules are those of
the Cargo Book, "Features": `dep:`, `name/feature`, `name?/feature`, implicit features of optional dependencies,
inheritance from the workspace.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from factory.errors import SourceError
from factory.project.cargo import Crate, inside, read_crate
from factory.project.files import Reading
from factory.tables import Table

_MOST_CRATES = 1000
_MOST_ASKED = 100_000  # dependencies of crates and features asked of them, in all


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dependency:
    """One entry of `[dependencies]`: the package's real name, its folder in the tree, and what it is asked for.

    `inherited` are the features that the workspace asks for, one tuple for every crate that inherits them.
    """

    package: str
    folder: str | None
    features: tuple[str, ...]
    inherited: tuple[str, ...]
    default_features: bool
    optional: bool


def asked_features(
    files: Reading, crate: Crate, features: Iterable[str] = (), *, default_features: bool = True
) -> dict[str, frozenset[str]]:
    """Return the features that each active registry crate is asked for by the tree, by package name.

    Raises:
        SourceError: a manifest on the way cannot be read, or they ask for too much together.
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
        self.asked = 0
        self.crates: dict[str, Crate] = {}
        self.shared: dict[tuple[str, str], _Dependency] = {}
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
            self.dependencies[crate.manifest] = self._dependencies(crate)
            for name, dependency in self.dependencies[crate.manifest].items():
                if not dependency.optional:
                    self.dependencies_todo.append((crate.manifest, name))
        self.todo += [(crate.manifest, feature) for feature in features]

    def _count(self, number: int) -> None:
        self.asked += number
        if self.asked > _MOST_ASKED:
            raise SourceError(
                f"the crates of the source have more than {_MOST_ASKED} dependencies and features in all",
                hint="name the manifest of a crate that depends on fewer: build.manifest",
            )

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
                values = declared.texts(feature)
                self._count(len(values))
                self.todo += [(manifest, value) for value in values]
            else:
                self.dependencies_todo.append((manifest, feature))

    def _activate(self, manifest: str, name: str) -> None:
        dependency = self.dependencies[manifest].get(name)
        if dependency is None or (manifest, name) in self.active:
            return
        self.active.add((manifest, name))
        self.external[dependency.package].update(())
        weak = self.waiting.pop((manifest, name), [])
        for feature in (
            *(["default"] if dependency.default_features else []),
            *dependency.inherited,
            *dependency.features,
            *weak,
        ):
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

    def _dependencies(self, crate: Crate) -> dict[str, _Dependency]:
        """Read the dependencies for every platform; in practice, PyO3 is never among those of `[target]`."""
        own = crate.table.table("dependencies")
        dependencies: dict[str, _Dependency] = {}
        for name in own.content:
            dependency = dependencies[name] = self._dependency(crate, name, own)
            self._count(1 + len(dependency.inherited) + len(dependency.features))
        return dependencies

    def _dependency(self, crate: Crate, name: str, own: Table) -> _Dependency:
        table = _as_table(own, name)
        if table.flag("workspace", default=False):
            return _inheriting(table, self._shared(crate, name))
        return _declared(name, table, crate.folder)

    def _shared(self, crate: Crate, name: str) -> _Dependency:
        """Return what the workspace of a crate declares, read once for all its crates."""
        key = (crate.workspace_folder, name)
        if key not in self.shared:
            declared = crate.workspace.table("workspace", "dependencies")
            if name not in declared:
                raise SourceError(f"{crate.manifest} inherits {name}, which its workspace does not declare")
            self.shared[key] = _declared(name, _as_table(declared, name), crate.workspace_folder)
        return self.shared[key]


def _declared(name: str, table: Table, folder: str) -> _Dependency:
    path = table.text("path")
    return _Dependency(
        package=table.text("package") or name,
        folder=None if path is None else inside(folder, path),
        features=table.texts("features"),
        inherited=(),
        default_features=table.flag("default-features", default=True),
        optional=table.flag("optional", default=False),
    )


def _inheriting(own: Table, shared: _Dependency) -> _Dependency:
    """Join an entry with what it inherits: features add up, default features are on where either side has them."""
    return replace(
        shared,
        features=own.texts("features"),
        inherited=shared.features,
        default_features=shared.default_features
        or ("default-features" in own and own.flag("default-features", default=True)),
        optional=own.flag("optional", default=False),
    )


def _as_table(parent: Table, name: str) -> Table:
    return Table({}, f"{parent.place}: {name}") if isinstance(parent.get(name), str) else parent.table(name)
