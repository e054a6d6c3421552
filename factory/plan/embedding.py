"""Wheels of programs that embed Python: built and tried where a shared libpython is, if the recipe declares them."""

from fnmatch import fnmatchcase

from factory.catalogue import OLDEST_TOOL_PYTHON
from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.machines import CONTAINER_MACHINES
from factory.plan.images import loader_image, program_image
from factory.plan.model import Builder, Cell, Trial
from factory.plan.selection import recipe_for
from factory.plan.toolchain import preparation, rust_of
from factory.plan.world import World
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.tags import BuiltFor, Interpreter, PlatformTag, WheelTag

_RULE = "libpython-linked"


def embeds_python(project: Project) -> bool:
    """Whether maturin packs programs of a crate on PyO3, which link libpython."""
    return project.programs and project.pyo3 is not None and project.any_abi is None


def embedding_cell(world: World, built_for: BuiltFor, platform: PlatformTag, tag: WheelTag) -> Cell:
    """Plan a wheel of programs that link libpython: the image that has its interpreter's builds it and tries it.

    Raises:
        PlanError: the recipe does not declare it, or it cannot be what its tag promises.
    """
    recipe = recipe_for(world.recipe, str(tag))
    if not isinstance(built_for, Interpreter):
        raise PlanError(
            f"{tag} promises more than one version of Python, and its programs link the libpython of the one that "
            "builds them",
            hint="switch PyO3's abi3 features off",
        )
    _refuse_undeclared(recipe, built_for, tag)
    machine = platform.arch if platform.arch in CONTAINER_MACHINES else world.machine
    image = program_image(built_for, world.images, machine)
    if image is not None and not image.platform.serves(platform):
        raise PlanError(
            f"{image.name} has the libpython of {built_for}, and builds {image.platform}, not {platform}",
            hint=f"write {image.platform} or a newer one under platforms",
        )
    can_repair = image is not None and built_for.minor >= OLDEST_TOOL_PYTHON
    loader = loader_image(platform, world.images, image, machine)
    return Cell(
        recipe=recipe.name,
        product=tag,
        floor=None,
        platform=platform,
        builder=_builder(world, recipe, built_for, image) if image is not None and can_repair else None,
        trials=(Trial(interpreter=built_for, image=None if image is None else image.name),),
        loader=None if loader is None else loader.name,
        machine=machine,
    )


def _builder(world: World, recipe: Recipe, interpreter: Interpreter, image: ImageFacts) -> Builder:
    rust, release = rust_of(recipe, world.project, image, image.platform)
    return Builder(
        interpreter=interpreter,
        image=image.name,
        preparation=preparation(recipe, image),
        rust=rust,
        rust_release=release,
    )


def _refuse_undeclared(recipe: Recipe, interpreter: Interpreter, tag: WheelTag) -> None:
    """Refuse it unless a waiver accepts that it links libpython, and the repair leaves that out of the wheel."""
    library = f"libpython{interpreter.version}.so.1.0"
    is_waived = any(waiver.rule == _RULE for waiver in recipe.audit.waive)
    is_left_out = any(fnmatchcase(library, pattern) for pattern in recipe.repair.exclude)
    if is_waived and is_left_out:
        return
    raise PlanError(
        f"{tag} would hold programs that link libpython, which an interpreter need not come with",
        hint="build and run them instead, programs: {run: cargo run}; if everyone who installs the wheel has "
        f"{library}, write repair: {{exclude: [libpython*]}} and audit: {{waive: [{{rule: {_RULE}, reason: …}}]}}",
    )
