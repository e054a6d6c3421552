"""Where the wheels must work: what the source asks for, as far as images here can build and try it."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain

from packaging.specifiers import SpecifierSet

from factory.image_facts import ImageFacts
from factory.init.cibuildwheel import Settings
from factory.init.model import Carried, Entry, Left
from factory.init.selectors import architectures, chosen, known
from factory.installable import runs
from factory.plan.images import trial_image
from factory.plan.limits import pyo3_excludes
from factory.project.model import Project
from factory.tags import Abi3Floor, Interpreter, PlatformTag, tag_for

_LIBCS = {"glibc": "manylinux", "musl": "musllinux"}
_NOWHERE = "no image here builds for them and tries them: `factory image list`"
_ON_DEMAND = "each is made once on this machine, which takes minutes: add them to interpreters if you want their wheels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The interpreters and platforms of the recipe to be, and why others are not in it."""

    interpreters: tuple[Interpreter, ...]
    platforms: tuple[PlatformTag, ...]
    carried: tuple[Carried, ...] = ()

    @property
    def identifiers(self) -> tuple[str, ...]:
        """What cibuildwheel calls these builds."""
        return tuple(
            f"{interpreter}-{target_of(platform)}" for interpreter in self.interpreters for platform in self.platforms
        )


def target_of(platform: PlatformTag) -> str:
    """Return cibuildwheel's word for a libc and an architecture: `manylinux_x86_64`."""
    return f"{_LIBCS[platform.libc]}_{platform.arch}"


def served(images: Sequence[ImageFacts], families: Sequence[str]) -> tuple[PlatformTag, ...]:
    """Return the platforms that images here build for and try on: of each libc and architecture the oldest policy.

    As in a plan, the first family that has an image for one serves it.
    """
    platforms: dict[str, PlatformTag] = {}
    for family in families:
        able = [image.platform for image in images if image.role == "build" and image.family == family]
        newest_first = sorted(able, key=lambda platform: (platform.major, platform.minor), reverse=True)
        oldest = {target_of(platform): platform for platform in newest_first}
        tried = {name: platform for name, platform in oldest.items() if _tried(platform, images)}
        platforms = {**tried, **platforms}
    return tuple(platforms.values())


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
    platforms = tuple(_ceiling(oldest, settings, images) for oldest in served(images, families))
    wanted = [interpreter for interpreter in known() if _wanted(interpreter, project, floors, settings, platforms)]
    here = [
        interpreter
        for interpreter in wanted
        if _here(interpreter, images, families, platforms, project) and not _impossible(interpreter, project, floors)
    ]
    return Targets(
        interpreters=tuple(here or wanted[-1:]),
        platforms=platforms,
        carried=(
            *_missing(wanted, here, project, floors, {*chain.from_iterable(image.on_demand for image in images)}),
            *_elsewhere(settings, platforms),
            *_ceilings(settings, platforms),
        ),
    )


def _wanted(
    interpreter: Interpreter,
    project: Project | None,
    floors: Sequence[Abi3Floor],
    settings: Settings | None,
    platforms: Sequence[PlatformTag],
) -> bool:
    """Tell whether the source asks for an interpreter: by selectors, else by requires-python and upstream's support.

    An abi3 wheel is meant for every interpreter from its floor on, whichever one builds it.
    """
    if project is not None and not runs(project.requires_python, interpreter):
        return False
    if any(floor.covers(interpreter) for floor in floors):
        return True
    if settings is not None:
        return any(chosen(settings, interpreter, target_of(platform)) for platform in platforms)
    return interpreter.implementation == "cp" and not interpreter.free_threaded


def _here(
    interpreter: Interpreter,
    images: Sequence[ImageFacts],
    families: Sequence[str],
    platforms: Sequence[PlatformTag],
    project: Project | None,
) -> bool:
    requires_python = SpecifierSet() if project is None else project.requires_python
    serving = [image for image in images if image.role == "build" and image.family in families]
    builders = {builder for image in serving for builder in image.interpreters}
    return interpreter in builders and any(
        trial_image(interpreter, platform, images, requires_python, platform.arch) is not None for platform in platforms
    )


def _impossible(interpreter: Interpreter, project: Project | None, floors: Sequence[Abi3Floor]) -> str:
    if project is None or project.pyo3 is None or project.pyo3.version is None:
        return ""
    return pyo3_excludes(project.pyo3.version, interpreter, by_floor=any(floor.covers(interpreter) for floor in floors))


def _missing(
    wanted: Sequence[Interpreter],
    here: Sequence[Interpreter],
    project: Project | None,
    floors: Sequence[Abi3Floor],
    on_demand: AbstractSet[Interpreter],
) -> Iterator[Carried]:
    reasons: dict[str, list[str]] = {}
    for interpreter in wanted:
        if interpreter not in here:
            nowhere = _ON_DEMAND if interpreter in on_demand else _NOWHERE
            why = _impossible(interpreter, project, floors) or nowhere
            reasons.setdefault(why, []).append(str(interpreter))
    for why, names in reasons.items():
        yield Left(what=f"interpreters: {', '.join(names)}", why=why)


def _elsewhere(settings: Settings | None, platforms: Sequence[PlatformTag]) -> Iterator[Carried]:
    """Name the platforms that cibuildwheel builds for and no image here does."""
    if settings is None:
        return
    here = {target_of(platform) for platform in platforms}
    asked = [f"{name}_{arch}" for arch in architectures(settings) for name in _LIBCS.values()]
    missing = [
        name
        for name in asked
        if name not in here and any(chosen(settings, interpreter, name) for interpreter in known())
    ]
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
    """Say where the wheels will need a newer libc than those that cibuildwheel makes."""
    for platform in platforms:
        option = _image_option(platform)
        if settings is None or option not in settings.options:
            continue
        what, asked = f"{settings.place}.{option}: {settings.options[option]}", _stated(settings, platform)
        if asked is None:
            yield Left(what=what, why="the image is not named by a policy; see images in a recipe")
        elif (asked.major, asked.minor) < (platform.major, platform.minor):
            yield Left(what=what, why=f"no image here is that old; {platform} is the nearest")


def carried_targets(
    targets: Targets, project: Project | None, floors: Sequence[Abi3Floor], settings: Settings | None
) -> Iterator[Carried]:
    """Yield the two fields, each with where it comes from."""
    reasons = (
        [f"requires-python is {project.requires_python}"] if project is not None and project.requires_python else []
    )
    reasons += (
        [f"{settings.place} chooses"] if settings is not None and {"build", "skip"} & set(settings.options) else []
    )
    names = tuple(str(interpreter) for interpreter in targets.interpreters) or ("supported",)
    yield Entry(field=("interpreters",), value=names, why="; ".join(reasons))
    yield Entry(field=("platforms",), value=tuple(str(platform) for platform in targets.platforms))
    if settings is not None and not floors:
        yield from _skips(targets, settings)
    yield from targets.carried


def _skips(targets: Targets, settings: Settings) -> Iterator[Carried]:
    """Yield what selectors leave out of interpreters times platforms. Selectors cannot leave out an abi3 wheel."""
    rules = tuple(
        {"select": str(tag_for(interpreter, platform)), "reason": f"{settings.place} leaves it out"}
        for platform in targets.platforms
        for interpreter in targets.interpreters
        if not chosen(settings, interpreter, target_of(platform))
    )
    if rules:
        yield Entry(field=("skip",), value=rules)
