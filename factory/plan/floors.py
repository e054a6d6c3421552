"""Which abi3 floors are owed, or which tag without an ABI, and where that is stated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from factory.errors import PlanError
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.recipe.targets import Tagging
from factory.tags import FIRST_ABI3T, Abi3Floor, AnyPython, Interpreter

_WAYS = (
    "write build: {floor: …} with {feature: NAME} for a cargo feature, {option: TEXT} for a build option, "
    "interpreter where the building one decides, or project where the source fixes it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """The floors that are owed a wheel each, where that is stated, and how they reach the build.

    `way` is None without floors. Where the way is `feature` or `option`, a build without it makes version-specific
    wheels; every other way leaves the floor in all builds. `others` are floors of the source that the recipe does not
    list: what their interpreters build keeps to them all the same. `any_python` is the tag of the one wheel that is
    owed per platform, instead of any other.
    """

    any_python: AnyPython | None = None
    floors: tuple[Abi3Floor, ...] = ()
    others: tuple[Abi3Floor, ...] = ()
    source: str
    way: Literal["default", "feature", "option", "interpreter", "project"] | None = None

    @property
    def always_on(self) -> bool:
        """Whether no GIL interpreter below the floors can have a wheel of its own."""
        return self.way in ("default", "interpreter", "project")

    def home(self, interpreter: Interpreter) -> Abi3Floor | None:
        """Return the floor whose wheel is made for an interpreter: the highest that covers it."""
        return _highest(self.floors, interpreter)

    def made_by(self, interpreter: Interpreter) -> Abi3Floor | None:
        """Return the floor that a build by an interpreter keeps to, whether the recipe lists it or not."""
        return _highest((*self.floors, *self.others), interpreter)


def _highest(floors: Sequence[Abi3Floor], interpreter: Interpreter) -> Abi3Floor | None:
    covering = [floor for floor in floors if floor.covers(interpreter)]
    return max(covering, key=lambda floor: (floor.minor, floor.free_threaded), default=None)


def owed_floors(recipe: Recipe, project: Project, backend: str, listed: Sequence[Interpreter]) -> Floors:
    """Take the recipe's floors, else the source's, else none.

    Raises:
        PlanError: the recipe and the source contradict each other, or nothing says how a floor reaches the build.
    """
    if recipe.wheel is not None:
        return _of_tagging(recipe.wheel)
    if recipe.abi3 is not None:
        return _of_recipe(recipe, recipe.abi3, project, backend)
    if project.any_abi is not None:
        return Floors(any_python=project.any_abi.tag, source=f"one wheel for every Python: {project.any_abi.where}")
    return _from_source(recipe, project, backend, listed)


def _of_tagging(wheel: Tagging) -> Floors:
    return Floors(any_python=wheel if isinstance(wheel, AnyPython) else None, source=f"the recipe says wheel: {wheel}")


def _of_recipe(recipe: Recipe, floors: tuple[Abi3Floor, ...], project: Project, backend: str) -> Floors:
    way = recipe.build.floor.kind
    if way == "default":
        _refuse_contradiction(floors, project)
    stated = project.floor.floors if project.floor and way == "default" else ()
    if way == "default" and project.floor is None:
        if not _undecided(project, backend):
            raise PlanError(f"nothing in the source says how {_listed(floors)} reaches the build", hint=_WAYS)
        way = "interpreter"
    agrees = f"; {project.floor.where}" if project.floor else ""
    return Floors(
        floors=floors,
        others=tuple(floor for floor in stated if floor not in floors),
        source=f"the recipe says abi3: {_listed(floors)}{agrees}",
        way=way,
    )


def _from_source(recipe: Recipe, project: Project, backend: str, listed: Sequence[Interpreter]) -> Floors:
    if recipe.build.floor.kind in ("feature", "option"):
        raise PlanError(
            f"build: floor: {{{recipe.build.floor.kind}: …}} says how a floor reaches the build; abi3 names none",
            hint="add the floor, such as abi3: cp39",
        )
    if project.floor is None and project.unread_floor is not None:
        raise PlanError(
            f"{project.unread_floor}, which is not an abi3 floor such as cp39, nor several such as cp310.cp315t",
            hint="write the floor that the build makes, such as abi3: cp39, with build: {floor: project}",
        )
    if project.floor is not None:
        return Floors(floors=project.floor.floors, source=project.floor.where, way=project.floor.way)
    if kinds := _undecided(project, backend):
        floors = _lowest(listed, kinds)
        who = "meson-python's limited-api" if project.limited_api else "PyO3's feature"
        source = f"{who} names no floor, so the building interpreter is the floor: {_listed(floors)}"
        return Floors(floors=floors, source=source, way="interpreter")
    return Floors(source="nothing in the source names a floor: one wheel per version")


def _undecided(project: Project, backend: str) -> frozenset[str]:
    """Return the stable ABIs that are asked for without a version: their floor is the interpreter that builds.

    maturin does so for PyO3's `abi3` and `abi3t`, meson-python for its `limited-api`.
    """
    if backend == "maturin" and project.pyo3 is not None:
        return frozenset({"abi3", "abi3t"}) & project.pyo3.features
    return frozenset({"abi3"} if project.limited_api else ())


def _lowest(listed: Sequence[Interpreter], kinds: frozenset[str]) -> tuple[Abi3Floor, ...]:
    gil = [
        interpreter.minor
        for interpreter in listed
        if interpreter.implementation == "cp" and not interpreter.free_threaded
    ]
    free = [
        interpreter.minor for interpreter in listed if interpreter.free_threaded and interpreter.minor >= FIRST_ABI3T
    ]
    floors = [Abi3Floor(min(gil))] if gil and "abi3" in kinds else []
    return (*floors, *([Abi3Floor(min(free), free_threaded=True)] if free and "abi3t" in kinds else []))


def _refuse_contradiction(floors: tuple[Abi3Floor, ...], project: Project) -> None:
    """Refuse a floor that the source does not make, where the recipe does not say how it reaches the build."""
    if project.any_abi is not None:
        where, made = project.any_abi.where, f"one {project.any_abi.tag} wheel for every Python"
    elif project.floor is not None and not set(floors) <= set(project.floor.floors):
        where, made = project.floor.where, _listed(project.floor.floors)
    else:
        return
    raise PlanError(
        f"the recipe says abi3: {_listed(floors)}; {where}, which makes {made}",
        hint=f"remove abi3 to use the source's floor; "
        f"if the build makes {_listed(floors)} after all, add build: {{floor: project}}",
    )


def unknown_tags(recipe: Recipe, project: Project) -> str | None:
    """Return what code decides the tags of a project's wheels; None where the recipe or the source states them."""
    return project.computed_tags if recipe.abi3 is None and recipe.wheel is None else None


def doubts(recipe: Recipe, project: Project) -> Iterator[str]:
    """Say where wheels may come out with other tags than are owed."""
    if (computed := unknown_tags(recipe, project)) is not None:
        yield f"{computed} is computed, so no plan knows the tags: the first wheel is built before the others"
    yield from _lower_features(recipe, project)


def _lower_features(recipe: Recipe, project: Project) -> Iterator[str]:
    """Say where a feature that the recipe names for its floor may not raise it: of several features the lowest wins."""
    if recipe.build.floor.kind != "feature" or project.floor is None or project.floor.way != "default":
        return
    for low in project.floor.floors:
        higher = [floor for floor in recipe.abi3 or () if floor.free_threaded == low.free_threaded and floor > low]
        if higher:
            yield (
                f"the recipe says abi3: {_listed(higher)}; {project.floor.where}, and of several features the lowest "
                f"wins: unless the build switches it off, its wheels are {low}-abi3"
            )


def _listed(floors: Sequence[Abi3Floor]) -> str:
    return ", ".join(str(floor) for floor in floors)
