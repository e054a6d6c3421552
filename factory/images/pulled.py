"""Images of a family that a registry serves, pinned by digest in a lock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from packaging.version import Version

from factory.catalogue import PINNED_FAMILY, PackageManager
from factory.errors import ImageError
from factory.excerpt import listed
from factory.image_facts import ImageFacts
from factory.images.spec import read_data
from factory.pins import TAGGED, Pin
from factory.regular import open_regular
from factory.tables import Table
from factory.tags import Interpreter, PlatformTag
from factory.untrusted import UntrustedTextError, decoded

LOCK: Final = "images.lock"
"""The pins of a family, beside its data files."""

_MANAGERS: Final[tuple[PackageManager, ...]] = ("apt", "dnf", "yum", "apk")
_KEYS: Final = {"role", "platform", "interpreters", "c", "packages"}
_TABLES: Final = {"origin", "images", "trials"}
_TRIAL_KEYS: Final = {"pin", "platform", "interpreters"}
_ANEW: Final = "`factory image pin --from-cibuildwheel`"
_TO_FILE: Final = "`factory image pin --from-cibuildwheel -o FILE`"
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledSpec:
    """One image as declared, with its name in a registry and its digest."""

    facts: ImageFacts
    pin: Pin

    @property
    def pinned_as(self) -> str:
        """Its name in the lock: that of its data file, without the family."""
        return self.facts.name.removeprefix(f"{self.facts.family}-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Pins by the names of the data files; `origin` says where they come from.

    `trials` are plain images with what was found in each when it was pinned.
    """

    pins: Mapping[str, Pin]
    origin: str
    trials: tuple[PulledSpec, ...] = ()

    def with_trial(self, spec: PulledSpec) -> "Lock":
        """Return the lock with a plain image in the place of one of the same name."""
        others = (other for other in self.trials if other.facts.name != spec.facts.name)
        return replace(self, trials=tuple(sorted((*others, spec), key=lambda trial: trial.facts.name)))


def pulled_specs(family_folder: Path, lock: Path | None = None) -> tuple[PulledSpec, ...]:
    """Read the data files of a pulled family, with the pins of its own lock or of another.

    Raises:
        ImageError: a data file is invalid, or the lock does not pin an image, or pins one that is not declared.
    """
    path = lock or family_folder / LOCK
    pins = read_lock(path).pins
    files = sorted(family_folder.glob("*.toml"))
    if unknown := sorted(pins.keys() - {file.stem for file in files}):
        raise ImageError(
            f"{path} pins {listed(unknown)}: no image of the family {family_folder.name} has such a name",
            hint=f"correct the name, or remove the line; {_TO_FILE} writes every image of this version",
        )
    return tuple(_spec(file, pins, path) for file in files)


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        ImageError: it cannot be read, or is not a lock.
    """
    try:
        with open_regular(path) as stream:
            text = decoded(stream.read(_MOST_BYTES + 1), _MOST_BYTES)
    except OSError as error:
        raise _no_lock(f"{path} cannot be read: {error.strerror}") from error
    except UntrustedTextError as error:
        raise _no_lock(f"{path} {error}") from error
    table = Table.parse(text, str(path), _no_lock)
    if unknown := sorted(name for name, _ in table.items() if name not in _TABLES):
        raise _no_lock(f"{path} has {', '.join(unknown)}: another version of the factory wrote it")
    try:
        pins = {name: Pin.parse(pin) for name, pin in table.required_table("images").text_items()}
        trials = table.table("trials")
        pinned = tuple(_trial(name, trials.required_table(name)) for name, _ in trials.items())
    except ValueError as error:
        raise _no_lock(f"{path}: {error}") from error
    return Lock(pins=pins, origin=table.required_text("origin"), trials=pinned)


def trial_specs(family_folder: Path, lock: Path | None = None) -> tuple[PulledSpec, ...]:
    """Return the plain images that a family's own lock pins, or another one.

    Raises:
        ImageError: the lock cannot be used.
    """
    return read_lock(lock or family_folder / LOCK).trials


def _trial(name: str, table: Table) -> PulledSpec:
    """Read a plain image; with a tag in its name, it cannot be taken for an image of the factory's own."""
    match = TAGGED.fullmatch(name)
    if match is None or not match["tag"]:
        raise ValueError(f"trials: {name!r} is not the name and tag of an image such as python:3.12-slim")
    if unknown := sorted(key for key, _ in table.items() if key not in _TRIAL_KEYS):
        raise ValueError(f"trials: {name} has {', '.join(unknown)}: another version of the factory wrote it")
    interpreters = table.required_texts("interpreters")
    if not interpreters or len(set(interpreters)) < len(interpreters):
        raise ValueError(f"trials: {name}: interpreters must name at least one, and none twice")
    facts = ImageFacts(
        name=name,
        family=PINNED_FAMILY,
        role="trial",
        platform=PlatformTag.parse(table.required_text("platform")),
        interpreters=tuple(map(Interpreter.parse, interpreters)),
    )
    return PulledSpec(facts=facts, pin=Pin.parse(table.required_text("pin")))


def _no_lock(message: str) -> ImageError:
    return ImageError(message, hint=f"mend it, or write another file: {_TO_FILE}")


def render_lock(lock: Lock) -> str:
    """Write a lock: sorted, one line per image, so that a diff is easy to read."""
    lines = [f'"{name}" = "{pin}"\n' for name, pin in sorted(lock.pins.items())]
    origin = json.dumps(lock.origin, ensure_ascii=False)  # TOML quotes as JSON does
    trials = "".join(f"\n{_rendered(spec)}" for spec in lock.trials)
    return f"# Written by `factory image pin`.\norigin = {origin}\n\n[images]\n{''.join(lines)}{trials}"


def _rendered(spec: PulledSpec) -> str:
    interpreters = ", ".join(f'"{interpreter}"' for interpreter in spec.facts.interpreters)
    return (
        f'[trials."{spec.facts.name}"]\npin = "{spec.pin}"\nplatform = "{spec.facts.platform}"\n'
        f"interpreters = [{interpreters}]\n"
    )


def _spec(path: Path, pins: Mapping[str, Pin], lock: Path) -> PulledSpec:
    try:
        facts = _facts(path, read_data(path))
    except ValueError as error:
        raise ImageError(f"{path}: {error}", hint="images/README.md names every key") from error
    if path.stem not in pins:
        raise ImageError(f"{lock} does not pin {path.stem}", hint=f"{_ANEW} pins every image again")
    return PulledSpec(facts=facts, pin=pins[path.stem])


def _facts(path: Path, table: Table) -> ImageFacts:
    if unknown := sorted(name for name, _ in table.items() if name not in _KEYS):
        raise ValueError(f"a pulled image has no key {', '.join(unknown)}")
    if (role := table.required_text("role")) != "build":
        raise ValueError(f"role is {role!r}; pulled images are for building alone")
    return ImageFacts(
        name=f"{path.parent.name}-{path.stem}",
        family=path.parent.name,
        role="build",
        platform=PlatformTag.parse(table.required_text("platform")),
        interpreters=tuple(Interpreter.parse(tag) for tag in table.required_texts("interpreters")),
        c=Version(table.required_text("c")),
        packages=_manager(table.required_text("packages")),
    )


def _manager(name: str) -> PackageManager:
    for manager in _MANAGERS:
        if manager == name:
            return manager
    raise ValueError(f"packages is {name!r}; known: {', '.join(_MANAGERS)}")
