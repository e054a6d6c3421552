"""Pin the images of pulled families: from what a cibuildwheel wheel pins, or from what a registry says of a tag."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from factory.digest import Digest
from factory.engine.api import Engine
from factory.errors import ImageError
from factory.images.pulled import Lock, PulledSpec
from factory.pins import Pin
from factory.untrusted import parse_configuration

CIBUILDWHEEL_PINS: Final = "cibuildwheel/resources/pinned_docker_images.cfg"

_MAX_BYTES: Final = 1 << 20


def pins_of_wheel(wheel: Path) -> Mapping[str, Pin]:
    """Read the pins inside a wheel of cibuildwheel, by the names of our data files.

    Raises:
        ImageError: the wheel holds no such file, or one of another shape.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(CIBUILDWHEEL_PINS) as member:
            text = member.read(_MAX_BYTES).decode()
        return read_pins(text)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ImageError(
            f"{wheel.name} holds no {CIBUILDWHEEL_PINS} that can be read: {error}",
            hint="cibuildwheel has changed: pin from a registry, `factory image pin`",
        ) from error


def read_pins(text: str) -> dict[str, Pin]:
    """Read the sections of an architecture each: `manylinux_2_28 = name@sha256:…  # tag`.

    Raises:
        ValueError: a line is no such pin.
    """
    pins: dict[str, Pin] = {}
    for arch, policies in parse_configuration(text).items():
        for policy, line in policies.items():
            reference, _, tag = (part.strip() for part in line.partition("#"))
            pin = Pin.parse(reference)
            pins[f"{policy}_{arch}"] = Pin(pin.name, pin.digest, tag)
    return pins


def from_wheel(names: Iterable[str], pins: Mapping[str, Pin], *, version: str) -> Lock:
    """Take the pins of the images that data files of ours declare, by their names.

    Raises:
        ImageError: one of them is not pinned there.
    """
    taken = {}
    for name in names:
        if name not in pins:
            raise ImageError(
                f"cibuildwheel {version} pins no {name}", hint="its image ended: remove our data file, too"
            )
        taken[name] = pins[name]
    return Lock(pins=taken, origin=f"cibuildwheel {version}")


def from_registry(specs: Iterable[PulledSpec], engine: Engine, *, tag: str) -> Lock:
    """Ask the registries which digest a tag has now, for every image under the name that it is pinned by.

    Raises:
        ImageError: a registry does not say.
    """
    pins = {spec.pinned_as: tagged(engine, spec.pin.name, tag) for spec in specs}
    return Lock(pins=pins, origin=f"the registry's {tag}")


def tagged(engine: Engine, name: str, tag: str) -> Pin:
    """Ask a registry which digest a tag has now.

    Raises:
        ImageError: it does not say, or says something else.
    """
    text = engine.registry_digest(name, tag)
    try:
        return Pin(name, Digest(text.removeprefix("sha256:")), tag)
    except ValueError as error:
        raise ImageError(f"the registry names {name}:{tag} by {text!r}, no sha256 digest") from error
