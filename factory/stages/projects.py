"""Which project a remembered result belongs to, as far as its document and its files' names tell."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from factory.codec import JSON
from factory.store.entry import LedgerEntry

_LINKS = ("wheel", "source")
"""The inputs whose digest says which project a result belongs to."""


def projects_of(entries: Iterable[LedgerEntry]) -> Mapping[str, str]:
    """Return the project of each digest that is a wheel or a source tree of one, by the digest as documents spell it.

    The trees of sources get their project from the wheels that were built of them.
    """
    return MappingProxyType({digest: name for entry in entries for digest, name in _named(entry)})


def project_of(entry: LedgerEntry, projects: Mapping[str, str]) -> str:
    """Return the project that a result belongs to; "" for what projects share, such as wheels of build requirements."""
    if stated := _stated(entry):
        return stated
    inputs = _table(entry.document.get("inputs"))
    return next((projects[str(inputs[name])] for name in _LINKS if str(inputs.get(name)) in projects), "")


def _named(entry: LedgerEntry) -> Iterator[tuple[str, str]]:
    inputs, wheel = _table(entry.document.get("inputs")), _wheel(entry)
    if wheel and (name := _distribution(wheel)):
        yield str(wheel["digest"]), name
        if "source" in inputs:
            yield str(inputs["source"]), name


def _stated(entry: LedgerEntry) -> str:
    """Return the project that the result's own file or the document names."""
    if wheel := _wheel(entry):
        return _distribution(wheel)
    match entry.document.get("inputs"):
        case {"distribution": str(name)}:
            return name
        case {"sdist": str(release)}:
            return canonicalize_name(release.partition("==")[0])
        case {"archive": str(url)}:
            return _name_in(PurePosixPath(urlsplit(url).path).name)
        case {"git": str(url)}:
            return canonicalize_name(PurePosixPath(urlsplit(url).path).name.removesuffix(".git"))
    return ""


def _wheel(entry: LedgerEntry) -> Mapping[str, JSON]:
    """Return the wheel that a result is, or holds."""
    match entry.result:
        case {"filename": str(name), "digest": str()} | {"wheel": {"filename": str(name), "digest": str()}}:
            found = _table(entry.result)
            return (found if "filename" in found else _table(found["wheel"])) if name.endswith(".whl") else {}
    return {}


def _distribution(wheel: Mapping[str, JSON]) -> str:
    return _name_in(str(wheel["filename"]))


def _name_in(filename: str) -> str:
    """Return the project in the name of a wheel, or of an archive named as sdists are."""
    name, _, rest = filename.partition("-")
    while rest and not rest[0].isdigit():
        part, _, rest = rest.partition("-")
        name = f"{name}-{part}"
    return canonicalize_name(name)


def _table(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}
