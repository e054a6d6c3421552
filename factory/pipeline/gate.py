"""Which gate judged: what enters the audit's key, so that a better gate judges every wheel anew."""

from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from factory.digest import Digest

_ROOMS = frozenset({"audit", "elf", "archive", "policy", "wheel", "tags", "catalogue", "excerpt", "untrusted"})
_DATA = ("auditwheel", "packaging", "readme_renderer")


@cache
def gate_identity() -> Digest:
    """Digest the gate's own code, and the versions of the tables it judges by."""
    rooms = sorted(
        (place for place in files("factory").iterdir() if place.name.removesuffix(".py") in _ROOMS), key=_name
    )
    sources = [text for room in rooms for text in _sources(room)]
    tables = [f"{name}=={version(name)}" for name in _DATA]
    return Digest.of("\0".join([*sources, *tables]).encode())


def _sources(place: Traversable) -> list[str]:
    if place.is_file():
        return [place.read_text(encoding="utf-8")] if place.name.endswith((".py", ".txt")) else []
    return [text for inner in sorted(place.iterdir(), key=_name) for text in _sources(inner)]


def _name(place: Traversable) -> str:
    return place.name
