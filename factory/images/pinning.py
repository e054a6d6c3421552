"""Pins for the images of pulled families, from a wheel of cibuildwheel or from a registry's tag."""

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
            f"{wheel.name} holds no readable {CIBUILDWHEEL_PINS}: {error}",
            hint="this version of cibuildwheel keeps its pins elsewhere; pin from a registry with `factory image pin`",
        ) from error


def read_pins(text: str) -> dict[str, Pin]:
    """Read one section per architecture, of lines such as `manylinux_2_28 = name@sha256:…  # tag`.

    Raises:
        ValueError: a line is not a pin.
    """
    pins: dict[str, Pin] = {}
    for arch, policies in parse_configuration(text).items():
        for policy, line in policies.items():
            reference, _, tag = (part.strip() for part in line.partition("#"))
            pin = Pin.parse(reference)
            pins[f"{policy}_{arch}"] = Pin(pin.name, pin.digest, tag)
    return pins


def from_wheel(names: Iterable[str], pins: Mapping[str, Pin], *, version: str) -> Lock:
    """Choose the pins of the images that our data files declare, by their names.

    Raises:
        ImageError: an image is not pinned there.
    """
    chosen = {}
    for name in names:
        if name not in pins:
            raise ImageError(
                f"cibuildwheel {version} pins no {name}",
                hint="the image has reached its end of life: remove our data file",
            )
        chosen[name] = pins[name]
    return Lock(pins=chosen, origin=f"cibuildwheel {version}")


def from_registry(specs: Iterable[PulledSpec], engine: Engine, *, tag: str) -> Lock:
    """Ask the registries which digest a tag has now, for every image; the pins are named as in the lock.

    Raises:
        ImageError: a registry does not answer.
    """
    pins = {spec.pinned_as: tagged(engine, spec.pin.name, tag) for spec in specs}
    return Lock(pins=pins, origin=f"the registry's {tag}")


def tagged(engine: Engine, name: str, tag: str) -> Pin:
    """Ask a registry which digest a tag has now.

    Raises:
        ImageError: it does not answer, or not with a digest.
    """
    text = engine.registry_digest(name, tag)
    try:
        return Pin(name, Digest(text.removeprefix("sha256:")), tag)
    except ValueError as error:
        raise ImageError(f"the registry names {name}:{tag} by {text!r}, which is not a sha256 digest") from error
