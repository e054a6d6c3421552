"""From a recipe, a project and images to the wheels that are owed: a pure function of values."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial

from factory.errors import ImageError, PlanError, Problem
from factory.image_facts import ImageFacts
from factory.machines import USUAL_MACHINE
from factory.plan.building import builder_of
from factory.plan.compiler import compiling, emulation_note, zig_note
from factory.plan.crates import refuse_absent_locks
from factory.plan.cross import cross_notes
from factory.plan.embedding import embedding_cell, embeds_python
from factory.plan.floors import doubts
from factory.plan.gaps import gap_notes
from factory.plan.images import loader_image, trial_image, tries_itself
from factory.plan.model import Cell, Plan, Product, Skip, Trial
from factory.plan.on_demand import on_demand_notes, weaker_notes
from factory.plan.programs import owed_programs, program_cell, unowed_programs
from factory.plan.selection import in_force, left_out, matches, recipe_for, rule_for
from factory.plan.toolchain import refuse_c, toolchain_notes
from factory.plan.windows import windows_note
from factory.plan.world import World, own_reason, read_world
from factory.project.model import Project
from factory.recipe.lifetimes import supported
from factory.recipe.model import Recipe, SdistSource
from factory.tags import (
    Abi3Floor,
    AnyPython,
    BuiltFor,
    Interpreter,
    Platform,
    PlatformTag,
    WheelTag,
    claims,
    product_of,
    tag_for,
)

_SHOWN = 6


def plan(
    recipe: Recipe,
    project: Project,
    images: Sequence[ImageFacts],
    *,
    families: Sequence[str],
    today: date,
    machine: str = USUAL_MACHINE,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Plan:
    """Compute what a recipe owes, who builds and who tries each wheel, and why the rest is left out.

    `machine` is the engine's own.

    A plan may end without cells; `selection.refuse_nothing` judges all plans of a command together.

    Raises:
        PlanError: what is asked for by name cannot be, or an override selects no cell.
        ImageError: no image serves a platform that still has cells.
    """
    _refuse_other_project(recipe, project)
    world = read_world(recipe, project, images, families=families, today=today, machine=machine)
    skips = [*_excluded_skips(world), *unowed_programs(world)]
    cells, left = _cells(world, only, skip)
    skips += left
    _refuse_idle_overrides(world, _ids(world, cells, skips))
    refuse_absent_locks(recipe, project, [cell for cell in cells if cell.makes_wheel])
    return Plan(
        recipe=recipe.name,
        file=recipe.file,
        distribution=project.name,
        version=project.version,
        floor_source=world.floors.source,
        cells=tuple(cells),
        skips=tuple(skips),
        notes=tuple(_notes(world, cells, skips)),
        machine=machine,
    )


def _cells(world: World, only: Sequence[str], skip: Sequence[str]) -> tuple[list[Cell], list[Skip]]:
    """Return what is owed, and what of it is left out.

    Raises:
        PlanError: some cannot be planned; all of their problems are told at once.
        ImageError: no image serves their platforms.
    """
    cells: list[Cell] = []
    skips: list[Skip] = []
    errors: list[PlanError | ImageError] = []
    for product, planned in _owed(world):
        left = _skip(world, str(product), only, skip)
        if left is not None:
            skips.append(left)
            continue
        try:
            cells.append(planned())
        except (PlanError, ImageError) as error:
            errors.append(error)
    if errors:
        raise _joined(errors)
    return cells, skips


def _owed(world: World) -> Iterator[tuple[Product, Callable[[], Cell]]]:
    """Yield the wheels and then the programs that are owed, each with the function that plans it."""
    for built_for, platform in _pairs(world):
        tag = tag_for(built_for, platform)
        yield tag, partial(_cell, world, built_for, platform, tag)
    for program in owed_programs(world):
        yield program, partial(program_cell, world, program)


def _joined(errors: Sequence[PlanError | ImageError]) -> PlanError | ImageError:
    """Return one error that says what several say, each once."""
    said = {error.message: error for error in errors}
    if len(said) == 1:
        return errors[0]
    hints = dict.fromkeys(error.hint for error in said.values())
    kind = ImageError if all(isinstance(error, ImageError) for error in errors) else PlanError
    return kind("; ".join(said), hint="; ".join(hints))


def _refuse_other_project(recipe: Recipe, project: Project) -> None:
    source = recipe.source
    if not isinstance(source, SdistSource):
        return
    if project.name != source.name or project.version not in (None, source.version):
        raise PlanError(
            f"the sdist of {source.name} {source.version} says that it is {project.name} {project.version}",
            hint="the index or the release is wrong, or subdir names another project in it",
        )


def _excluded_skips(world: World) -> Iterator[Skip]:
    for interpreter, why in world.excluded.items():
        reason = own_reason(world, interpreter)
        if reason is None:
            yield Skip(subject=str(interpreter), reason=why.reason, kind=why.kind)
        else:
            yield Skip(subject=str(interpreter), reason=reason, kind="recipe")
    owed = world.owed_floors
    for floor in world.recipe.abi3 or ():
        if floor not in owed:
            reason = f"no listed interpreter that {floor} covers can have a wheel"
            yield from (
                Skip(subject=str(tag_for(floor, platform)), reason=reason, kind="floor")
                for platform in world.recipe.platforms
            )


def _pairs(world: World) -> Iterator[tuple[BuiltFor, Platform]]:
    """Yield what wheels are owed: per platform the floors as listed, then the versions that none covers, as listed.

    A source whose wheels name no ABI owes one per platform.
    """
    floors = world.owed_floors
    for platform in dict.fromkeys(world.recipe.platforms):
        if world.floors.any_python is not None:
            yield from [(world.floors.any_python, platform)] if world.owed else []
            continue
        for floor in floors:
            yield floor, platform
        for interpreter in world.owed:
            if world.floors.home(interpreter) is None:
                yield interpreter, platform


def _skip(world: World, cell_id: str, only: Sequence[str], skip: Sequence[str]) -> Skip | None:
    rule = rule_for(world.recipe.skip, world.recipe.name, cell_id, world.today)
    if rule is not None:
        return Skip(subject=cell_id, reason=rule.reason, kind="recipe")
    reason = left_out(world.recipe.name, cell_id, only, skip)
    return Skip(subject=cell_id, reason=reason, kind="selection") if reason else None


def _cell(world: World, built_for: BuiltFor, platform: Platform, tag: WheelTag) -> Cell:
    if embeds_python(world.project) and isinstance(platform, PlatformTag):
        return embedding_cell(world, built_for, platform, tag)
    recipe = recipe_for(world.recipe, str(tag))
    image, compiler = compiling(world, recipe, platform)
    refuse_c(recipe, image)
    tried = [interpreter for interpreter in world.owed if claims(tag.expanded, interpreter)]
    loader = loader_image(platform, world.images, image, image.platform.arch)
    return Cell(
        recipe=world.recipe.name,
        product=tag,
        floor=built_for if isinstance(built_for, Abi3Floor) else None,
        platform=platform,
        builder=builder_of(world, recipe, built_for, tag, image, compiler),
        trials=tuple(_trial(world, interpreter, platform, image) for interpreter in tried),
        loader=loader.name if loader is not None else None,
        untried=tuple(
            interpreter
            for interpreter in _known(world, built_for)
            if claims(tag.expanded, interpreter) and interpreter not in tried
        ),
        machine=image.platform.arch,
    )


def _trial(world: World, interpreter: Interpreter, platform: Platform, builder: ImageFacts) -> Trial:
    requires_python = world.project.requires_python
    image = trial_image(interpreter, platform, world.images, requires_python, builder.platform.arch)
    if image is not None:
        return Trial(interpreter=interpreter, image=image.name, on_demand=interpreter in image.on_demand)
    if tries_itself(builder, interpreter, platform, requires_python):
        return Trial(interpreter=interpreter, image=builder.name, where_built=True)
    return Trial(interpreter=interpreter, image=None)


def _known(world: World, built_for: BuiltFor) -> Iterator[Interpreter]:
    """Yield every CPython from a floor to the newest released one on which the project may be installed.

    A wheel for any Python has no floor: it is for all that have upstream support or are listed.
    """
    meant = (*supported(world.today), *world.owed) if isinstance(built_for, AnyPython) else (built_for,)
    oldest = min(built.minor for built in meant)
    return (interpreter for interpreter in world.admitted if interpreter.minor >= oldest)


def _notes(world: World, cells: Sequence[Cell], skips: Sequence[Skip]) -> Iterator[str]:
    yield from _skip_notes(world, cells, skips)
    yield from doubts(world.recipe, world.project)
    zig = (zig_note(cell, recipe_for(world.recipe, cell.id), world.families) for cell in cells)
    emulated = (emulation_note(world, cell, recipe_for(world.recipe, cell.id)) for cell in cells)
    yield from dict.fromkeys(note for note in (*zig, *emulated, *map(windows_note, cells)) if note is not None)
    yield from cross_notes(world.project, cells, world.machine)
    yield from toolchain_notes(world.recipe, world.project, cells)
    yield from on_demand_notes(cells)
    yield from weaker_notes(cells)
    yield from gap_notes(world.project.pyo3, min(world.floors.floors, default=None))
    for floor in world.floors.floors:
        itself = Interpreter(floor.minor, floor.free_threaded)
        for cell in cells:
            if cell.floor == floor and itself in cell.untried:
                why = "is not listed" if _can_try(world, itself, cell) else "cannot be tried here"
                yield f"{cell.id} claims {itself}, its floor, which {why}"


def _can_try(world: World, interpreter: Interpreter, cell: Cell) -> bool:
    named = cell.builder.image if cell.builder is not None else None
    builder = next((image for image in world.images if image.name == named), None)
    return builder is not None and _trial(world, interpreter, cell.platform, builder).image is not None


def _ids(world: World, cells: Sequence[Cell], skips: Sequence[Skip]) -> list[str]:
    """Return the id of every cell that is owed, or would be if nothing left it out."""
    # The subject of a skip is the id of a cell, or an interpreter, which has no hyphen.
    ids = [*(cell.id for cell in cells), *(skip.subject for skip in skips if "-" in skip.subject)]
    return ids + [
        str(tag_for(interpreter, platform)) for interpreter in world.excluded for platform in world.recipe.platforms
    ]


def _refuse_idle_overrides(world: World, ids: Sequence[str]) -> None:
    """Refuse an override that selects no cell: its selector is probably a mistake.

    Raises:
        PlanError: there is such an override.
    """
    if not world.recipe.overrides:
        return
    trials = [
        f"{cell_id}@{wanted.interpreter}"
        for cell_id in ids
        for wanted in world.wanted
        if isinstance(tag := product_of(cell_id), WheelTag) and claims(tag.expanded, wanted.interpreter)
    ]
    hint = f"the cells are {', '.join(ids[:_SHOWN])}{' …' if len(ids) > _SHOWN else ''}"
    idle = [
        Problem(
            field=f"overrides[{index}].select",
            message=f"selects no {'trial' if '@' in override.select else 'cell'}: {override.select}",
            span=override.span,
        )
        for index, override in enumerate(world.recipe.overrides)
        if not any(
            matches(override.select, world.recipe.name, cell_id)
            for cell_id in (trials if "@" in override.select else ids)
        )
    ]
    if idle:
        message = "; ".join(f"{problem.field} {problem.message}" for problem in idle)
        raise PlanError(message, hint=hint, problems=tuple(idle))


def _skip_notes(world: World, cells: Sequence[Cell], skips: Sequence[Skip]) -> Iterator[str]:
    ids = _ids(world, cells, skips)
    for rule in world.recipe.skip:
        if not in_force(rule, world.today):
            yield f"the skip of {rule.select} ended on {rule.until}: {rule.reason}"
        elif not any(matches(rule.select, world.recipe.name, cell_id) for cell_id in ids):
            yield f"the skip of {rule.select} matches no wheel of this plan"
