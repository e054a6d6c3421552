"""From a source and what it says to a draft of its recipe: a pure function of values."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from packaging.utils import NormalizedName
from packaging.version import Version

from factory.errors import ImageError, SourceError
from factory.image_facts import ImageFacts
from factory.init.carry import carry
from factory.init.cibuildwheel import Settings, read_settings
from factory.init.floors import Floors, read_floors
from factory.init.ground import Ground
from factory.init.model import Carried, Draft, Entry, Left, shown
from factory.init.modules import is_pure, named_modules
from factory.init.overrides import overridden
from factory.init.requirements import Wanted
from factory.init.selectors import matches, refuse_unreadable
from factory.init.system import IndexOf, PackageIndex, for_managers, guessed, managers_of, no_index
from factory.init.targets import Targets, carried_targets, served, targets
from factory.init.wishes.read import wishes
from factory.plan.images import build_image
from factory.project.downloads import downloads
from factory.project.files import Files, Reading
from factory.project.model import Project
from factory.project.read import read_project
from factory.tables import Table

_WORKFLOWS = ".github/workflows/"
_WORKFLOW_SETTING = re.compile(rb"\bCIBW_[A-Z0-9_]+")
_SEE_MODULES = (
    "the extension modules that the wheel must contain are not clear from the source; the first build names those "
    "that it finds, and the line to write"
)
_SEE_TESTS = "trials only import the package; add a line that uses it"
_PURE = (
    "nothing in the source is compiled: its wheel is most likely pure Python (py3-none-any), which runs everywhere "
    "as it is. `python -m build` makes it; this recipe would owe a wheel for each interpreter."
)
_FOR_TESTS = (("test", "requires"), ("test", "extras"))
_NO_PACKAGE = frozenset({"test", "tests", "doc", "docs", "example", "examples", "benchmarks"})
_HOMES = ("", "src", "lib", "python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What was named on the command line, and how a recipe names it: a release, or a folder.

    `path` is relative to the recipe's folder; `file` is a sdist's as a person typed it.
    """

    name: NormalizedName
    version: Version | None = None
    sha256: str | None = None
    path: PurePath | None = None
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a source says, as far as it can be read; the build would stop at the `troubles` too."""

    project: Project | None
    pyproject: Table
    settings: Settings | None
    troubles: tuple[Left, ...]

    @property
    def backend(self) -> str:
        """The module that the source names as its backend; setuptools where nothing can be read."""
        return "setuptools" if self.project is None else self.project.build_system.module


def draft(
    origin: Origin,
    files: Files,
    images: Sequence[ImageFacts],
    *,
    families: Sequence[str],
    index_of: IndexOf = no_index,
) -> Draft:
    """Read what a source says of itself, and of how cibuildwheel builds it, into the draft of a recipe.

    `index_of` returns the package index of an image: that of the image that builds the wheels answers.

    Raises:
        ImageError: no image of these families builds for anything that can be tried here.
    """
    if not served(images, families):
        raise ImageError(
            f"no image of {', '.join(families)} builds for anything that can be tried here",
            hint="`factory image list` shows what there is",
        )
    title = f"{origin.name}{f' {origin.version}' if origin.version else ''}"
    reading = Reading.of(files)
    source = _read(reading)
    floors = read_floors(reading, source.project, source.pyproject, source.settings)
    chosen = targets(source.project, floors.floors, source.settings, images, families)
    carried = _carried(origin, reading, source, floors, chosen)
    index = _index(chosen, images, families, index_of)
    if index is not None:
        carried = guessed(carried, wishes(files, source.backend), index)
    return Draft.of(title, _tests(for_managers(carried, managers_of(images, families))))


def _index(
    chosen: Targets, images: Sequence[ImageFacts], families: Sequence[str], index_of: IndexOf
) -> PackageIndex | None:
    """Return the index of the first image that builds one of the platforms and has one."""
    builders = (build_image(platform, images, families) for platform in chosen.platforms)
    return next((index for image in builders if (index := index_of(image)) is not None), None)


def _carried(origin: Origin, files: Reading, source: _Said, floors: Floors, chosen: Targets) -> Iterator[Carried]:
    yield Entry(field=("factory",), value=1)
    pure = _is_pure(files, source)
    yield Entry(field=("name",), value=origin.name, caution=_PURE if pure else "")
    yield from _source(origin)
    yield from carried_targets(chosen, source.project, floors.floors, source.settings)
    yield from floors.carried
    if source.settings is not None:
        yield from _of_cibuildwheel(source.settings, files, source.pyproject, chosen)
    # A wheel for every Python has no extension module, whatever class of setuptools compiles its library.
    if source.project is not None and not pure and source.project.any_abi is None:
        yield from _modules(files, source.project, source.pyproject)
    if source.project is not None:
        yield from _packages(files, source.project.name)
    for download in downloads(files, source.backend):
        yield Left(what=download.place, why=f"builds have no network: {download.way}")
    yield from source.troubles
    yield from _workflows(files)


def _read(files: Reading) -> _Said:
    troubles: list[Left] = []
    project, pyproject, settings = None, Table({}, "pyproject.toml"), None
    try:
        pyproject = files.table("pyproject.toml") or pyproject
        settings = read_settings(files, "")
        if settings is not None:
            refuse_unreadable(settings)
    except SourceError as error:
        settings = None
        troubles.append(_trouble(error))
    try:
        project = read_project(files)
    except SourceError as error:
        troubles.append(_trouble(error))
    return _Said(project=project, pyproject=pyproject, settings=settings, troubles=tuple(dict.fromkeys(troubles)))


def _is_pure(files: Files, source: _Said) -> bool:
    try:
        return source.project is not None and is_pure(files, source.project, source.pyproject)
    except SourceError:
        return False  # a table that is none: the build would stop at it, and says so


def _trouble(error: SourceError) -> Left:
    return Left(what=error.message, why=error.hint or "the source is read, but never run")


def _source(origin: Origin) -> Iterator[Carried]:
    if origin.path is not None:
        yield Entry(field=("source", "path"), value=str(origin.path))
    else:
        why = f"read from {origin.file}; a build takes this release from the index" if origin.file else ""
        yield Entry(field=("source", "sdist"), value=f"{origin.name}=={origin.version}", why=why)
        if origin.sha256 is not None:
            yield Entry(field=("source", "sha256"), value=origin.sha256)


def _of_cibuildwheel(settings: Settings, files: Files, pyproject: Table, chosen: Targets) -> Iterator[Carried]:
    in_force, left = overridden(settings, chosen.identifiers)
    yield from carry(Ground(settings=in_force, files=files, pyproject=pyproject, wanted=Wanted(files, pyproject)))
    yield from left
    untested = [identifier for identifier in chosen.identifiers if matches(in_force.words("test-skip"), identifier)]
    if untested:
        yield Left(what=f"{settings.place}.test-skip: {', '.join(untested)}", why="every listed interpreter is tried")


def _modules(files: Files, project: Project, pyproject: Table) -> Iterator[Carried]:
    named = named_modules(files, "", project, pyproject)
    for modules in named:
        if modules.surety == "declared":
            yield Entry(field=("audit", "modules"), value=modules.names, why=modules.where)
        elif modules.surety == "guessed":
            why = f"a guess by {modules.where}: the build says which of them the wheel holds"
            yield Entry(field=("audit", "guessed-modules"), value=modules.names, why=why)
        else:
            why = f"{modules.where} names them under a condition, or without their package; add what Linux builds"
            yield Left(what=f"audit.modules: {', '.join(modules.names)}", why=why)
    if not named:
        yield Left(what="audit.modules", why=_SEE_MODULES)


def _packages(files: Files, name: NormalizedName) -> Iterator[Carried]:
    """Yield what trials can import: the package of the project's own name, else those that setuptools listed."""
    wanted = name.replace("-", "_")
    for path in files.paths:
        folder, _, base = path.rpartition("/")
        home, _, package = folder.rpartition("/")
        if base == "__init__.py" and home in _HOMES and package.lower() == wanted:
            yield Entry(field=("test", "import"), value=(package,), why=path)
            return
    for path in files.paths:
        if path.endswith(".egg-info/top_level.txt"):
            listed = (files.read(path) or b"").decode(errors="replace").split()
            names = tuple(
                module for module in listed if module.isidentifier() and module not in _NO_PACKAGE and module[0] != "_"
            )
            if names:
                yield Entry(field=("test", "import"), value=names, why=path)
            return


def _tests(carried: Iterable[Carried]) -> Iterator[Carried]:
    """Pass everything on; without a test, say so, and leave out what only tests need."""
    everything = tuple(carried)
    has_test = any(isinstance(item, Entry) and item.field == ("test", "run") for item in everything)
    for item in everything:
        if isinstance(item, Entry) and item.field in _FOR_TESTS and not has_test:
            yield Left(what=f"{item.dotted}: {shown(item.value)} ({item.why})", why="no test uses it")
        else:
            yield item
    if not has_test:
        yield Left(what="test.run", why=_SEE_TESTS)


def _workflows(files: Files) -> Iterator[Carried]:
    """Name the settings of cibuildwheel in workflows: they are shell and YAML, and are not read."""
    for path in files.paths:
        if path.startswith(_WORKFLOWS) and path.endswith((".yml", ".yaml")):
            names = sorted({name.decode() for name in _WORKFLOW_SETTING.findall(files.read(path) or b"")})
            if names:
                yield Left(what=f"{path}: {', '.join(names)}", why="settings in workflows are not read")
