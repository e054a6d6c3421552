"""Which programs that link libpython are built and run, on which interpreters, and in which images."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.plan.crates import refuse_absent_locks
from factory.plan.images import program_image
from factory.plan.model import Builder, Cell, Skip
from factory.plan.selection import recipe_for
from factory.plan.toolchain import preparation, rust_of
from factory.plan.world import World
from factory.project.model import Project
from factory.tags import ProgramTag


def program_project(project: Project) -> Project:
    """Return a project as its programs see it: with the crate that the recipe names beside those of the wheels."""
    named = (project.cargo_manifest, *project.other_manifests, project.program_manifest)
    manifests = tuple(manifest for manifest in named if manifest is not None)
    return replace(
        project,
        cargo_manifest=next(iter(manifests), None),
        other_manifests=manifests[1:],
        absent_locks=(*project.absent_locks, *project.absent_program_locks),
    )


def owed_programs(world: World) -> tuple[ProgramTag, ...]:
    """Return on which interpreters a recipe's programs are owed: those it names, else all that have a program image.

    Raises:
        PlanError: no image has an interpreter that it names, or any of those that it lists.
    """
    programs = world.recipe.programs
    if programs is None:
        return ()
    wanted = [name for name in world.owed if programs.interpreters is None or name in programs.interpreters]
    lacking = [name for name in wanted if program_image(name, world.images, world.machine) is None]
    if lacking and (programs.interpreters is not None or lacking == wanted):
        raise PlanError(
            f"programs cannot run on {', '.join(map(str, lacking))}, of which no image has a shared libpython",
            hint=f"name some of {_runnable(world.images)} as programs: {{interpreters: […]}}, and under interpreters",
        )
    return tuple(ProgramTag(name, world.machine) for name in wanted if name not in lacking)


def unowed_programs(world: World) -> Iterator[Skip]:
    """Yield the interpreters on which the recipe's programs do not run, each with the reason."""
    programs = world.recipe.programs
    if programs is None:
        return
    for name in programs.interpreters or world.owed:
        tag = str(ProgramTag(name, world.machine))
        if (why := world.excluded.get(name)) is not None:
            yield Skip(subject=tag, reason=why.reason, kind=why.kind)
        elif program_image(name, world.images, world.machine) is None:
            yield Skip(subject=tag, reason=f"no image has a shared libpython of {name}", kind="image")


def program_cell(world: World, tag: ProgramTag) -> Cell:
    """Plan the programs of one interpreter.

    Raises:
        PlanError: the image has not, and cannot be given, what the recipe asks for; or a lock is absent.
    """
    image, project = program_image(tag.interpreter, world.images, world.machine), program_project(world.project)
    if image is None:
        raise AssertionError(f"{tag} is not owed")
    recipe = recipe_for(world.recipe, str(tag))
    rust, release = rust_of(recipe, project, image, image.platform)
    cell = Cell(
        recipe=recipe.name,
        product=tag,
        floor=None,
        platform=image.platform,
        builder=Builder(
            interpreter=tag.interpreter,
            image=image.name,
            preparation=preparation(recipe, image),
            rust=rust,
            rust_release=release,
        ),
        trials=(),
        machine=world.machine,
    )
    refuse_absent_locks(recipe, project, [cell])
    return cell


def _runnable(images: Sequence[ImageFacts]) -> str:
    names = {interpreter for image in images if image.role == "program" for interpreter in image.interpreters}
    return ", ".join(map(str, sorted(names))) or "none"
