"""Which system packages have what a build looks for: the form of an answer, and what the factory's own lists answer."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from factory.diagnoses.missing import Missing

LISTED_SUITE: Final = "bullseye"
"""The Debian suite of which `debian.txt` was made."""
_LISTED_ARCH: Final = "x86_64"
_ABSENT: Final = "-"

_PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aclocal": "automake",
        "automake": "automake",
        "autoconf": "autoconf",
        "autoreconf": "autoconf",
        "bison": "bison",
        "clang": "clang",
        "curl-config": "libcurl4-openssl-dev",
        "doxygen": "doxygen",
        "flex": "flex",
        "gfortran": "gfortran",
        "gperf": "gperf",
        "h5cc": "libhdf5-dev",
        "libtoolize": "libtool",
        "m4": "m4",
        "mysql_config": "libmariadb-dev",
        "nasm": "nasm",
        "protoc": "protobuf-compiler",
        "yasm": "yasm",
    }
)
"""Packages of Debian that have a program, where the list has none, or several packages have it."""

BROUGHT: Final = re.compile(
    r"lib(?:c6|crypt|nsl|tirpc|gcc-[0-9]+|stdc\+\+-[0-9]+)-dev|linux-libc-dev|libpython[0-9.]+-dev|binutils|(?:gcc|g\+\+|cpp)(?:-[0-9]+)?|make|perl"
)
"""What build-essential depends on, and each interpreter's own."""
_NEVER: Final = re.compile(r".*(?:-cross|-i386|-x32|mingw|-udeb|-dbg|klibc|musl|dietlibc).*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The packages that have something, the likeliest first, by the names of one package manager (`apt`, `dnf`, `apk`).

    `suite` is the distribution whose index says so, "" where only the factory's own lists do; `doubt` is why.
    `debian` is Debian's name for the package of another distribution. `folder` is where a header lies if compilers do
    not look there. `is_installed` is whether the image has the first package already.
    """

    manager: str
    packages: tuple[str, ...] = ()
    suite: str = ""
    doubt: str = ""
    debian: str = ""
    folder: str = ""
    is_installed: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """A package, and the path at which it holds something; a package that was asked for by its name has no path."""

    package: str
    path: str = ""


Ask: TypeAlias = Callable[[Missing], Answer]
"""Says which packages have something."""


def listed(missing: Missing, manager: str = "apt", doubt: str = "") -> Answer:
    """Answer by the lists that come with the factory; `doubt` is why the image's own index does not answer."""
    if missing.kind == "perl":
        return _perl(missing.name, manager, doubt)
    package = _debian_package(missing)
    if manager == "apt":
        return Answer(manager=manager, packages=(package,) if package else (), doubt=doubt)
    name = _elsewhere(manager).get(package, "")
    return Answer(manager=manager, packages=(name,) if name else (), debian=package, doubt=doubt)


def debian_names(name: str, manager: str) -> tuple[str, ...]:
    """Return what Debian calls a package of another manager's; none where the list has none."""
    return tuple(debian for debian, other in _elsewhere(manager).items() if other == name)


def _perl(name: str, manager: str, doubt: str) -> Answer:
    """Answer by how distributions name the packages of Perl modules (Debian's Perl policy, 4.2; Fedora's; Alpine's)."""
    words = name.replace("/", "-")
    debian = f"lib{words.lower()}-perl"
    names = {"apt": debian, "dnf": f"perl-{words}", "apk": f"perl-{words.lower()}"}
    return Answer(manager=manager, packages=(names[manager],), debian=debian, doubt=doubt)


def usable(names: Iterable[str]) -> tuple[str, ...]:
    """Return the packages that a build can use, those for development first, of flavours the last by name.

    Those for other C libraries and machines are left out, and those that every build image has.
    """
    own = (name for name in set(names) if not is_nobodys(name))
    return tuple(sorted(own, key=lambda name: (name.endswith("-dev"), name), reverse=True))


def is_nobodys(name: str) -> bool:
    """Whether no build asks for a package by itself: it is for another C library or machine, or always there."""
    return _NEVER.fullmatch(name) is not None or BROUGHT.fullmatch(name) is not None


def _debian_package(missing: Missing) -> str:
    """Return the one package of Debian's that has something, "" where none or several have it."""
    owners, bases = _owners(), (path.rpartition("/")[2] for path in missing.paths(_LISTED_ARCH))
    if missing.kind == "program" and missing.name in _PROGRAMS:
        return _PROGRAMS[missing.name]
    return next((owners[base] for base in bases if base in owners and "/" not in missing.name), "")


@cache
def _owners() -> Mapping[str, str]:
    """Read which package has a header, a pkg-config file or a `…-config` program, as tools/debian_names.py wrote it."""
    return MappingProxyType({name: package for package, *names in _rows("debian.txt") for name in names})


@cache
def _elsewhere(manager: str) -> Mapping[str, str]:
    """Read what packages of Debian's are called by another manager: AlmaLinux's for dnf, Alpine's for apk."""
    columns = {"dnf": 1, "apk": 2}
    rows = _rows("distributions.txt") if manager in columns else ()
    return MappingProxyType({row[0]: name for row in rows if (name := row[columns[manager]]) != _ABSENT})


def _rows(name: str) -> tuple[list[str], ...]:
    return tuple(map(str.split, Path(__file__).with_name(name).read_text(encoding="ascii").splitlines()))
