"""Which image builds a cell, and which tries it."""

from collections.abc import Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from factory.errors import ImageError, PlanError
from factory.image_facts import ImageFacts
from factory.project.model import Project
from factory.recipe.model import Recipe
from factory.tags import Interpreter, PlatformTag


def build_image(platform: PlatformTag, images: Sequence[ImageFacts], families: Sequence[str]) -> ImageFacts:
    """Return the image with the highest policy not above a ceiling, of the first family that has one.

    Raises:
        ImageError: no family has one; the hint names what would serve.
    """
    able = [image for image in images if image.role == "build" and image.platform.serves(platform)]
    for family in families:
        of_family = [image for image in able if image.family == family]
        if of_family:
            return max(of_family, key=lambda image: (image.platform.major, image.platform.minor))
    raise ImageError(
        f"no image of {', '.join(families) or 'no family'} builds {platform}", hint=_would_serve(platform, able, images)
    )


def trial_image(interpreter: Interpreter, platform: PlatformTag, images: Sequence[ImageFacts]) -> ImageFacts | None:
    """Return the trial image that has an interpreter and the oldest libc on which the wheel must work."""
    able = [
        image
        for image in images
        if image.role == "trial" and interpreter in image.interpreters and platform.serves(image.platform)
    ]
    return min(able, key=lambda image: (image.platform.major, image.platform.minor, image.name), default=None)


def loader_image(platform: PlatformTag, images: Sequence[ImageFacts]) -> ImageFacts | None:
    """Return the trial image with the oldest libc on which the wheel must work, whichever interpreter it has."""
    able = [image for image in images if image.role == "trial" and platform.serves(image.platform)]
    return min(able, key=lambda image: (image.platform.major, image.platform.minor, image.name), default=None)


def refuse_rust(recipe: Recipe, project: Project, image: ImageFacts) -> None:
    """Refuse an image whose Rust is not what the recipe or the crate asks for.

    Raises:
        PlanError: it is too old, missing, or not the one that was asked for.
    """
    wanted = _specifier(recipe)
    if project.cargo_manifest is None and not wanted:
        return
    if image.rust is None:
        raise PlanError(f"{recipe.name} needs Rust; {image.name} has none", hint="choose another platform or family")
    if wanted and image.rust not in wanted:
        raise PlanError(f"the recipe asks for Rust {wanted}; {image.name} has {image.rust}", hint=_RUST_HINT)
    if project.rust_version is not None and image.rust < project.rust_version:
        raise PlanError(
            f"{recipe.name} needs Rust {project.rust_version}; {image.name} has {image.rust}", hint=_RUST_HINT
        )


_RUST_HINT = "choose another platform or family: the factory installs no toolchain for a recipe"


def _specifier(recipe: Recipe) -> SpecifierSet:
    try:
        return SpecifierSet(recipe.build.rust or "")
    except InvalidSpecifier as error:
        raise PlanError(
            f"toolchain rust {recipe.build.rust!r} is no version specifier", hint='such as ">=1.83"'
        ) from error


def _would_serve(platform: PlatformTag, able: Sequence[ImageFacts], images: Sequence[ImageFacts]) -> str:
    if able:
        best = max(able, key=lambda image: (image.platform.major, image.platform.minor))
        return f"{best.name} would: --families {best.family}"
    same = [image for image in images if image.role == "build" and _alike(image.platform, platform)]
    if same:
        lowest = min(same, key=lambda image: (image.platform.major, image.platform.minor))
        return f"{lowest.name} builds {lowest.platform}: write that, if its libc is old enough"
    return f"images here build {', '.join(sorted({str(image.platform) for image in images if image.role == 'build'}))}"


def _alike(one: PlatformTag, other: PlatformTag) -> bool:
    return (one.libc, one.arch) == (other.libc, other.arch)
