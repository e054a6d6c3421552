"""What meson's and CMake's build descriptions ask of the system under no condition."""

import posixpath
import re
from collections.abc import Iterator

from factory.diagnoses.missing import Missing
from factory.init.blocks import CMAKE_BLOCK, MESON_BLOCK, Blocks
from factory.init.modules import CMAKE_BELOW, MESON_BELOW, texts
from factory.init.wishes.wish import NAME, Wish, is_name
from factory.project.files import Files

_MESON = re.compile(
    rf"(?<![\w.])dependency\(\s*+'(?P<name>{NAME})'(?P<rest>[^()]{{0,500}}+(?:\([^()]{{0,200}}+\)[^()]{{0,300}}+){{0,5}}+)\)"
)
_MESON_OPTIONAL = re.compile(
    r"required\s*+:\s*+(?:false\b|get_option|\w++\s*+(?:[,)]|$))(?<!true)|fallback\s*+:|disabler\s*+:|native\s*+:\s*+true"
)
_CMAKE = re.compile(rf"find_package\s*+\(\s*+(?P<name>{NAME})(?P<rest>[^()]{{0,500}}+)\)", re.IGNORECASE)
_CMAKE_CHECK = re.compile(r"pkg_(?:check|search)_modules?\s*+\(\s*+\w++(?P<rest>[^()]{0,500}+)\)", re.IGNORECASE)
_BUILT_IN = frozenset(
    {"python", "python2", "python3", "pythoninterp", "pythonlibs", "threads", "openmp", "pybind11", "nanobind", "numpy"}
    | {
        "cython",
        "boost",
        "dl",
        "m",
        "cuda",
        "cudatoolkit",
        "pkgconfig",
        "scikitbuild",
        "f2py",
        "git",
        "pythonextensions",
    }
)


def of_meson(files: Files, backend: str) -> Iterator[Wish]:
    """Yield what meson's `dependency` asks for, unless it may be absent or the tree has a fallback."""
    if backend != "mesonpy":
        return
    wraps = {posixpath.basename(path).removesuffix(".wrap").lower() for path in files.paths if path.endswith(".wrap")}
    for path, text in texts(files, "", "meson.build", MESON_BELOW):
        blocks = Blocks(text, MESON_BLOCK)
        for match in _MESON.finditer(text):
            name = match["name"]
            wanted = name.lower() not in _BUILT_IN | wraps and not _MESON_OPTIONAL.search(match["rest"])
            if wanted and not blocks.around(match.start()):
                yield Wish(Missing("pkg-config", name), path)


def of_cmake(files: Files, backend: str) -> Iterator[Wish]:
    """Yield what CMake's `find_package` and `pkg_check_modules` require."""
    if not backend.startswith(("scikit_build_core", "skbuild")) and backend != "setuptools":
        return
    for path, text in texts(files, "", "CMakeLists.txt", CMAKE_BELOW):
        blocks = Blocks(text, CMAKE_BLOCK)
        for match in _CMAKE.finditer(text):
            required = "REQUIRED" in match["rest"].split() and match["name"].lower() not in _BUILT_IN
            if required and not blocks.around(match.start()):
                yield Wish(Missing("cmake", match["name"]), path)
        for match in _CMAKE_CHECK.finditer(text):
            if "REQUIRED" in match["rest"].split() and not blocks.around(match.start()):
                yield from (Wish(Missing("pkg-config", name), path) for name in _modules(match["rest"]))


def _modules(rest: str) -> Iterator[str]:
    for word in rest.split():
        name = re.split(r"[<>=]", word.strip('"'))[0]
        if not (word.isupper() and "_" in word) and word not in ("REQUIRED", "QUIET", "GLOBAL") and is_name(name):
            yield name
