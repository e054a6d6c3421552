"""What a build image needs to compile a source, and what is added to it."""

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from factory.catalogue import LISTED_UNDER, ZIG
from factory.errors import PlanError
from factory.image_facts import ImageFacts
from factory.plan.model import Preparation, RustOrigin
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.tags import Platform, has_musl

_ELSEWHERE = "choose another platform, or other images by --families"
_HINT = f"{_ELSEWHERE}: the factory does not install toolchains for recipes"


def refuse_c(recipe: Recipe, image: ImageFacts) -> None:
    """Refuse an image whose GCC is not what the recipe asks for.

    Raises:
        PlanError: it is missing, or not the one that was asked for.
    """
    asked = recipe.build.toolchain.c
    wanted = SpecifierSet("" if asked in (None, ZIG) else asked)
    if wanted and (image.c is None or image.c not in wanted):
        held = image.c or "none"
        raise PlanError(f"the recipe asks for GCC {wanted}; {image.name} has {held}", hint=_HINT)


def rust_of(recipe: Recipe, project: Project, image: ImageFacts, platform: Platform) -> RustOrigin | None:
    """Say whose Rust compiles: the image's, else the factory's own if the image's does not fit; None without Rust.

    For another machine or libc than the image's it is always the factory's own, which comes with std for those.

    Raises:
        PlanError: neither is there, or each is too old, or not the one that was asked for.
    """
    wanted = SpecifierSet(recipe.build.toolchain.rust or "")
    if project.cargo_manifest is None and not wanted:
        return None
    reasons = []
    is_foreign = platform.arch != image.platform.arch or has_musl(platform) != has_musl(image.platform)
    for origin, version in _rusts(image, is_foreign=is_foreign):
        why = _unfit(recipe, project, wanted, version)
        if not why:
            return origin
        held_by = image.name if origin == "image" else "the factory's own"
        reasons.append(f"{why}; {held_by} has {version}{_std(platform, image)}")
    if not reasons:
        libc, arch = image.platform.libc, image.platform.arch
        message = (
            f"{recipe.name} needs Rust; {image.name} has none, and the factory's own does not support {libc} on {arch}"
        )
        raise PlanError(message, hint=_ELSEWHERE)
    raise PlanError(reasons[0], hint=_HINT)


def _std(platform: Platform, image: ImageFacts) -> str:
    if platform.arch == image.platform.arch:
        return ""
    return f", and no other here has a standard library for {platform.arch}"


def _rusts(image: ImageFacts, *, is_foreign: bool) -> Iterator[tuple[RustOrigin, Version]]:
    if image.rust is not None and not is_foreign:
        yield "image", image.rust
    if image.bundled_rust is not None:
        yield "bundle", image.bundled_rust


def _unfit(recipe: Recipe, project: Project, wanted: SpecifierSet, version: Version) -> str:
    """Say why a Rust of this version does not fit; nothing if it does."""
    if wanted and version not in wanted:
        return f"the recipe asks for Rust {wanted}"
    if project.rust_version is not None and version < project.rust_version:
        return f"{recipe.name} needs Rust {project.rust_version}"
    return ""


def preparation(recipe: Recipe, image: ImageFacts) -> Preparation | None:
    """Say what an image gets before a recipe's cells use it; None where the recipe asks for nothing.

    Raises:
        PlanError: the recipe lists system packages, but none for the image's package manager.
    """
    build, manager = recipe.build, image.packages
    listed = None if manager is None else LISTED_UNDER[manager]
    if build.system and listed not in build.system:
        has = f"has {manager}" if manager else "installs none"
        hint = f"add build: {{system: {{{listed}: […]}}}} with this distribution's names, [] where it needs none"
        raise PlanError(
            f"{recipe.name} lists system packages for {', '.join(build.system)}; {image.name} {has}",
            hint=hint if manager else _ELSEWHERE,
        )
    packages = () if listed is None else tuple(sorted(build.system.get(listed, ())))
    if not packages and not build.before_all:
        return None
    return Preparation(manager=manager, packages=packages, before_all=build.before_all)
