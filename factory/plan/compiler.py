"""What compiles a cell: the image's own compiler, or zig, which brings the glibc that the platform asks for."""

import re
from collections.abc import Sequence

from factory.catalogue import ZIG
from factory.errors import ImageError, PlanError
from factory.image_facts import ImageFacts
from factory.machines import MACHINES, MACHINES_OF
from factory.plan.images import build_image, cross_image, hosting_image, serving_image
from factory.plan.model import Cell, Compiler, Preparation
from factory.plan.windows import refuse_for_windows
from factory.plan.world import World
from factory.policy import policies
from factory.recipe.model import Recipe
from factory.tags import Platform, PlatformTag, WindowsTag, has_musl

_OLDEST = {"glibc": (2, 17), "musl": (1, 2)}  # of zig's libc headers and symbols
_OLDEST_ON = {"ppc64le": (2, 19)}  # the machines whose glibc began later
_LIBRARY = re.compile(r"lib.*|.*-(dev|devel|static)")


def compiling(world: World, recipe: Recipe, platform: Platform) -> tuple[ImageFacts, Compiler]:
    """Choose the image that builds for a platform, and the compiler in it.

    mingw-w64 compiles for Windows.

    zig compiles where the recipe says so, and where no image is as old as the platform, unless the recipe asks for the
    image's compiler or names the image.

    Raises:
        ImageError: no image serves.
        PlanError: zig does not compile for the platform, or the source cannot be built for Windows.
    """
    if isinstance(platform, WindowsTag):
        refuse_for_windows(world, recipe, platform)
        return cross_image(platform, world.images, world.families, world.machine), "mingw"
    families, pin = world.families, recipe.images.get(platform)
    if _is_zigs(world, recipe, platform):
        _refuse_platform(platform)
        image = hosting_image(platform, world.images, families, world.machine, pin)
        _refuse_emulated_zig(platform, image, world.machine)
        return image, "zig"
    return build_image(platform, world.images, families, pin), "image"


def _is_zigs(world: World, recipe: Recipe, platform: PlatformTag) -> bool:
    if recipe.build.toolchain.c is not None or platform in recipe.images:
        return recipe.build.toolchain.c == ZIG
    return platform.arch != world.machine or serving_image(platform, world.images, world.families) is None


def _refuse_emulated_zig(platform: PlatformTag, image: ImageFacts, machine: str) -> None:
    if image.platform.arch != machine:
        raise PlanError(
            f"zig would compile for {platform} in {image.name}, which is for {image.platform.arch}, and zig compiles "
            f"for every machine on {machine}",
            hint=f"remove images: for {platform}, or name one for {machine}",
        )


def _refuse_platform(platform: PlatformTag) -> None:
    machines = MACHINES_OF[platform.libc]
    if platform.arch not in machines:
        for_musl = " with musl" if platform.arch in MACHINES else ""
        raise ImageError(
            f"{platform} cannot be built: there is no compiler for {platform.arch}{for_musl} here",
            hint=f"remove the platforms of {platform.arch}{for_musl} from the recipe; there is one for "
            f"{', '.join(machines)}",
        )
    known = policies(platform.libc, platform.arch)
    first = _OLDEST_ON.get(platform.arch, _OLDEST[platform.libc])
    oldest = next(policy.tag for policy in known if policy.tag.version >= first)
    if not oldest.serves(platform):
        raise PlanError(
            f"{platform} cannot be built: the oldest for {platform.arch} that zig compiles for is {oldest}",
            hint=f"write {oldest}",
        )


def refuse_image_libraries(platform: Platform, image: ImageFacts, preparation: Preparation | None) -> None:
    """Refuse libraries of the image for zig's code: they need the image's glibc, and would be grafted with that need.

    Raises:
        PlanError: the recipe asks for some.
    """
    packages = preparation.packages if preparation is not None else ()
    libraries = [name for name in packages if _LIBRARY.fullmatch(name)]
    if not libraries:
        return
    its, other = "newer glibc", f", or write {image.platform} under platforms for the image's own compiler"
    if has_musl(platform):
        its, other = str(image.platform.libc), ""
    raise PlanError(
        f"zig compiles for {platform}, and the libraries of {image.name} need its {its}: {', '.join(libraries)}",
        hint=f"compile them in build: {{before: …}}{other}",
    )


def zig_note(cell: Cell, recipe: Recipe, families: Sequence[str]) -> str | None:
    """Say why zig compiles a cell whose recipe does not ask for it; None where that is not so."""
    if not cell.by_zig or recipe.build.toolchain.c == ZIG:
        return None
    if cell.platform.arch != cell.machine:
        trials = ", and its trials run under QEMU" if any(trial.image for trial in cell.trials) else ""
        return f"zig compiles for {cell.platform.arch} on {cell.machine}{trials}"
    held = ", ".join(families)
    if has_musl(cell.platform):
        return f"no image of {held} has musl, so zig compiles, as with build: {{toolchain: {{c: zig}}}}"
    return f"no image of {held} is as old as {cell.platform}, so zig compiles, as with build: {{toolchain: {{c: zig}}}}"


def emulation_note(world: World, cell: Cell, recipe: Recipe) -> str | None:
    """Say that a cell's containers are emulated, and what would be faster; None where they are not."""
    if cell.builder is None or cell.machine == world.machine:
        return None
    slow = f"containers for {cell.machine} are emulated on {world.machine}, where a build takes many times as long"
    if recipe.build.toolchain.c is None and cell.platform not in recipe.images:
        return slow
    field = "images: for it" if recipe.build.toolchain.c is None else "build: {toolchain: {c: …}}"
    return f"{slow}; without {field}, zig compiles for {cell.platform} and nothing of the build is emulated"
