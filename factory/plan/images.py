"""Which image builds a cell, and which tries it."""

from collections.abc import Sequence

from packaging.specifiers import SpecifierSet

from factory.catalogue import CONTAINER_MACHINE
from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.pins import Pin
from factory.tags import Interpreter, PlatformTag


def build_image(
    platform: PlatformTag, images: Sequence[ImageFacts], families: Sequence[str], pin: Pin | None = None
) -> ImageFacts:
    """Return the image with the highest policy not above a ceiling, of the first family that has one.

    One that the recipe names itself, `pin`, serves without regard to families.

    Raises:
        ImageError: no family has one, and the hint names what would serve; or nothing is built for the architecture.
    """
    if platform.arch != CONTAINER_MACHINE:
        raise ImageError(
            f"{platform} cannot be built: the factory's tools in containers are only for {CONTAINER_MACHINE}",
            hint=f"remove the platforms of {platform.arch} from the recipe",
        )
    if pin is not None:
        return _named_image(platform, images, pin)
    able = [image for image in images if image.role == "build" and image.platform.serves(platform)]
    # Families are listed by preference, so a better policy of a later one does not count.
    for family in families:
        of_family = [image for image in able if image.family == family]
        if of_family:
            return max(of_family, key=lambda image: image.platform.version)
    raise ImageError(
        f"no image of {', '.join(families) or 'no family'} builds {platform}",
        hint=_would_serve(platform, able, images, families),
    )


def _named_image(platform: PlatformTag, images: Sequence[ImageFacts], pin: Pin) -> ImageFacts:
    image = next((image for image in images if image.name == pin.reference), None)
    if image is None:
        raise ImageError(f"nothing is known of {pin}", hint=f"`factory image pull {pin}` inspects it")
    if not image.platform.serves(platform):
        raise ImageError(
            f"{pin} builds {image.platform}, which does not run wherever {platform} is promised",
            hint=f"write {image.platform} under platforms and images, or name an older image",
        )
    return image


def admits(requires_python: SpecifierSet, image: ImageFacts, interpreter: Interpreter) -> bool:
    """Whether a project may be installed on an image's release of an interpreter, as far as the release is known."""
    release = image.release_of(interpreter)
    return release is None or requires_python.contains(release, prereleases=True)


def trial_image(
    interpreter: Interpreter, platform: PlatformTag, images: Sequence[ImageFacts], requires_python: SpecifierSet
) -> ImageFacts | None:
    """Return the trial image that has an interpreter and the oldest libc on which the wheel must work."""
    able = [
        image
        for image in images
        if image.role == "trial" and interpreter in image.interpreters and platform.serves(image.platform)
        if admits(requires_python, image, interpreter)
    ]
    # The name decides between equals, so that the order of the list does not.
    return min(able, key=lambda image: (image.platform.version, image.name), default=None)


def loader_image(platform: PlatformTag, images: Sequence[ImageFacts]) -> ImageFacts | None:
    """Return the trial image with the oldest libc on which the wheel must work, whichever interpreter it has."""
    able = [image for image in images if image.role == "trial" and platform.serves(image.platform)]
    return min(able, key=lambda image: (image.platform.version, image.name), default=None)


def _would_serve(
    platform: PlatformTag, able: Sequence[ImageFacts], images: Sequence[ImageFacts], families: Sequence[str]
) -> str:
    if able:
        best = max(able, key=lambda image: image.platform.version)
        return f"{best.name} would: --families {','.join([*families, best.family])}"
    same = [image for image in images if image.role == "build" and _alike(image.platform, platform)]
    if same:
        lowest = min(same, key=lambda image: image.platform.version)
        return f"{lowest.name} builds {lowest.platform}: write that, if its libc is old enough"
    return f"images here build {', '.join(sorted({str(image.platform) for image in images if image.role == 'build'}))}"


def _alike(platform: PlatformTag, other: PlatformTag) -> bool:
    return (platform.libc, platform.arch) == (other.libc, other.arch)
