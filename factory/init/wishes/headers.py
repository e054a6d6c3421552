"""The headers outside of a source that what it compiles includes under no condition."""

import ast
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from factory.diagnoses.missing import Missing
from factory.init.wishes.wish import Wish
from factory.project.files import Files, text_of
from factory.project.setup_script import called, constants, strings

_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".h", ".hpp")
_INCLUDE = re.compile(r'#\s*+include\s*+[<"](?P<name>[\w./+-]{1,100}+)[>"]')
_CONDITION = re.compile(r"#\s*+(?P<word>if|ifdef|ifndef|endif)\b")
_EXTERN = re.compile(r"""cdef\s++extern\s++from\s++["']<?(?P<name>[\w./+-]{1,100}+)>?["']""")
_COMPILERS_OWN = re.compile(
    r"(?:std(?:arg|bool|def|int|align|atomic|noreturn)|float|limits|iso646|varargs|omp|cpuid|quadmath|arm_\w++|\w*intrin)\.h"
    r"|(?:Python|structmember|datetime|frameobject|pythread|patchlevel|pyconfig)\.h|(?:numpy|pybind11|nanobind)/.*|[^./]++"
)  # C++'s have neither dot nor folder
_MADE = "config.h"  # by a project's own configure or CMake, under Autoconf's usual name for it
_GUARD = re.compile(
    r"(?:\s++|//[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/)*+#\s*+ifndef\s++(?P<name>\w++)[^\n]*+\n\s*+#\s*+define\s++(?P=name)\b"
)
_BUILDS = frozenset(
    {"configure", "configure.ac", "CMakeLists.txt", "Makefile.am", "meson.build", "Makefile", "Cargo.toml"}
)
_ASIDE = frozenset(
    {"test", "tests", "doc", "docs", "example", "examples", "benchmarks", "bench", "contrib", "third_party"}
)
_MOST_SOURCES = 60
_PATTERN = re.compile(r"(?P<folder>[\w./-]{1,200})/(?:%s|\{\w{0,60}\})(?P<ending>\.\w{1,4})")


def included(files: Files, where: str, script: ast.AST) -> Iterator[Wish]:
    """Yield the headers outside the tree that the sources of a script include, and the headers in it that those do."""
    there: dict[str, str] = {}
    for path in files.paths:
        there.setdefault(posixpath.basename(path), path)
    todo, seen = [*_sources(files, script, is_main=where == "setup.py")], set[str]()
    while todo and len(seen) < _MOST_SOURCES:
        path = todo.pop(0)
        if path in seen:
            continue
        seen.add(path)
        names = tuple(_headers(text_of(files, path)))
        todo += [there[base] for name in names if (base := posixpath.basename(name)) in there]
        yield from (Wish(Missing("header", name), path) for name in _outside(names, there))
    texts_of_cffi = (text for call in _cffi_calls(script) for text in constants(call.args[1:2]))
    for name in _outside((name for text in texts_of_cffi for name in _headers(text)), there):
        yield Wish(Missing("header", name), where)


def _outside(names: Iterable[str], there: Mapping[str, str]) -> Iterator[str]:
    known = {*there, _MADE}
    return (name for name in names if posixpath.basename(name) not in known and not _COMPILERS_OWN.fullmatch(name))


def _cffi_calls(script: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(script):
        if isinstance(node, ast.Call) and called(node) == "set_source":
            yield node


def _sources(files: Files, script: ast.AST, *, is_main: bool) -> Iterator[str]:
    """Yield the sources that a script names; where setup.py names none, the tree's own if they are few."""
    named = [text for text in strings(script) if text.endswith(_SOURCES) and files.size(text) is not None]
    if named or not is_main:
        yield from named
        return
    built = {
        folder for path in files.paths if path.rpartition("/")[2] in _BUILDS and (folder := posixpath.dirname(path))
    }
    unnamed = _unnamed(script)
    own = [
        path
        for path in files.paths
        if path.endswith(_SOURCES) and not _is_aside(path, built) and not unnamed(*posixpath.split(path))
    ]
    compiled = [path for path in own if not path.endswith((".h", ".hpp"))]
    if len(compiled) <= _MOST_SOURCES and files.size("setup.py") is not None:
        yield from compiled


def _unnamed(script: ast.AST) -> Callable[[str, str], bool]:
    """Tell of a folder and a file whether a script fills names into a pattern for the folder, but not this one.

    `["deps/%s.c" % name for name in ("a", "b")]` compiles two files of what may be many.
    """
    words = frozenset(strings(script))
    patterns = {(match["folder"], match["ending"]) for match in map(_PATTERN.fullmatch, words) if match}

    def is_unnamed(folder: str, base: str) -> bool:
        stem, ending = posixpath.splitext(base)
        return (folder, ending) in patterns and stem not in words

    return is_unnamed


def _is_aside(path: str, built: Collection[str]) -> bool:
    """Tell whether a path is of tests or examples, or of a library that is built by rules of its own."""
    folders = path.split("/")[:-1]
    parents = ("/".join(folders[: depth + 1]) for depth in range(len(folders)))
    return not _ASIDE.isdisjoint(folders) or any(parent in built for parent in parents)


def _headers(text: str) -> Iterator[str]:
    """Yield the headers that a text includes under no condition; an include guard around everything is none."""
    depth = -1 if _GUARD.match(text) else 0
    for line in text.splitlines():
        if (extern := _EXTERN.match(line.strip())) is not None:
            yield extern["name"]
        if not (stripped := line.lstrip()).startswith("#"):
            continue
        if (condition := _CONDITION.match(stripped)) is not None:
            depth += -1 if condition["word"] == "endif" else 1
        elif depth <= 0 and (include := _INCLUDE.match(stripped)) is not None:
            yield include["name"]
