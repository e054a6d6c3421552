"""Core metadata by static reading: pyproject.toml (PEP 621), PKG-INFO (PEP 643), setup.cfg, literals of setup.py."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.errors import SourceError
from factory.project.files import Files, read_text
from factory.project.setup_script import SetupScript
from factory.tables import Table
from factory.untrusted import (
    Headers,
    UntrustedTextError,
    excerpt,
    parse_configuration,
    parse_headers,
    parse_project_name,
    parse_requirement,
    parse_specifiers,
    parse_version,
)

T = TypeVar("T")

MOST_REQUIREMENTS = 10_000

_EXTRA = re.compile(r"\bextra\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Name, version, requires-python and dependencies as the source states them."""

    name: NormalizedName
    version: Version | None
    requires_python: SpecifierSet
    dependencies: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """What one file says, as text; None for a field that it does not mention."""

    place: str
    name: str | None = None
    version: str | None = None
    requires_python: str | None = None
    dependencies: tuple[str, ...] | None = None


def read_metadata(
    files: Files, folder: str, pyproject: Table, cfg: Mapping[str, Mapping[str, str]], script: SetupScript
) -> Metadata:
    """Take each field from the first file that states it.

    Raises:
        SourceError: no file states a name, or a stated value is not valid.
    """
    statements = [
        _from_pyproject(pyproject),
        *_from_pkg_info(files, f"{folder}PKG-INFO"),
        _from_setup_cfg(cfg, f"{folder}setup.cfg"),
        _from_setup_script(script, f"{folder}setup.py"),
    ]
    stated = next(((statement.place, statement.name) for statement in statements if statement.name), None)
    if stated is None:
        raise SourceError(
            "the source states no name",
            hint="add a name to [project] of pyproject.toml; setup.py is read, but never run",
        )
    dependencies = next(
        ((statement.place, statement.dependencies) for statement in statements if statement.dependencies is not None),
        ("", ()),
    )
    return Metadata(
        name=_name(*stated),
        version=_first(statements, "version", parse_version),
        requires_python=_first(statements, "requires_python", parse_specifiers) or SpecifierSet(),
        dependencies=requirements(dependencies[1], dependencies[0], MOST_REQUIREMENTS),
    )


def requirements(texts: Sequence[str], place: str, most: int) -> tuple[Requirement, ...]:
    """Read requirements (PEP 508).

    Raises:
        SourceError: one is not valid, or they are more than `most`; `place` is named.
    """
    if len(texts) > most:
        raise SourceError(f"{place} asks for {len(texts)} requirements; at most {most} are read")
    return tuple(requirement(text, place) for text in texts)


def requirement(text: str, place: str) -> Requirement:
    """Read a requirement (PEP 508).

    Raises:
        SourceError: it is not valid; `place` is named.
    """
    try:
        return parse_requirement(text)
    except UntrustedTextError as error:
        raise SourceError(f"{place} asks for {excerpt(text)}, which {error}") from error


def read_setup_cfg(files: Files, path: str) -> Mapping[str, Mapping[str, str]]:
    """Read setup.cfg's sections; an absent file has none.

    Raises:
        SourceError: the file is not a configuration file.
    """
    try:
        return parse_configuration(read_text(files, path) or "")
    except UntrustedTextError as error:
        raise SourceError(f"{path} cannot be read: it {error}") from error


def _first(statements: list[_Statement], field: str, parse: Callable[[str], T]) -> T | None:
    for statement in statements:
        text = getattr(statement, field)
        if text is not None:
            try:
                return parse(text)
            except UntrustedTextError as error:
                stated = f"{field.replace('_', '-')} {excerpt(text)}"
                raise SourceError(f"{statement.place} states {stated}, which {error}") from error
    return None


def _name(place: str, text: str) -> NormalizedName:
    try:
        return parse_project_name(text)
    except UntrustedTextError as error:
        raise SourceError(f"{place} states the name {excerpt(text)}, which {error}") from error


def _from_pyproject(pyproject: Table) -> _Statement:
    project = pyproject.table("project")
    listed = "dependencies" in project or ("name" in project and "dependencies" not in project.texts("dynamic"))
    return _Statement(
        place=pyproject.place,
        name=project.text("name"),
        version=project.text("version"),
        requires_python=project.text("requires-python"),
        dependencies=project.texts("dependencies") if listed else None,
    )


def _from_pkg_info(files: Files, path: str) -> Iterator[_Statement]:
    text = read_text(files, path)
    if text is None:
        return
    try:
        headers = parse_headers(text.encode())
    except UntrustedTextError as error:
        raise SourceError(f"{path} {error}") from error
    yield _Statement(
        place=path,
        name=headers.first("Name") or None,
        version=headers.first("Version") or None,
        requires_python=headers.first("Requires-Python") or None,
        dependencies=_static_dependencies(headers, path),
    )


def _static_dependencies(headers: Headers, path: str) -> tuple[str, ...] | None:
    """Return the dependencies that apply to every build (PEP 643), without those of extras."""
    dynamic = {field.lower() for field in headers.all("Dynamic")}
    if "requires-dist" in dynamic or (headers.first("Metadata-Version") or "1.0") < "2.2":
        return None
    listed = headers.all("Requires-Dist")
    read = requirements(listed, path, MOST_REQUIREMENTS)
    return tuple(
        text for text, requirement in zip(listed, read, strict=True) if not _EXTRA.search(str(requirement.marker or ""))
    )


def _from_setup_cfg(cfg: Mapping[str, Mapping[str, str]], place: str) -> _Statement:
    metadata, options = cfg.get("metadata", {}), cfg.get("options", {})
    version = metadata.get("version", "")
    lines = options["install_requires"].split("\n") if "install_requires" in options else None
    computed = version.startswith(("attr:", "file:")) or not version
    if lines is not None and lines[0].startswith("file:"):
        lines = None
    return _Statement(
        place=place,
        name=metadata.get("name"),
        version=None if computed else version,
        requires_python=options.get("python_requires"),
        dependencies=None if lines is None else tuple(line.strip() for line in lines if line.strip()),
    )


def _from_setup_script(script: SetupScript, place: str) -> _Statement:
    return _Statement(
        place=place,
        name=script.text("name"),
        version=script.text("version"),
        requires_python=script.text("python_requires"),
        dependencies=script.texts("install_requires"),
    )
