"""Where the wheels are to work: what the source asks for, as far as images here build for it and try it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from factory.image_facts import ImageFacts
from factory.init.cibuildwheel import Settings
from factory.init.model import Carried, Found, Left
from factory.init.selectors import architectures, chosen, known
from factory.plan.images import trial_image
from factory.plan.limits import pyo3_excludes
from factory.plan.world import runs
from factory.project.model import Project
from factory.tags import Abi3Floor, Interpreter, PlatformTag, tag_for

_LIBCS = {"glibc": "manylinux", "musl": "musllinux"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The interpreters and platforms of the recipe to be, and why others are not in it."""

    interpreters: tuple[Interpreter, ...]
    platforms: tuple[PlatformTag, ...]
    carried: tuple[Carried, ...] = ()

    @property
    def identifiers(self) -> tuple[str, ...]:
        """What cibuildwheel calls these builds."""
        return tuple(f"{one}-{target_of(platform)}" for one in self.interpreters for platform in self.platforms)


def target_of(platform: PlatformTag) -> str:
    """Return cibuildwheel's word for a libc and an architecture: `manylinux_x86_64`."""
    return f"{_LIBCS[platform.libc]}_{platform.arch}"


def served(images: Sequence[ImageFacts], families: Sequence[str]) -> tuple[PlatformTag, ...]:
    """Return the platforms that images here build for and try on: of each libc and architecture the oldest policy.

    As in a plan, the first family that has an image for one serves it.
    """
    found: dict[str, PlatformTag] = {}
    for family in families:
        able = [image.platform for image in images if image.role == "build" and image.family == family]
        oldest = {target_of(one): one for one in sorted(able, key=lambda one: (one.major, one.minor), reverse=True)}
        tried = {name: one for name, one in oldest.items() if _tried(one, images)}
        found = {**tried, **found}
    return tuple(found.values())


def _tried(platform: PlatformTag, images: Sequence[ImageFacts]) -> bool:
    return any(image.role == "trial" and platform.serves(image.platform) for image in images)


def targets(
    project: Project | None,
    floors: Sequence[Abi3Floor],
    settings: Settings | None,
    images: Sequence[ImageFacts],
    families: Sequence[str],
) -> Targets:
    """Choose interpreters and platforms.

    Raises:
        ValueError: a selector of cibuildwheel's cannot be read.
    """
    platforms = tuple(_ceiling(one, settings, images) for one in served(images, families))
    wanted = [one for one in known() if _wanted(one, project, floors, settings, platforms)]
    here = [one for one in wanted if _here(one, images, families, platforms) and not _impossible(one, project, floors)]
    return Targets(
        interpreters=tuple(here or wanted[-1:]),
        platforms=platforms,
        carried=(
            *_missing(wanted, here, project, floors),
            *_elsewhere(settings, platforms),
            *_ceilings(settings, platforms),
        ),
    )


def _wanted(
    one: Interpreter,
    project: Project | None,
    floors: Sequence[Abi3Floor],
    settings: Settings | None,
    platforms: Sequence[PlatformTag],
) -> bool:
    """Tell whether the source asks for an interpreter: by selectors, else by requires-python and upstream's support.

    An abi3 wheel is meant for every interpreter from its floor on, whichever one builds it.
    """
    if project is not None and not runs(project.requires_python, one):
        return False
    if any(floor.covers(one) for floor in floors):
        return True
    if settings is not None:
        return any(chosen(settings, one, target_of(platform)) for platform in platforms)
    return one.implementation == "cp" and not one.free_threaded


def _here(
    one: Interpreter, images: Sequence[ImageFacts], families: Sequence[str], platforms: Sequence[PlatformTag]
) -> bool:
    builders = {
        each for image in images if image.role == "build" and image.family in families for each in image.interpreters
    }
    return one in builders and any(trial_image(one, platform, images) is not None for platform in platforms)


