"""Requirements, markers, versions and specifiers of strangers (PEP 440, 508, 735)."""

import re
from collections.abc import Mapping

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from factory.untrusted.limits import UntrustedTextError, excerpt, refuse_bulk, refuse_longer, refusing

_REQUIREMENT_CHARACTERS = 10_000
_VERSION_CHARACTERS = 256
_NAME_CHARACTERS = 256
_SPECIFIERS = 100
_DEEPEST = 20
_GROUP_ITEMS = 1000
_PARENTHESIS = re.compile(r"[()]")


def parse_requirement(text: str) -> Requirement:
    """Read a requirement (PEP 508). It has no backslash, as in the PEP's grammar, and no control character.

    Raises:
        UntrustedTextError: it is not valid.
    """
    refuse_costly(text)
    if "\\" in text or not text.replace("\t", " ").isprintable():
        raise UntrustedTextError("is not a requirement (PEP 508): it has a backslash or a control character")
    with refusing("is not a requirement (PEP 508)"):
        requirement = Requirement(text)
    _refuse_many(str(requirement.specifier))
    return requirement


def refuse_costly(text: str) -> None:
    """Refuse a requirement or an expression that is longer than 10 000 characters, or nested deeper than 20.

    Raises:
        UntrustedTextError: it is.
    """
    refuse_longer(text, _REQUIREMENT_CHARACTERS)
    refuse_bulk(text, _PARENTHESIS, most_elements=_REQUIREMENT_CHARACTERS, most_depth=_DEEPEST)


def marker_holds(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Evaluate a requirement's marker; one without a marker always holds.

    Raises:
        UntrustedTextError: the marker compares what cannot be compared, or uses an unknown variable.
    """
    if requirement.marker is None:
        return True
    with refusing("has a marker that cannot be evaluated"):
        return requirement.marker.evaluate(dict(environment))


def parse_specifiers(text: str) -> SpecifierSet:
    """Read a set of version specifiers (PEP 440).

    Raises:
        UntrustedTextError: it is not valid, or has more than a hundred of them.
    """
    refuse_longer(text, _REQUIREMENT_CHARACTERS)
    _refuse_many(text)
    with refusing("is not a version specifier (PEP 440)", in_detail=False):
        return SpecifierSet(text)


def parse_version(text: str) -> Version:
    """Read a version (PEP 440).

    Raises:
        UntrustedTextError: it is not valid.
    """
    refuse_longer(text, _VERSION_CHARACTERS)
    with refusing("is not a version (PEP 440)", in_detail=False):
        return Version(text)


def parse_project_name(text: str) -> NormalizedName:
    """Read a project's name (PEP 503, 508), normalized.

    Raises:
        UntrustedTextError: it is not valid.
    """
    refuse_longer(text, _NAME_CHARACTERS)
    with refusing("is not a project name", in_detail=False):
        return canonicalize_name(text, validate=True)


def dependency_group(groups: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group and of those that it includes, each group once (PEP 735).

    Raises:
        UntrustedTextError: there is no such group, it has more than a thousand items, or one of them is not valid.
    """
    by_name = {_group_name(key): items for key, items in groups.items()}
    todo, seen, requirements = [_group_name(name)], set[str](), list[str]()
    while todo:
        group = todo.pop()
        if group in seen:
            continue
        seen.add(group)
        for item in _items(by_name, group):
            match item:
                case str():
                    requirements.append(str(parse_requirement(item)))
                case {"include-group": str(included), **rest} if not rest:
                    todo.append(_group_name(included))
                case _:
                    raise UntrustedTextError(f"has an item in the group {excerpt(group)} that is not a requirement")
        if len(requirements) + len(todo) > _GROUP_ITEMS:
            raise UntrustedTextError(f"has more than {_GROUP_ITEMS} items in the group {excerpt(name)}")
    return tuple(requirements)


def _items(groups: Mapping[str, object], name: str) -> list[object]:
    items = groups.get(name)
    if not isinstance(items, list):
        raise UntrustedTextError(f"has no dependency group {excerpt(name)}")
    if len(items) > _GROUP_ITEMS:
        raise UntrustedTextError(f"has more than {_GROUP_ITEMS} items in the group {excerpt(name)}")
    return items


def _group_name(text: str) -> str:
    refuse_longer(text, _NAME_CHARACTERS)
    return canonicalize_name(text)


def _refuse_many(specifiers: str) -> None:
    if specifiers.count(",") >= _SPECIFIERS:
        raise UntrustedTextError(f"has more than {_SPECIFIERS} version specifiers")
