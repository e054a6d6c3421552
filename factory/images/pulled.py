"""Images of a family that a registry serves: what each declares, and the lock that pins it by digest."""

import tomllib  # noqa: TID251 -- for data files of our own
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from packaging.version import Version

from factory.catalogue import PackageManager
from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.pins import Pin
from factory.tags import Interpreter, PlatformTag

LOCK: Final = "images.lock"
"""The pins of a family, beside its data files."""

_MANAGERS: Final[tuple[PackageManager, ...]] = ("apt", "dnf", "yum", "apk")
_KEYS: Final = {"role", "platform", "interpreters", "c", "packages"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledSpec:
    """One image as declared, and where its bytes are: a registry's name for them, with their digest."""

    facts: ImageFacts
    pin: Pin

    @property
    def pinned_as(self) -> str:
        """Its name in the lock: that of its data file, without the family."""
        return self.facts.name.removeprefix(f"{self.facts.family}-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Pins by the names of the data files; `origin` says in a few words where they were taken from."""

    pins: Mapping[str, Pin]
    origin: str


def pulled_specs(family_folder: Path, lock: Path | None = None) -> tuple[PulledSpec, ...]:
    """Read the data files of a pulled family, with the pins of its own lock or of another.

    Raises:
        ImageError: a file does not say what it must, or the lock does not name an image.
    """
    path = lock or family_folder / LOCK
    pins = read_lock(path).pins
    return tuple(_spec(each, pins, path) for each in sorted(family_folder.glob("*.toml")))


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        ImageError: it cannot be read, or is none.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        pins = cast("Mapping[str, str]", table["images"])
        return Lock(pins={name: Pin.parse(text) for name, text in pins.items()}, origin=str(table["origin"]))
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}", hint="`factory image pin` writes one") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ImageError(f"{path} is no lock of images: {error}", hint="`factory image pin` writes one") from error


def render_lock(lock: Lock) -> str:
    """Write a lock: sorted, one line an image, so that its diff is read."""
    lines = [f'"{name}" = "{pin}"\n' for name, pin in sorted(lock.pins.items())]
    return f'# Written by `factory image pin`.\norigin = "{lock.origin}"\n\n[images]\n{"".join(lines)}'


def _spec(path: Path, pins: Mapping[str, Pin], lock: Path) -> PulledSpec:
    try:
        facts = _facts(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{path} declares no image: {error!r}", hint="images/README.md names every key") from error
    if path.stem not in pins:
        raise ImageError(f"{lock} pins no {path.stem}", hint="`factory image pin` pins every image anew")
    return PulledSpec(facts=facts, pin=pins[path.stem])


def _facts(path: Path, table: Mapping[str, object]) -> ImageFacts:
    if unknown := set(table) - _KEYS:
        raise ValueError(f"{', '.join(sorted(unknown))} is no key of a pulled image")
    if table["role"] != "build":
        raise ValueError(f"role is {table['role']!r}; pulled images build")
    return ImageFacts(
        name=f"{path.parent.name}-{path.stem}",
        family=path.parent.name,
        role="build",
        platform=PlatformTag.parse(str(table["platform"])),
        interpreters=tuple(Interpreter.parse(text) for text in cast("list[str]", table["interpreters"])),
        c=Version(str(table["c"])),
        packages=_MANAGERS[_MANAGERS.index(cast("PackageManager", table["packages"]))],
    )
