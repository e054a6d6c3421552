"""The gate's identity, which enters the audit's key: a changed gate judges every wheel again."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from factory.digest import Digest
from factory.errors import InternalError

ROOMS = (
    "archive",
    "audit",
    "catalogue",
    "elf",
    "excerpt",
    "lfs",
    "machines",
    "objects",
    "pe",
    "policy",
    "tags",
    "untrusted",
    "wheel",
)
"""Packages and modules below `factory` whose code decides a verdict; a test compares them with what audit imports."""
_TABLES = ("auditwheel", "packaging", "readme_renderer", "trove-classifiers")


@cache
def gate_identity() -> Digest:
    """Digest the gate's own code, and the versions of the tables it judges by."""
    return code_identity(ROOMS)


@cache
def code_identity(rooms: tuple[str, ...]) -> Digest:
    """Digest the code of packages and modules of the factory, and the versions of the libraries that read for them.

    Raises:
        InternalError: one is missing.
    """
    tables = [f"{name}=={version(name)}" for name in _TABLES]
    return Digest.of("\0".join([*sources_of(rooms), *tables]).encode())


def sources_of(rooms: Iterable[str]) -> Iterator[str]:
    """Read the texts of packages and modules of the factory. Raises InternalError where one is missing.

    Otherwise a renamed package would drop out of the key unnoticed, and an older gate's verdicts would be kept.
    """
    places = {place.name.removesuffix(".py"): place for place in files("factory").iterdir()}
    for room in rooms:
        if room not in places:
            raise InternalError(f"the gate's identity names {room}, which is not in the factory")
        yield from _texts(places[room])


def _texts(place: Traversable) -> Iterator[str]:
    if place.is_dir():
        for inner in sorted(place.iterdir(), key=lambda inner: inner.name):
            yield from _texts(inner)
    elif place.name.endswith((".py", ".txt")):
        yield place.read_text(encoding="utf-8")
