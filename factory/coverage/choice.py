"""Choose the file of a release that an installer takes in each environment: the best wheel, else the sdist."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, TypeAlias

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, create_compatible_tags_selector
from packaging.utils import BuildTag, NormalizedName
from packaging.version import Version

from factory.coverage.environments import USUAL_MACHINES, Environment, environments
from factory.installable import runs, supported_tags
from factory.tags import Interpreter, PlatformTag, platform_of
from factory.untrusted import parse_sdist_name, parse_specifiers, parse_wheel_name

Kind: TypeAlias = Literal["wheel", "sdist", "excluded", "nothing"]
"""What is taken; `excluded` says that the release's Requires-Python leaves nothing to take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file that an index or a folder offers; `requires_python` is empty where it is not known, or not given."""

    filename: str
    requires_python: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The file that is taken in one environment; `filename` is empty where none is."""

    interpreter: str
    platform: str
    kind: Kind
    filename: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One release: what is taken in each environment, and the wheels for CPython there that are taken in none."""

    name: NormalizedName
    version: str
    taken: tuple[Taken, ...]
    idle: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wheel:
    filename: str
    build: BuildTag
    tags: frozenset[Tag]
    python: SpecifierSet


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The files of one release."""

    wheels: Sequence[_Wheel]
    sdist: str
    sdist_python: SpecifierSet

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms that the wheels' tags name."""
        return frozenset(tag.platform for wheel in self.wheels for tag in wheel.tags)

    @property
    def machines(self) -> tuple[str, ...]:
        """The usual machines, and those that a wheel names."""
        named = {platform for wheel in self.wheels for tag in wheel.tags if (platform := _machine(tag))}
        return (*USUAL_MACHINES, *sorted(named - {*USUAL_MACHINES}))

    def admit(self, interpreter: Interpreter) -> bool:
        """Whether any file's Requires-Python admits an interpreter."""
        pythons = [wheel.python for wheel in self.wheels] + ([self.sdist_python] if self.sdist else [])
        return any(runs(python, interpreter) for python in pythons)


def coverage(offers: Iterable[Offer], machines: Sequence[str] = ()) -> tuple[Coverage, ...]:
    """Return for each release what is taken where, the releases in order of name and version.

    Without `machines` the usual ones are looked at, and those that a wheel of the release names. An sdist without a
    Requires-Python of its own has that of the release's wheels, if they have one in common.

    Raises:
        UntrustedTextError: a file name is neither a wheel's nor an sdist's, or a Requires-Python is not valid.
    """
    releases = _releases(offers)
    return tuple(
        _covered(name, version, files, machines or files.machines)
        for (name, version), files in sorted(releases.items(), key=lambda release: release[0])
    )


def _releases(offers: Iterable[Offer]) -> Mapping[tuple[NormalizedName, Version], _Files]:
    wheels: dict[tuple[NormalizedName, Version], list[_Wheel]] = {}
    sdists: dict[tuple[NormalizedName, Version], Offer] = {}
    for offer in offers:
        if offer.filename.endswith(".whl"):
            name, version, build, tags = parse_wheel_name(offer.filename)
            python = parse_specifiers(offer.requires_python)
            wheel = _Wheel(filename=offer.filename, build=build, tags=tags, python=python)
            wheels.setdefault((name, version), []).append(wheel)
        else:
            sdists[parse_sdist_name(offer.filename)] = offer
    return {release: _files(wheels.get(release, []), sdists.get(release)) for release in wheels.keys() | sdists.keys()}


def _files(wheels: Sequence[_Wheel], sdist: Offer | None) -> _Files:
    common = {wheel.python for wheel in wheels}
    own = SpecifierSet() if sdist is None else parse_specifiers(sdist.requires_python)
    return _Files(
        wheels=sorted(wheels, key=lambda wheel: (wheel.build, wheel.filename), reverse=True),
        sdist="" if sdist is None else sdist.filename,
        sdist_python=own if own or len(common) != 1 else common.pop(),
    )


def _covered(name: NormalizedName, version: Version, files: _Files, machines: Sequence[str]) -> Coverage:
    taken = tuple(_taken(files, environment) for environment in environments(machines))
    used = {choice.filename for choice in taken}
    idle = tuple(
        sorted(wheel.filename for wheel in files.wheels if wheel.filename not in used and _is_for(wheel.tags, machines))
    )
    return Coverage(name=name, version=str(version), taken=taken, idle=idle)


def _taken(files: _Files, environment: Environment) -> Taken:
    """Choose as pip and uv do: the best tag, among equals the highest build number (PEP 425, PEP 427)."""
    kind: Kind = "nothing" if files.admit(environment.interpreter) else "excluded"
    fitting = [(wheel.filename, wheel.tags) for wheel in files.wheels if runs(wheel.python, environment.interpreter)]
    filename = next(_select(environment, files.platforms)(fitting), "")
    if filename:
        kind = "wheel"
    elif files.sdist and runs(files.sdist_python, environment.interpreter):
        kind, filename = "sdist", files.sdist
    return Taken(
        interpreter=str(environment.interpreter), platform=str(environment.platform), kind=kind, filename=filename
    )


def _select(
    environment: Environment, platforms: AbstractSet[str]
) -> Callable[[Iterable[tuple[str, AbstractSet[Tag]]]], Iterator[str]]:
    # Installers take `linux_*`, too, where something other than a public index offers it.
    return create_compatible_tags_selector(
        supported_tags(environment.interpreter, environment.platform, built_here=True, named=platforms)
    )


def _machine(tag: Tag) -> str:
    """Return the machine of a tag for Linux; empty for other systems, and for any machine."""
    if tag.platform.startswith("linux_"):
        return tag.platform.removeprefix("linux_")
    try:
        platform = platform_of(tag.platform)
    except ValueError:
        return ""
    return platform.arch if isinstance(platform, PlatformTag) else ""


def _is_for(tags: frozenset[Tag], machines: Sequence[str]) -> bool:
    own = (tag for tag in tags if tag.interpreter.startswith(("cp3", "py3")))
    return any(tag.platform == "any" or _machine(tag) in machines for tag in own)
