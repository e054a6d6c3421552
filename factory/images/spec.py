"""The images that this factory bootstraps, as their data files declare them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from packaging.version import Version

from factory.catalogue import PINNED_FAMILY
from factory.errors import ImageError
from factory.image_facts import ROLES, ImageFacts, Release, Role
from factory.machines import CONTAINER_MACHINES
from factory.steps import image_python, trial_python
from factory.tables import Table
from factory.tags import Interpreter, PlatformTag

TEMPLATE: Final = "assemble.sh.j2"
"""The script of a family's images; a family without one is pulled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rust:
    """Where an image's Rust comes from: a suite, its packages, and their programs that go on PATH."""

    suite: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Which interpreter runs the pinned tools, and which of their programs go on PATH."""

    interpreter: Interpreter
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """One image as declared: its facts, and what it is made from.

    `family_folder` holds the family's template, contract and lock files; `origins` names the suite that each
    interpreter's binaries come from;
    `fallbacks` name per suite the suites to take another version from where the mirror lacks a file that it lists;
    `delays` say per suite for how many days after its date an expired index is accepted;
    `without` are path patterns that dpkg leaves out; `env` is the image's environment. An image that is declared for
    several machines has a specification for each.
    """

    facts: ImageFacts
    family_folder: Path
    suite: str
    packages: tuple[str, ...]
    without: tuple[str, ...]
    origins: Mapping[Interpreter, str]
    env: Mapping[str, str]
    fallbacks: Mapping[str, tuple[str, ...]]
    delays: Mapping[str, int]
    rust: Rust | None = None
    tools: Tools | None = None

    @property
    def scripts_folder(self) -> Path:
        """The Python scripts that the template calls."""
        return self.family_folder.parent / "scripts"


def data_folder() -> Path:
    """Find the images' data: `images/` of a checkout, or the copy that an installed wheel carries."""
    package = Path(__file__).parents[1]
    installed = package / "data" / "images"
    return installed if installed.is_dir() else package.parent / "images"


def is_checkout(folder: Path) -> bool:
    """Whether the data belongs to a checkout, where it may be changed, and not to an installed package."""
    return folder.parent != Path(__file__).parents[1] / "data"


def declared_specs(folder: Path | None = None) -> tuple[ImageSpec, ...]:
    """Read every bootstrapped image's data file, family by family, name by name, for each of its machines."""
    families = {path.parent for path in (folder or data_folder()).glob(f"*/{TEMPLATE}")}
    paths = sorted(path for family in families for path in family.glob("*.toml"))
    return tuple(spec for path in paths if path.name != "contract.toml" for spec in read_specs(path))


def python(facts: ImageFacts, interpreter: Interpreter) -> PurePosixPath:
    """Return the path of an interpreter in an image: its distribution's, or that of the pypa contract.

    The latter is so in build images, and for what is brought to an image.
    """
    is_of_distribution = facts.role != "build" and interpreter in facts.interpreters
    if is_of_distribution and facts.family == PINNED_FAMILY:
        return PurePosixPath("/usr/local/bin", interpreter.program)  # where Docker's own images of Python have it
    return trial_python(interpreter) if is_of_distribution else image_python(interpreter)


def read_data(path: Path) -> Table:
    """Read a data file of the images.

    Raises:
        ImageError: it is not valid TOML; later, a field is absent or of another type.
    """
    return _parsed(path.read_text(encoding="utf-8"), str(path))


@cache
def _parsed(text: str, place: str) -> Table:
    """Parse a text once: every recipe and every image of a run asks for the same files."""
    return Table.parse(text, place, _unfit)


def _unfit(message: str) -> ImageError:
    return ImageError(message, hint="images/README.md names every key")


def read_spec(path: Path) -> ImageSpec:
    """Read one image's data file, as it is for the machine of the platform that it names; its family is its folder.

    Raises:
        ImageError: the file does not say what an image must say.
    """
    return read_specs(path)[0]


def read_specs(path: Path) -> tuple[ImageSpec, ...]:
    """Read the same, and after it the images for the other machines whose `containers` may have it.

    Raises:
        ImageError: the file does not say what an image must say.
    """
    return _specs(path.read_text(encoding="utf-8"), path)


