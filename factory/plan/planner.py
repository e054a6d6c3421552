"""From a recipe, a project and images to the wheels that are owed: a pure function of values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from packaging.specifiers import SpecifierSet

from factory.errors import PlanError, Problem
from factory.image_facts import ImageFacts
from factory.plan.floors import Floors, owed_floors
from factory.plan.images import build_image, refuse_rust, trial_image
from factory.plan.limits import pyo3_excludes
from factory.plan.model import Cell, Plan, Skip, Trial
from factory.plan.selection import in_force, left_out, matches, rule_for
from factory.project.model import Project
from factory.recipe.lifetimes import LIFETIMES
from factory.recipe.model import Recipe, SdistSource, Wanted
from factory.tags import Abi3Floor, Interpreter, PlatformTag, WheelTag, claims, tag_for

_PATCHES = range(60)  # more releases than any minor version had
_NEWEST = max(life.minor for life in LIFETIMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exclusion:
    """Why an interpreter can have no wheel."""

    reason: str
    kind: Literal["requires-python", "pyo3", "floor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """Everything a plan is made of, and what follows from it for the whole recipe."""

    recipe: Recipe
    project: Project
    images: Sequence[ImageFacts]
    families: Sequence[str]
    today: date
    floors: Floors
    wanted: tuple[Wanted, ...]
    excluded: dict[Interpreter, _Exclusion]

    @property
    def owed(self) -> tuple[Interpreter, ...]:
        """The listed interpreters that can have a wheel."""
        return tuple(one.interpreter for one in self.wanted if one.interpreter not in self.excluded)


def plan(
    recipe: Recipe,
    project: Project,
    images: Sequence[ImageFacts],
    *,
    families: Sequence[str],
    today: date,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Plan:
    """Compute the wheels that a recipe owes, who builds and who tries each, and why the rest is left out.

    A plan may end without cells; `selection.refuse_nothing` judges all plans of a command together.

    Raises:
        PlanError: what is asked for by name cannot be.
        ImageError: no image serves a platform that still has cells.
    """
    _refuse_other_project(recipe, project)
    world = _world(recipe, project, images, families=families, today=today)
    cells: list[Cell] = []
    skips = [*_excluded_skips(world)]
    for built_for, platform in _pairs(world):
        tag = tag_for(built_for, platform)
        left = _skip(world, str(tag), only, skip)
        if left is None:
            cells.append(_cell(world, built_for, platform, tag))
        else:
            skips.append(left)
    return Plan(
        recipe=recipe.name,
        version=project.version,
        floor_source=world.floors.source,
        cells=tuple(cells),
        skips=tuple(skips),
        notes=tuple(_notes(world, cells, skips)),
    )


def _refuse_other_project(recipe: Recipe, project: Project) -> None:
    source = recipe.source
    if not isinstance(source, SdistSource):
        return
    if project.name != source.name or project.version not in (None, source.version):
        raise PlanError(
            f"the sdist of {source.name} {source.version} says that it is {project.name} {project.version}",
            hint="the index or the release is wrong; or subdir names another project in it",
        )


def _world(
    recipe: Recipe, project: Project, images: Sequence[ImageFacts], *, families: Sequence[str], today: date
) -> _World:
    backend = recipe.build.backend or project.backend
    wanted = tuple({one.interpreter: one for one in reversed(recipe.interpreters)}.values())[::-1]
    possible = [one.interpreter for one in wanted if _runs(project.requires_python, one.interpreter)]
    floors = owed_floors(recipe, project, backend, possible)
    excluded = {
        one.interpreter: why for one in wanted if (why := _excluded(project, floors, one.interpreter)) is not None
    }
    world = _World(
        recipe=recipe,
        project=project,
        images=images,
        families=families,
        today=today,
        floors=floors,
        wanted=wanted,
        excluded=excluded,
    )
    _refuse_named(world)
    return world


def _runs(requires_python: SpecifierSet, interpreter: Interpreter) -> bool:
    """Tell whether any release of an interpreter's version may install the project."""
    return any(requires_python.contains(f"{interpreter.version}.{patch}") for patch in _PATCHES)


def _excluded(project: Project, floors: Floors, interpreter: Interpreter) -> _Exclusion | None:
    if not _runs(project.requires_python, interpreter):
        return _Exclusion(reason=f"requires-python is {project.requires_python}", kind="requires-python")
    home = floors.home(interpreter)
    if project.pyo3 is not None and project.pyo3.version is not None:
        reason = pyo3_excludes(project.pyo3.version, interpreter, by_floor=home is not None)
        if reason:
            return _Exclusion(reason=reason, kind="pyo3")
    with_gil = interpreter.implementation == "cp" and not interpreter.free_threaded
    if home is None and with_gil and floors.floors and floors.always_on:
        lowest = min(floors.floors)
        return _Exclusion(reason=f"its abi3 floor is {lowest}: {floors.source}", kind="floor")
    return None


def _refuse_named(world: _World) -> None:
    """Refuse what the recipe names and what cannot be, unless a skip rule gives a reason."""
    problems = []
    for one in world.wanted:
        why = world.excluded.get(one.interpreter)
        if why is not None and one.origin == "name" and _skip_rule_reason(world, one.interpreter) is None:
            select = f"{one.interpreter.python_tag}-{one.interpreter.abi_tag}-*"
            line = f'skip: [{{select: "{select}", reason: "{why.reason}"}}]'
            message = f"{one.interpreter} is listed, but {why.reason}"
            problems.append(Problem(field="interpreters", message=message, hint=line))
    if problems:
        message = "; ".join(problem.message for problem in problems)
        hint = f"take it out, or write {' '.join(problem.hint for problem in problems)}"
        raise PlanError(f"{world.recipe.name}: {message}", hint=hint, problems=tuple(problems))


