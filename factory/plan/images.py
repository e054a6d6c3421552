"""Which image builds a cell, and which tries it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from packaging.specifiers import SpecifierSet

from factory.catalogue import BOOTSTRAPPED, PINNED_FAMILY
from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.machines import CONTAINER_MACHINES, USUAL_MACHINE
from factory.pins import Pin
from factory.tags import Interpreter, Platform, PlatformTag, WindowsTag


def build_image(
    platform: PlatformTag, images: Sequence[ImageFacts], families: Sequence[str], pin: Pin | None = None
) -> ImageFacts:
    """Return the image with the highest policy not above a ceiling, of the first family that has one.

    One that the recipe names itself, `pin`, serves without regard to families. Its containers have the platform's
    machine.

    Raises:
        ImageError: no family has one, and the hint names what would serve; or no image is for the machine.
    """
    if platform.arch not in CONTAINER_MACHINES:
        raise ImageError(
            f"{platform} cannot be built: no image's own compiler has a linker for {platform.arch}, because there are "
            f"images for {' and '.join(CONTAINER_MACHINES)} alone",
            hint=f"let zig compile for {platform.arch}: write no build: {{toolchain: {{c: …}}}} and no images: for it",
        )
    if pin is not None:
        return _named_image(platform, images, pin)
    if (image := serving_image(platform, images, families)) is not None:
        return image
    able = [image for image in images if image.role == "build" and image.platform.serves(platform)]
    raise ImageError(
        f"no image of {', '.join(families) or 'no family'} builds {platform}",
        hint=_would_serve(platform, able, images, families),
    )


def serving_image(platform: PlatformTag, images: Sequence[ImageFacts], families: Sequence[str]) -> ImageFacts | None:
    """Return the image with the highest policy not above a ceiling, of the first family that has one; else None."""
    # Families are listed by preference, so a better policy of a later one does not count.
    return next((image for family in families for image in serving_images(platform, images, family)), None)


def serving_images(platform: PlatformTag, images: Sequence[ImageFacts], family: str) -> list[ImageFacts]:
    """Return the images of a family that build for a platform, the highest policy first."""
    of_family = [image for image in images if image.family == family and image.role == "build"]
    able = [image for image in of_family if image.platform.serves(platform)]
    return sorted(able, key=lambda image: image.platform.version, reverse=True)


def hosting_image(
    platform: PlatformTag, images: Sequence[ImageFacts], families: Sequence[str], machine: str, pin: Pin | None = None
) -> ImageFacts:
    """Return the image, for the engine's own `machine`, in which a compiler that brings its own libc builds.

    It is the one that serves the same policy there, else the oldest of the first family with one for that machine,
    which has glibc.

    Raises:
        ImageError: no family has one.
    """
    if pin is not None:
        return _known(pin, images)
    here = replace(platform, arch=machine)
    glibc = replace(here, libc="glibc")
    if (image := serving_image(here, images, families)) is not None:
        return image
    for family in families:
        able = [image for image in images if _is_of(family, image) and _alike(image.platform, glibc)]
        if able:
            return min(able, key=lambda image: image.platform.version)
    raise ImageError(
        f"no image of {', '.join(families) or 'no family'} runs zig, which would compile for {platform}",
        hint=f"--families {BOOTSTRAPPED}",
    )


def cross_image(
    platform: WindowsTag, images: Sequence[ImageFacts], families: Sequence[str], machine: str
) -> ImageFacts:
    """Return the image in which mingw-w64 builds for Windows: the oldest of the first family that apt adds it to.

    The libc does not matter; it is the image that most recipes use for Linux, on the engine's own `machine`.

    Raises:
        ImageError: no family has one.
    """
    for family in families:
        able = [
            image
            for image in images
            if _is_of(family, image) and image.packages == "apt" and image.platform.arch == machine
        ]
        if able:
            return min(able, key=lambda image: image.platform.version)
    raise ImageError(
        f"no image of {', '.join(families) or 'no family'} can have mingw-w64, which would compile for {platform}",
        hint=f"--families {BOOTSTRAPPED}",
    )


def _is_of(family: str, image: ImageFacts) -> bool:
    return image.role == "build" and image.family == family


def _known(pin: Pin, images: Sequence[ImageFacts]) -> ImageFacts:
    image = next((image for image in images if image.name == pin.reference), None)
    if image is None:
        raise ImageError(f"nothing is known of {pin}", hint=f"`factory image pull {pin}` inspects it")
    return image


def _named_image(platform: PlatformTag, images: Sequence[ImageFacts], pin: Pin) -> ImageFacts:
    image = _known(pin, images)
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
    interpreter: Interpreter,
    platform: Platform,
    images: Sequence[ImageFacts],
    requires_python: SpecifierSet,
    machine: str,
) -> ImageFacts | None:
    """Return the plain image that can have an interpreter and has the oldest libc on which the wheel must work.

    Its containers have the `machine`. One that is made here comes before one that a user pinned.
    """
    return _oldest(
        image
        for image in plain_images(platform, images, machine)
        if image.can_have(interpreter) and admits(requires_python, image, interpreter)
    )


def tries_itself(
    image: ImageFacts, interpreter: Interpreter, platform: Platform, requires_python: SpecifierSet
) -> bool:
    """Whether a wheel can be tried on the image that built it, for want of a plain one with the interpreter."""
    return (
        interpreter in image.interpreters
        and platform.serves(image.platform)
        and admits(requires_python, image, interpreter)
    )


def loader_image(
    platform: Platform, images: Sequence[ImageFacts], builder: ImageFacts | None, machine: str
) -> ImageFacts | None:
    """Return the plain image with the oldest libc on which the wheel must work, whichever interpreter it has.

    Its containers have the `machine`. Where there is none it is the image that built it. For Windows it is the one
    whose suite has a wine for that.
    """
    if isinstance(platform, WindowsTag):
        trials = (image for image in images if image.role == "trial" and image.platform.arch == machine)
        # wine starts programs for the machine that it runs on.
        return _oldest(image for image in trials if machine == USUAL_MACHINE and platform.arch in image.machines)
    plain = _oldest(plain_images(platform, images, machine))
    if plain is None and builder is not None and platform.serves(builder.platform):
        return builder
    return plain


def plain_images(platform: Platform, images: Iterable[ImageFacts], machine: str) -> Iterator[ImageFacts]:
    """Yield the trial images for a machine on which a platform's wheels must work, as they are on the platform's."""
    for image in images:
        is_of_machine = image.role == "trial" and image.platform.arch == machine
        here = image.on(platform.arch) if is_of_machine else None
        if here is not None and platform.serves(here.platform):
            yield here


def program_image(interpreter: Interpreter, images: Sequence[ImageFacts], machine: str) -> ImageFacts | None:
    """Return the image for a machine that has an interpreter's shared libpython, the one with the oldest libc.

    None where there is none.
    """
    return _oldest(
        image
        for image in images
        if image.role == "program" and image.platform.arch == machine and interpreter in image.interpreters
    )


def _oldest(images: Iterable[ImageFacts]) -> ImageFacts | None:
    """Return the image with the oldest libc, of those that are made here if there are some.

    The name decides between equals, so that the order does not.
    """
    return min(
        images, key=lambda image: (image.family == PINNED_FAMILY, image.platform.version, image.name), default=None
    )


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
