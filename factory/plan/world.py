"""What a recipe asks for and the source allows: which interpreters and floors are owed."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Literal

from packaging.specifiers import SpecifierSet

from factory.errors import ImageError, PlanError, Problem
from factory.image_facts import ImageFacts
from factory.installable import runs
from factory.machines import USUAL_MACHINE
from factory.plan.floors import Floors, owed_floors
from factory.plan.images import admits, build_image
from factory.plan.limits import pyo3_excludes, pyo3_links_libpython
from factory.plan.selection import rule_for
from factory.project.model import Project
from factory.recipe.lifetimes import LIFETIMES, supported
from factory.recipe.model import Recipe, Wanted
from factory.tags import FIRST_ABI3T, FIRST_FREE_THREADED, Abi3Floor, AnyPython, Interpreter, PlatformTag, tag_for

_NEWEST = max(life.minor for life in LIFETIMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Why an interpreter can have no wheel."""

    reason: str
    kind: Literal["requires-python", "pyo3", "floor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a plan is made of, and what follows from it for the whole recipe; `machine` is the engine's own.

    `admitted` is every CPython, from the oldest that may be meant to the newest released one, on which the project may
    be installed.
    """

    recipe: Recipe
    project: Project
    images: Sequence[ImageFacts]
    families: Sequence[str]
    machine: str
    today: date
    floors: Floors
    wanted: tuple[Wanted, ...]
    excluded: dict[Interpreter, Exclusion]
    admitted: tuple[Interpreter, ...]

    @property
    def owed(self) -> tuple[Interpreter, ...]:
        """The listed interpreters that can have a wheel."""
        return tuple(wanted.interpreter for wanted in self.wanted if wanted.interpreter not in self.excluded)

    @property
    def owed_floors(self) -> list[Abi3Floor]:
        """The floors that are owed a wheel: of the source's, those that are the highest for a listed interpreter.

        One that the recipe names is owed even if a higher one covers all listed interpreters: it covers others.
        """
        if self.recipe.abi3 is None:
            homes = {self.floors.home(interpreter) for interpreter in self.owed}
            return [floor for floor in self.floors.floors if floor in homes]
        floors = dict.fromkeys(self.floors.floors)
        return [floor for floor in floors if any(floor.covers(interpreter) for interpreter in self.owed)]


def read_world(
    recipe: Recipe,
    project: Project,
    images: Sequence[ImageFacts],
    *,
    families: Sequence[str],
    today: date,
    machine: str = USUAL_MACHINE,
) -> World:
    """Combine a recipe with a source.

    Raises:
        PlanError: the two contradict each other, or the recipe names an interpreter that can have no wheel.
    """
    backend = recipe.build.backend or project.backend
    _refuse_linked_libpython(recipe, project, backend)
    first: dict[Interpreter, Wanted] = {}
    for entry in recipe.interpreters:
        first.setdefault(entry.interpreter, entry)
    wanted = tuple(first.values())
    builders = tuple(_builders(recipe, images, families, machine))
    held = _Held(project=project, builders=builders)
    possible = [entry.interpreter for entry in wanted if _ruled_out(held, entry.interpreter) is None]
    floors = owed_floors(recipe, project, backend, possible)
    excluded = {
        entry.interpreter: why for entry in wanted if (why := _excluded(held, floors, entry.interpreter)) is not None
    }
    meant: tuple[Interpreter | Abi3Floor, ...] = (
        *(entry.interpreter for entry in wanted),
        *floors.floors,
        *supported(today),
    )
    world = World(
        recipe=recipe,
        project=project,
        images=images,
        families=families,
        machine=machine,
        today=today,
        floors=floors,
        wanted=wanted,
        excluded=excluded,
        admitted=tuple(_admitted(project.requires_python, min(built.minor for built in meant))),
    )
    _refuse_named(world)
    return world


def _admitted(requires_python: SpecifierSet, oldest: int) -> Iterator[Interpreter]:
    for minor in range(oldest, _NEWEST + 1):
        for free_threaded in (False, True) if minor >= FIRST_FREE_THREADED else (False,):
            interpreter = Interpreter(minor, free_threaded)
            if runs(requires_python, interpreter):
                yield interpreter


def _refuse_linked_libpython(recipe: Recipe, project: Project, backend: str) -> None:
    """Refuse a module that would link libpython, unless something that is not read here may prevent it.

    setuptools-rust switches the feature on by itself; arguments, settings, overrides and a floor's feature may, unread.
    """
    pyo3, build = project.pyo3, recipe.build
    if pyo3 is None or pyo3.version is None or project.programs or backend != "maturin":
        return
    unread = bool(build.args or build.config_settings or recipe.overrides) or build.floor.kind == "feature"
    if pyo3_links_libpython(pyo3.version, pyo3.features) and not unread:
        raise PlanError(
            f"PyO3 {pyo3.version} links libpython unless its feature extension-module is on, which it is not",
            hint="write build: {features: [pyo3/extension-module]}, or the crate's own feature for it",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A project, and the images that would build a recipe's wheels of it."""

    project: Project
    builders: tuple[ImageFacts, ...]

    def too_old(self, interpreter: Interpreter) -> str:
        """Return which release of an interpreter every image has that requires-python excludes; "" where one may."""
        builders = [image for image in self.builders if interpreter in image.interpreters]
        excluded = [image for image in builders if not admits(self.project.requires_python, image, interpreter)]
        if not excluded or len(excluded) < len(builders):
            return ""
        return f"{excluded[0].name} has {excluded[0].release_of(interpreter)}"


def _builders(
    recipe: Recipe, images: Sequence[ImageFacts], families: Sequence[str], machine: str
) -> Iterator[ImageFacts]:
    for platform in recipe.platforms:
        pin = recipe.images.get(platform) if isinstance(platform, PlatformTag) else None
        if not isinstance(platform, PlatformTag) or (pin is None and platform.arch != machine):
            continue
        with suppress(ImageError):  # told by the cells of that platform
            yield build_image(platform, images, families, pin)


def _excluded(held: _Held, floors: Floors, interpreter: Interpreter) -> Exclusion | None:
    if floors.any_python is not None:
        return _ruled_out(held, interpreter) or _uncovered(floors, floors.any_python, interpreter)
    project, home = held.project, floors.home(interpreter)
    if (why := _ruled_out(held, interpreter, by_floor=home is not None)) is not None:
        return why
    if home is None and (other := floors.made_by(interpreter)) is not None:
        return Exclusion(reason=f"the source makes its abi3 floor {other}, which abi3 does not list", kind="floor")
    if home is None and interpreter.free_threaded and floors.always_on and _limits_every_build(project):
        wrong = (
            f"tags its wheel {min(floors.floors)}-abi3.abi3t" if interpreter.minor >= FIRST_ABI3T else "builds nothing"
        )
        reason = f"setuptools {wrong} for it where py_limited_api is set: {floors.source}"
        return Exclusion(reason=reason, kind="floor")
    with_gil = interpreter.implementation == "cp" and not interpreter.free_threaded
    if home is None and with_gil and floors.floors and floors.always_on:
        lowest = min(floors.floors)
        return Exclusion(reason=f"its abi3 floor is {lowest}: {floors.source}", kind="floor")
    return None


def _uncovered(floors: Floors, tag: AnyPython, interpreter: Interpreter) -> Exclusion | None:
    if tag.covers(interpreter):
        return None
    return Exclusion(reason=f"its wheels are {tag}: {floors.source}", kind="floor")


def _limits_every_build(project: Project) -> bool:
    """Whether a project sets `py_limited_api` for every build.

    Free-threaded ones then fail before 3.15 (setuptools#4420), and later claim abi3t from the project's own floor on.
    """
    return project.backend == "setuptools" and project.floor is not None and project.floor.way == "project"


def _ruled_out(held: _Held, interpreter: Interpreter, *, by_floor: bool = True) -> Exclusion | None:
    project = held.project
    if not runs(project.requires_python, interpreter):
        return Exclusion(reason=f"requires-python is {project.requires_python}", kind="requires-python")
    if why := held.too_old(interpreter):
        return Exclusion(reason=f"requires-python is {project.requires_python}, and {why}", kind="requires-python")
    if project.pyo3 is None or project.pyo3.version is None:
        return None
    reason = pyo3_excludes(project.pyo3.version, interpreter, by_floor=by_floor)
    return Exclusion(reason=reason, kind="pyo3") if reason else None


def _refuse_named(world: World) -> None:
    """Refuse an interpreter that the recipe names but that cannot have a wheel, unless a skip rule gives a reason."""
    problems = []
    for wanted in world.wanted:
        why = world.excluded.get(wanted.interpreter)
        if why is not None and wanted.origin == "name" and own_reason(world, wanted.interpreter) is None:
            select = f"{wanted.interpreter.python_tag}-{wanted.interpreter.abi_tag}-*"
            message = f"{wanted.interpreter} is listed, but {why.reason}"
            hint = f'{{select: "{select}", reason: "{why.reason}"}}'
            problems.append(Problem(field="interpreters", message=message, hint=hint))
    if problems:
        message = "; ".join(problem.message for problem in problems)
        lines = ", ".join(problem.hint for problem in problems)
        hint = f"remove it, or write skip: [{lines}]"
        raise PlanError(message, hint=hint, problems=tuple(problems))


def own_reason(world: World, interpreter: Interpreter) -> str | None:
    """Return the recipe's own reason for leaving out an interpreter on all of its platforms."""
    rules = [
        rule_for(world.recipe.skip, world.recipe.name, str(tag_for(interpreter, platform)), world.today)
        for platform in world.recipe.platforms
    ]
    reasons = [rule.reason for rule in rules if rule is not None]
    return reasons[0] if reasons and len(reasons) == len(rules) else None
