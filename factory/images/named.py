"""An image that only a recipe names: nothing declares it, so it is asked once what it holds; remembered by digest."""

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
"""The family of images that only recipes name: it is in no list, and serves where a recipe says so."""

_STAGE: Final = "facts"
_ARCHITECTURES: Final = MappingProxyType({"amd64": "x86_64", "arm64": "aarch64"})


def remembered(pin: Pin, store: Store) -> ImageFacts | None:
    """Return the facts of an image that was probed before; None where it never was on this machine."""
    result = store.ledger_get(_STAGE, key(_paper(pin)))
    try:
        return None if result is None else _called(pin, codec.load(result, ImageFacts))
    except codec.CodecError:
        return None  # an entry of another version's shape is none; the next probe takes its place


def known(pin: Pin, store: Store) -> ImageFacts:
    """Return the facts of an image that was probed before, without an engine.

    Raises:
        ImageError: it never was.
    """
    facts = remembered(pin, store)
    if facts is None:
        raise ImageError(
            f"nothing is known yet of {pin}: no file declares it, and it was never here",
            hint=f"`factory image pull {pin}` asks it once what it holds; `factory build` does so by itself",
        )
    return facts


def asked(pin: Pin, image: HeldImage, engine: Engine, store: Store) -> ImageFacts:
    """Return the facts of an image that is here, asking it unless the answer is remembered.

    Raises:
        ImageError: it cannot be asked, or wheels cannot be built in it.
    """
    facts = remembered(pin, store)
    if facts is None:
        facts = read_facts(pin, image.architecture, probe(engine, image.id))
        store.ledger_put(_STAGE, key(_paper(pin)), _paper(pin), codec.dump(facts))
    return brought(facts)


def read_facts(pin: Pin, architecture: str, probed: Probed) -> ImageFacts:
    """Make facts of an answer.

    Raises:
        ImageError: wheels cannot be built in such an image.
    """
    arch = _ARCHITECTURES.get(architecture, architecture)
    if arch != TOOL_ARCHITECTURE:
        raise _unfit(pin, f"it is for {arch}, and the factory's own tools in containers for {TOOL_ARCHITECTURE}")
    if probed.libc is None:
        raise _unfit(pin, "it has neither glibc nor musl where they are looked for")
    if probed.broken:
        raise _unfit(pin, f"{', '.join(probed.broken)} does not run")
    if not any(one.minor >= OLDEST_TOOL_PYTHON and not one.free_threaded for one in probed.builders):
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
        f"{pin} builds no wheels: {reason}", hint="images/README.md says what an image must hold; /opt/python as pypa's"
    )


def _called(pin: Pin, facts: ImageFacts) -> ImageFacts:
    """Name facts by the pin that is asked about: the same bytes may have another name elsewhere."""
    return brought(replace(facts, name=pin.reference))


def _paper(pin: Pin) -> Mapping[str, JSON]:
    return document(_STAGE, PROBE_VERSION, {"image": str(pin.digest)})