@cache
def _specs(text: str, path: Path) -> tuple[ImageSpec, ...]:
    """Read a text once: a run looks at every image by its name."""
    try:
        table = _parsed(text, str(path))
        own = PlatformTag.parse(table.required_text("platform")).arch
        return tuple(_spec(path, table, _Way(own, machine)) for machine in (own, *_containers(table)))
    except ValueError as error:
        raise _unfit(f"{path}: {error}") from error


def _containers(table: Table) -> tuple[str, ...]:
    machines = table.texts("containers")
    if unknown := [machine for machine in machines if machine not in CONTAINER_MACHINES]:
        raise ValueError(f"containers names {', '.join(unknown)}; there are tools for {', '.join(CONTAINER_MACHINES)}")
    return machines


@dataclass(frozen=True, slots=True)
class _Way:
    """How a file that is written for one machine reads for another: its name stands in other names."""

    own: str
    machine: str

    def text(self, text: str) -> str:
        return text.replace(self.own, self.machine)

    def name(self, name: str) -> str:
        return self.text(name) if self.own in name or self.own == self.machine else f"{name}-{self.machine}"

    def others(self, machines: tuple[str, ...]) -> tuple[str, ...]:
        """Return the other machines whose userland an image may get."""
        if self.own == self.machine or not machines:
            return machines
        return tuple(machine for machine in (self.own, *machines) if machine != self.machine)


def _spec(path: Path, table: Table, way: _Way) -> ImageSpec:
    base = table.table("base")
    origins = _suites(table.table("interpreters"))
    if not origins:
        raise ValueError("the image has no interpreters")
    return ImageSpec(
        facts=_facts(path, table, tuple(origins), way),
        family_folder=path.parent,
        suite=table.required_text("suite"),
        packages=base.required_texts("packages"),
        without=tuple(map(way.text, base.texts("without"))),
        origins=origins,
        fallbacks=_fallbacks(table.table("fallback")),
        delays=days_of(table.table("delay")),
        env=MappingProxyType({name: way.text(value) for name, value in table.required_table("env").text_items()}),
        rust=_rust(table.table("rust")) if "rust" in table else None,
        tools=_tools(table.table("tools")) if "tools" in table else None,
    )


def _suites(table: Table) -> Mapping[Interpreter, str]:
    return MappingProxyType({Interpreter.parse(tag): suite for tag, suite in table.text_items()})


def _fallbacks(table: Table) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({suite: table.texts(suite) for suite, _ in table.items()})


def days_of(table: Table) -> Mapping[str, int]:
    """Read for how many days after its date an expired index of each suite is accepted.

    Raises:
        ValueError: something is not a number of days.
    """
    delays: dict[str, int] = {}
    for suite, days in table.items():
        if type(days) is not int or days <= 0:
            raise ValueError(f"delay.{suite} is {days!r}, not a number of days")
        delays[suite] = days
    return MappingProxyType(delays)


def _facts(path: Path, table: Table, interpreters: tuple[Interpreter, ...], way: _Way) -> ImageFacts:
    role = _role(table.required_text("role"))
    return ImageFacts(
        name=f"{path.parent.name}-{way.name(path.stem)}",
        family=path.parent.name,
        role=role,
        platform=PlatformTag.parse(way.text(table.required_text("platform"))),
        interpreters=interpreters,
        rust=Version(table.table("rust").required_text("version")) if "rust" in table else None,
        c=Version(table.required_text("c")) if "c" in table else None,
        packages=None if role == "trial" else "apt",
        releases=_releases(table.table("releases"), interpreters),
        machines=way.others(table.texts("machines")),
    )


def _releases(table: Table, interpreters: tuple[Interpreter, ...]) -> tuple[Release, ...]:
    releases = tuple(sorted(Release.of(tag, version) for tag, version in table.text_items()))
    if absent := [str(release) for release in releases if release.interpreter not in interpreters]:
        raise ValueError(f"releases names {', '.join(absent)}, which the image does not have")
    return releases


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise ValueError(f"role is {text!r}, not one of {', '.join(ROLES)}")


def _rust(table: Table) -> Rust:
    return Rust(
        suite=table.required_text("suite"),
        packages=table.required_texts("packages"),
        programs=table.required_texts("programs"),
    )


def _tools(table: Table) -> Tools:
    interpreter = Interpreter.parse(table.required_text("interpreter"))
    return Tools(interpreter=interpreter, programs=table.required_texts("programs"))
