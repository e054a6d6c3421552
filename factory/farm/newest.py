"""A build that failed for no known cause and names a package of its environment: the line that takes an older one."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from factory.digest import Artifact
from factory.failure import Failure
from factory.untrusted import UntrustedTextError, parse_wheel_name

_EVERYDAY_WORDS: Final = frozenset({"build", "wheel", "packaging", "installer"})
_WORD: Final = re.compile(r"(?<![\w/.-])[A-Za-z0-9][\w.-]*+(?![/:])")
_OLDER_BY_MAJOR: Final = 2
"""From this major version on, the one before it is proposed."""


def with_older(failure: Failure, files: Sequence[Artifact]) -> Failure:
    """Return a failure of which no cause is known with the versions of the packages that its message names.

    A release that bounds none of its build requirements is built with the newest of today, which it may not know.
    """
    spoken = _spoken(failure.message) if failure.last_lines else frozenset[NormalizedName]()
    named = [(name, version) for name, version in map(_read, files) if name in spoken]
    if not named:
        return failure
    had = " and ".join(f"{name} {version}" for name, version in named)
    older = ", ".join(f'"{name}<{_bound(version)}"' for name, version in named)
    way = f"the build had {had}; if the project wants an older one: build: {{constraints: [{older}]}}"
    return replace(failure, hint=f"{way}; {failure.hint}" if failure.hint else way)


def _read(file: Artifact) -> tuple[NormalizedName, Version]:
    try:
        name, version, _, _ = parse_wheel_name(file.filename)
    except UntrustedTextError as error:
        raise AssertionError(f"{file.filename} was resolved as a wheel") from error
    return name, version


def _spoken(message: str) -> frozenset[NormalizedName]:
    """Return the packages that a message may be about; `cmake: …` is what cmake says of something else.

    `zope.interface.adapter` may be about any of the three.
    """
    words = (match[0].split(".") for match in _WORD.finditer(message))
    dotted = (".".join(parts[:count]) for parts in words for count in range(1, len(parts) + 1))
    return frozenset(map(canonicalize_name, dotted)) - _EVERYDAY_WORDS


def _bound(version: Version) -> str:
    return str(version.major) if version.major >= _OLDER_BY_MAJOR else str(version)