def _skip_rule_reason(world: _World, interpreter: Interpreter) -> str | None:
    """Return the recipe's own reason for leaving out an interpreter on all of its platforms."""
    rules = [
        rule_for(world.recipe.skip, world.recipe.name, str(tag_for(interpreter, platform)), world.today)
        for platform in world.recipe.platforms
    ]
    reasons = [rule.reason for rule in rules if rule is not None]
    return reasons[0] if reasons and len(reasons) == len(rules) else None


def _excluded_skips(world: _World) -> Iterator[Skip]:
    for interpreter, why in world.excluded.items():
        reason = _skip_rule_reason(world, interpreter)
        if reason is None:
            yield Skip(subject=str(interpreter), reason=why.reason, kind=why.kind)
        else:
            yield Skip(subject=str(interpreter), reason=reason, kind="recipe")


def _pairs(world: _World) -> Iterator[tuple[Abi3Floor | Interpreter, PlatformTag]]:
    """Yield what wheels are owed: per platform the floors as listed, then the versions that none covers, as listed."""
    asked = world.recipe.abi3 is not None
    for platform in dict.fromkeys(world.recipe.platforms):
        for floor in dict.fromkeys(world.floors.floors):
            if asked or any(world.floors.home(interpreter) == floor for interpreter in world.owed):
                yield floor, platform
        for interpreter in world.owed:
            if world.floors.home(interpreter) is None:
                yield interpreter, platform


def _skip(world: _World, cell_id: str, only: Sequence[str], skip: Sequence[str]) -> Skip | None:
    rule = rule_for(world.recipe.skip, world.recipe.name, cell_id, world.today)
    if rule is not None:
        return Skip(subject=cell_id, reason=rule.reason, kind="recipe")
    reason = left_out(world.recipe.name, cell_id, only, skip)
    return Skip(subject=cell_id, reason=reason, kind="selection") if reason else None


def _cell(world: _World, built_for: Abi3Floor | Interpreter, platform: PlatformTag, tag: WheelTag) -> Cell:
    image = build_image(platform, world.images, world.families)
    refuse_rust(world.recipe, world.project, image)
    if isinstance(built_for, Interpreter):
        floor, builder = None, built_for if built_for in image.interpreters else None
    else:
        floor, builder = built_for, _builder(world, built_for, image)
    tried = [one for one in world.owed if claims(tag.expanded, one)]
    return Cell(
        recipe=world.recipe.name,
        tag=tag,
        floor=floor,
        platform=platform,
        interpreter=builder,
        image=image.name if builder is not None else None,
        trials=tuple(_trial(world, one, platform) for one in tried),
        untried=tuple(one for one in _known(world, built_for) if claims(tag.expanded, one) and one not in tried),
    )


def _builder(world: _World, floor: Abi3Floor, image: ImageFacts) -> Interpreter:
    """Choose who builds an abi3 wheel: the lowest listed interpreter that the floor covers and the image has.

    An unlisted one of the image serves where no listed one is there. Where the interpreter decides the floor, it must
    be exactly that.

    Raises:
        PlanError: the image has none.
    """
    pyo3 = world.project.pyo3.version if world.project.pyo3 else None
    able = [
        one
        for one in sorted(image.interpreters)
        if floor.covers(one)
        and _runs(world.project.requires_python, one)
        and not (pyo3 is not None and pyo3_excludes(pyo3, one, by_floor=False))
        and (world.floors.way != "interpreter" or one.minor == floor.minor)
    ]
    listed = [one for one in able if one in world.owed]
    if able:
        return (listed or able)[0]
    held = ", ".join(str(one) for one in image.interpreters)
    raise PlanError(
        f"no interpreter of {image.name} can build the abi3 floor {floor}", hint=f"it has {held or 'no interpreter'}"
    )


def _trial(world: _World, interpreter: Interpreter, platform: PlatformTag) -> Trial:
    image = trial_image(interpreter, platform, world.images)
    return Trial(interpreter=interpreter, image=None if image is None else image.name)


def _known(world: _World, built_for: Abi3Floor | Interpreter) -> Iterator[Interpreter]:
    """Yield every CPython from a floor to the newest released one on which the project may be installed."""
    for minor in range(built_for.minor, _NEWEST + 1):
        for free_threaded in (False, True):
            interpreter = Interpreter(minor, free_threaded)
            if _runs(world.project.requires_python, interpreter):
                yield interpreter


def _notes(world: _World, cells: Sequence[Cell], skips: Sequence[Skip]) -> Iterator[str]:
    yield from _skip_notes(world, cells, skips)
    for floor in world.floors.floors:
        itself = Interpreter(floor.minor, floor.free_threaded)
        for cell in cells:
            if cell.floor == floor and itself in cell.untried:
                here = trial_image(itself, cell.platform, world.images) is not None
                why = "is not listed" if here else "cannot be tried here"
                yield f"{cell.id} claims {itself}, its floor, which {why}"


def _skip_notes(world: _World, cells: Sequence[Cell], skips: Sequence[Skip]) -> Iterator[str]:
    ids = [*(cell.id for cell in cells), *(skip.subject for skip in skips if "-" in skip.subject)]
    ids += [str(tag_for(one, platform)) for one in world.excluded for platform in world.recipe.platforms]
    for rule in world.recipe.skip:
        if not in_force(rule, world.today):
            yield f"the skip of {rule.select} ended on {rule.until}: {rule.reason}"
        elif not any(matches(rule.select, world.recipe.name, one) for one in ids):
            yield f"the skip of {rule.select} means no wheel of this plan"