def _impossible(one: Interpreter, project: Project | None, floors: Sequence[Abi3Floor]) -> str:
    if project is None or project.pyo3 is None or project.pyo3.version is None:
        return ""
    return pyo3_excludes(project.pyo3.version, one, by_floor=any(floor.covers(one) for floor in floors))


def _missing(
    wanted: Sequence[Interpreter], here: Sequence[Interpreter], project: Project | None, floors: Sequence[Abi3Floor]
) -> Iterator[Carried]:
    reasons: dict[str, list[str]] = {}
    for one in wanted:
        if one not in here:
            why = (
                _impossible(one, project, floors)
                or "no image here builds for them and tries them: `factory image list`"
            )
            reasons.setdefault(why, []).append(str(one))
    for why, names in reasons.items():
        yield Left(what=f"interpreters: {', '.join(names)}", why=why)


def _elsewhere(settings: Settings | None, platforms: Sequence[PlatformTag]) -> Iterator[Carried]:
    """Name what cibuildwheel builds for and no image here does."""
    if settings is None:
        return
    here = {target_of(platform) for platform in platforms}
    asked = [f"{name}_{arch}" for arch in architectures(settings) for name in _LIBCS.values()]
    missing = [name for name in asked if name not in here and any(chosen(settings, one, name) for one in known())]
    if missing:
        yield Left(
            what=f"platforms: {', '.join(missing)}",
            why="no image here builds for them and tries them: `factory image list`",
        )


def _ceiling(oldest: PlatformTag, settings: Settings | None, images: Sequence[ImageFacts]) -> PlatformTag:
    """Return the policy of cibuildwheel's own image where it is newer than the oldest here: wheels may need it."""
    asked = _stated(settings, oldest)
    newer = asked is not None and (asked.major, asked.minor) > (oldest.major, oldest.minor)
    return asked if asked is not None and newer and _tried(asked, images) else oldest


def _stated(settings: Settings | None, platform: PlatformTag) -> PlatformTag | None:
    stated = None if settings is None else settings.options.get(_image_option(platform))
    try:
        return PlatformTag.parse(f"{stated}_{platform.arch}")
    except ValueError:
        return None


def _image_option(platform: PlatformTag) -> str:
    return f"{target_of(platform).replace('_', '-', 1)}-image"


def _ceilings(settings: Settings | None, platforms: Sequence[PlatformTag]) -> Iterator[Carried]:
    """Tell where the wheels will need a newer libc than those that cibuildwheel makes."""
    for platform in platforms:
        option = _image_option(platform)
        if settings is None or option not in settings.options:
            continue
        what, asked = f"{settings.place}.{option}: {settings.options[option]}", _stated(settings, platform)
        if asked is None:
            yield Left(what=what, why="an image is not named by a policy; see images in a recipe")
        elif (asked.major, asked.minor) < (platform.major, platform.minor):
            yield Left(what=what, why=f"no image here is that old; {platform} is the nearest")


def carried_targets(
    found: Targets, project: Project | None, floors: Sequence[Abi3Floor], settings: Settings | None
) -> Iterator[Carried]:
    """Yield the two fields, each with where it comes from."""
    said = [f"requires-python is {project.requires_python}"] if project is not None and project.requires_python else []
    said += [f"{settings.place} chooses"] if settings is not None and {"build", "skip"} & set(settings.options) else []
    names = tuple(str(one) for one in found.interpreters) or ("supported",)
    yield Found(field=("interpreters",), value=names, why="; ".join(said))
    yield Found(field=("platforms",), value=tuple(str(one) for one in found.platforms))
    if settings is not None and not floors:
        yield from _skips(found, settings)
    yield from found.carried


def _skips(found: Targets, settings: Settings) -> Iterator[Carried]:
    """Yield what selectors leave out of interpreters times platforms. An abi3 wheel is not theirs to leave out."""
    rules = tuple(
        {"select": str(tag_for(one, platform)), "reason": f"{settings.place} leaves it out"}
        for platform in found.platforms
        for one in found.interpreters
        if not chosen(settings, one, target_of(platform))
    )
    if rules:
        yield Found(field=("skip",), value=rules)
