"""What is built for Windows: crates by maturin, linked by mingw-w64, which a build image gets from its distribution."""

from dataclasses import replace

from factory.catalogue import ZIG
from factory.errors import PlanError
from factory.plan.embedding import embeds_python
from factory.plan.model import Cell, Preparation
from factory.plan.world import World
from factory.recipe.model import Recipe
from factory.tags import WindowsTag

_LINKER = "gcc-mingw-w64-x86-64-win32"  # Debian's name; the other build of it needs a library of POSIX threads


def refuse_for_windows(world: World, recipe: Recipe, platform: WindowsTag) -> None:
    """Refuse what is not built for Windows here.

    Raises:
        PlanError: the source is such.
    """
    project = world.project
    backend = recipe.build.backend or project.backend
    if backend != "maturin" or project.cargo_manifest is None:
        raise PlanError(
            f"{platform} cannot be built: only crates that maturin builds are, and {project.name} is built by "
            f"{project.build_system.build_backend}",
            hint=f"remove {platform} from platforms: other backends need a Python for Windows, and there is none here",
        )
    if embeds_python(project):
        raise PlanError(
            f"{platform} cannot be built: the programs of {project.name} link the library of a Python for Windows",
            hint=f"remove {platform} from platforms",
        )
    if recipe.build.toolchain.c == ZIG:
        raise PlanError(
            f"zig compiles here only for Linux, and {platform} is Windows",
            hint="leave out build: {toolchain: {c: zig}} for it, by an override or a recipe of its own",
        )


def with_mingw(preparation: Preparation | None) -> Preparation:
    """Add mingw-w64 to what an image gets."""
    asked = preparation or Preparation(manager="apt", packages=(), before_all=())
    return replace(asked, packages=tuple(sorted({*asked.packages, _LINKER})))


def windows_note(cell: Cell) -> str | None:
    """Say what becomes of a wheel for Windows; None for others."""
    if cell.mingws_platform is None:
        return None
    judged = "judged" if cell.loader is None else "judged and its modules are loaded by wine"
    return (
        f"mingw-w64 links what is for {cell.platform}; the wheel is {judged}, but neither repaired nor tried: "
        "auditwheel repairs only wheels for Linux, and there is no Windows here"
    )
