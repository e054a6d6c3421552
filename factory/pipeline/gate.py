"""Which gate judged: what enters the audit's key, so that a better gate judges every wheel anew."""

from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from factory.digest import Digest

_ROOMS = ("audit", "elf", "archive.py", "policy.py", "wheel.py", "tags.py", "catalogue.py")
_DATA = ("abi3info", "auditwheel", "packaging")


@cache
def gate_identity() -> Digest:
    """Digest the gate's own code, and the versions of the tables it judges by."""
    sources = [text for room in _ROOMS for text in _sources(files("factory") / room)]
    tables = [f"{name}=={version(name)}" for name in _DATA]
    return Digest.of("\0".join([*sources, *tables]).encode())


def _sources(place: Traversable) -> list[str]:
    if place.is_file():
        return [place.read_text(encoding="utf-8")] if place.name.endswith(".py") else []
    return [text for inner in sorted(place.iterdir(), key=lambda one: one.name) for text in _sources(inner)]
