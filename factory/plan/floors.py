"""Which abi3 floors are owed, and where that is stated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from factory.errors import PlanError
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.tags import FIRST_ABI3T, Abi3Floor, Interpreter

_WAYS = (
    "write build: {floor: …} with {feature: NAME} for a cargo feature, {option: TEXT} for a build option, "
    "interpreter where the building one decides, or project where the source fixes it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """The floors that are owed a wheel each, where that is stated, and how they reach the build.

    `way` is None without floors. Where the way is `feature` or `option`, a build without it makes version-specific
    wheels; every other way leaves the floor in all builds. `others` are floors of the source that the recipe does not
    list: what their interpreters build keeps to them all the same.
    """

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
    if project.any_abi is not None:
        return _none(recipe, project.any_abi)
    if recipe.abi3 is None:
        return _from_source(recipe, project, backend, listed)
    if not recipe.abi3:
        return Floors(source="the recipe wants no abi3 wheel")
    _refuse_contradiction(recipe, recipe.abi3, project)
    way = recipe.build.floor.kind
    stated = project.floor.floors if project.floor and way == "default" else ()
    if way == "default" and project.floor is None:
        if not _undecided(project, backend):
            raise PlanError(f"nothing in the source says how {_listed(recipe.abi3)} reaches the build", hint=_WAYS)
        way = "interpreter"
    agrees = f"; {project.floor.where}" if project.floor else ""
    return Floors(
        floors=recipe.abi3,
        others=tuple(floor for floor in stated if floor not in recipe.abi3),
        source=f"the recipe says abi3: {_listed(recipe.abi3)}{agrees}",
        way=way,
    )


def _none(recipe: Recipe, where: str) -> Floors:
    if recipe.abi3:
        raise PlanError(
            f"the recipe says abi3: {_listed(recipe.abi3)}; {where}, which makes one py3-none wheel for every Python",
            hint="remove abi3",
        )
    return Floors(source=f"one wheel for every Python: {where}")


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


def _refuse_contradiction(recipe: Recipe, floors: tuple[Abi3Floor, ...], project: Project) -> None:
    """Refuse a floor that the source does not make, unless the recipe says how it reaches the build.

    A feature alone cannot raise a floor: of several features of cargo the lowest wins.
    """
    stated = project.floor
    if stated is None:
        return
    match recipe.build.floor.kind:
        case "default":
            contradicts = not set(floors) <= set(stated.floors)
            other = f"; if the build makes {_listed(floors)} all the same, add build: {{floor: project}}"
        case "feature":
            contradicts = any(
                low.free_threaded == high.free_threaded and low < high for low in stated.floors for high in floors
            )
            other = ", or set build: {default-features: false}" if recipe.build.default_features else ""
        case _:
            return
    if contradicts:
        raise PlanError(
            f"the recipe says abi3: {_listed(floors)}; {stated.where}, which makes {_listed(stated.floors)}",
            hint=f"remove abi3{_without_way(recipe)} to take the source's floor{other}",
        )


def _without_way(recipe: Recipe) -> str:
    """Say what has to go with `abi3`: a way for a floor that the recipe does not name is refused."""
    return " and build.floor" if recipe.build.floor.kind == "feature" else ""


def _listed(floors: Sequence[Abi3Floor]) -> str:
    return ", ".join(str(floor) for floor in floors)
