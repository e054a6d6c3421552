"""Images that only a recipe names: no data file declares them, so each is probed once for what it holds."""

from dataclasses import dataclass, replace
from typing import Final

from factory.catalogue import OLDEST_TOOL_PYTHON, PINNED_FAMILY, RECIPE_FAMILY
from factory.digest import Digest
from factory.engine.api import Engine, HeldImage
from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.images.on_demand import brought
from factory.images.probe import PROBE_VERSION, Probed, platform_of, probe
from factory.images.pulled import PulledSpec
from factory.machines import CONTAINER_MACHINES, machine_named
from factory.memory import NEVER, Memory, Stage
from factory.pins import Pin
from factory.tags import PlatformTag

_BUILDING: Final = "images/README.md lists what an image must hold; /opt/python is laid out as in pypa's images"
_TRYING: Final = "pin one with Python in /usr/local/bin, such as python:3.12-slim or, with musl, python:3.12-alpine"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskImage(Stage[ImageFacts]):
    """What an image holds, by the digest of its manifest."""

    NAME, VERSION, REDONE_BY = "facts", PROBE_VERSION, NEVER

    image: Digest


def remembered(pin: Pin, memory: Memory) -> ImageFacts | None:
    """Return the facts of an image that was probed before; None where it never was on this machine."""
    facts = memory.recall(AskImage(image=pin.digest))
    # The same bytes may have another name elsewhere.
    return None if facts is None else brought(replace(facts, name=pin.reference))


def known(pin: Pin, memory: Memory) -> ImageFacts:
    """Return the facts of an image that was probed before, without an engine.

    Raises:
        ImageError: it was not.
    """
    facts = remembered(pin, memory)
    if facts is None:
        raise ImageError(
            f"nothing is known of {pin} yet: no data file declares it, and it was never probed here",
            hint=f"`factory image pull {pin}` probes it once; `factory build` does so by itself",
        )
    return facts


def asked(pin: Pin, image: HeldImage, engine: Engine, memory: Memory) -> ImageFacts:
    """Return the facts of an image that is here; it is probed unless its facts are remembered.

    Raises:
        ImageError: it cannot be probed, or wheels cannot be built in it.
    """
    facts = remembered(pin, memory)
    if facts is None:
        facts = read_facts(pin, image.architecture, probe(engine, image.id))
        memory.keep(AskImage(image=pin.digest), facts)
    return brought(facts)


def read_facts(pin: Pin, architecture: str, probed: Probed) -> ImageFacts:
    """Turn the answer of a probe into facts.

    Raises:
        ImageError: wheels cannot be built in such an image.
    """
    platform = _platform(pin, architecture, probed, "build wheels", _BUILDING)
    if probed.broken:
        raise _unfit(pin, "build wheels", f"{', '.join(probed.broken)} does not run", _BUILDING)
    interpreters = sorted(probed.interpreters("build"))
    if not any(python.minor >= OLDEST_TOOL_PYTHON and not python.free_threaded for python in interpreters):
        held = " ".join(map(str, interpreters)) or "no interpreter"
        reason = f"it has {held} in /opt/python, and auditwheel needs CPython 3.{OLDEST_TOOL_PYTHON} or newer"
        raise _unfit(pin, "build wheels", reason, _BUILDING)
    return ImageFacts(
        name=pin.reference,
        family=RECIPE_FAMILY,
        role="build",
        platform=platform,
        interpreters=tuple(interpreters),
        releases=probed.releases("build"),
        rust=probed.rust,
        c=probed.c,
        packages=probed.packages,
    )


def read_trial(pin: Pin, architecture: str, probed: Probed) -> PulledSpec:
    """Turn the answer of a probe into a plain image for trials.

    Raises:
        ImageError: no wheel can be tried in such an image.
    """
    platform = _platform(pin, architecture, probed, "try wheels", _TRYING)
    interpreters = tuple(sorted(probed.interpreters("trial", PINNED_FAMILY)))
    if not interpreters:
        raise _unfit(pin, "try wheels", "it has no Python in /usr/local/bin", _TRYING)
    name = f"{pin.name}:{pin.tag}" if pin.tag else pin.name
    facts = ImageFacts(name=name, family=PINNED_FAMILY, role="trial", platform=platform, interpreters=interpreters)
    return PulledSpec(facts=facts, pin=pin)


def _platform(pin: Pin, architecture: str, probed: Probed, purpose: str, hint: str) -> PlatformTag:
    arch = machine_named(architecture)
    if arch not in CONTAINER_MACHINES:
        reason = f"it is for {arch}, and the factory's own tools in containers for {' and '.join(CONTAINER_MACHINES)}"
        raise _unfit(pin, purpose, reason, hint)
    if probed.libc is None:
        raise _unfit(pin, purpose, "neither glibc nor musl was found in it", hint)
    return platform_of(probed.libc, arch)


def _unfit(pin: Pin, purpose: str, reason: str, hint: str) -> ImageError:
    return ImageError(f"{pin} cannot {purpose}: {reason}", hint=hint)
