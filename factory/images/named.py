"""Images that only a recipe names: no data file declares them, so each is asked once what it holds."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from factory import codec
from factory.catalogue import OLDEST_TOOL_PYTHON, TOOL_ARCHITECTURE
from factory.codec import JSON
from factory.engine.api import Engine, HeldImage
from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.images.probe import PROBE_VERSION, Probed, platform_of, probe
from factory.images.rust import brought
from factory.keys import document, key
from factory.pins import Pin
from factory.store import Store

RECIPE_FAMILY: Final = "recipe"
"""The family of images that only recipes name; no list of images has it."""

_STAGE: Final = "facts"
_ARCHITECTURES: Final = MappingProxyType({"amd64": "x86_64", "arm64": "aarch64"})


def remembered(pin: Pin, store: Store) -> ImageFacts | None:
    """Return the facts of an image that was probed before; None where it never was on this machine."""
    result = store.ledger_get(_STAGE, key(_paper(pin)))
    try:
        return None if result is None else _called(pin, codec.load(result, ImageFacts))
    except codec.CodecError:
        return None  # another version wrote it; the next probe replaces it


def known(pin: Pin, store: Store) -> ImageFacts:
    """Return the facts of an image that was probed before, without an engine.

    Raises:
        ImageError: it was not.
    """
    facts = remembered(pin, store)
    if facts is None:
        raise ImageError(
            f"nothing is known of {pin} yet: no data file declares it, and it was never probed here",
            hint=f"`factory image pull {pin}` probes it once; `factory build` does so by itself",
        )
    return facts


def asked(pin: Pin, image: HeldImage, engine: Engine, store: Store) -> ImageFacts:
    """Return the facts of an image that is here; it is probed unless its facts are remembered.

    Raises:
        ImageError: it cannot be probed, or wheels cannot be built in it.
    """
    facts = remembered(pin, store)
    if facts is None:
        facts = read_facts(pin, image.architecture, probe(engine, image.id))
        store.ledger_put(_STAGE, key(_paper(pin)), _paper(pin), codec.dump(facts))
    return brought(facts)


def read_facts(pin: Pin, architecture: str, probed: Probed) -> ImageFacts:
    """Turn the answer of a probe into facts.

    Raises:
        ImageError: wheels cannot be built in such an image.
    """
    arch = _ARCHITECTURES.get(architecture, architecture)
    if arch != TOOL_ARCHITECTURE:
        raise _unfit(pin, f"it is for {arch}, and the factory's own tools in containers for {TOOL_ARCHITECTURE}")
    if probed.libc is None:
        raise _unfit(pin, "neither glibc nor musl was found in it")
    if probed.broken:
        raise _unfit(pin, f"{', '.join(probed.broken)} does not run")
    if not any(python.minor >= OLDEST_TOOL_PYTHON and not python.free_threaded for python in probed.builders):
        held = " ".join(map(str, sorted(probed.builders))) or "no interpreter"
        raise _unfit(pin, f"it has {held} in /opt/python, and auditwheel needs CPython 3.{OLDEST_TOOL_PYTHON} or newer")
    return ImageFacts(
        name=pin.reference,
        family=RECIPE_FAMILY,
        role="build",
        platform=platform_of(probed.libc, arch),
        interpreters=tuple(sorted(probed.builders)),
        rust=probed.rust,
        c=probed.c,
        packages=probed.packages,
    )


def _unfit(pin: Pin, reason: str) -> ImageError:
    return ImageError(
        f"{pin} cannot build wheels: {reason}",
        hint="images/README.md lists what an image must hold; /opt/python is laid out as in pypa's images",
    )


def _called(pin: Pin, facts: ImageFacts) -> ImageFacts:
    """Name facts by the pin in question: the same bytes may have another name elsewhere."""
    return brought(replace(facts, name=pin.reference))


def _paper(pin: Pin) -> Mapping[str, JSON]:
    return document(_STAGE, PROBE_VERSION, {"image": str(pin.digest)})
