"""What a source's build asks of the system: headers, libraries, `pkg-config` names and programs, found by reading.

Only what no condition decides counts, and only where the build itself names it: an image need not hold what an option
of a vendored library would use.
"""

import ast
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from factory.errors import SourceError
from factory.init.blocks import CMAKE_BLOCK, MESON_BLOCK, Blocks
from factory.init.modules import CMAKE_BELOW, MESON_BELOW, texts
from factory.project.files import Files, read_text
from factory.project.setup_script import called, parsed

_HEADERS = ("usr/include/{}", "usr/include/x86_64-linux-gnu/{}")
_LIBRARIES = ("usr/lib/x86_64-linux-gnu/lib{}.so", "usr/lib/lib{}.so")
_MODULES = (
    "usr/lib/x86_64-linux-gnu/pkgconfig/{}.pc",
    "usr/lib/pkgconfig/{}.pc",
    "usr/share/pkgconfig/{}.pc",
)
_CONFIGURATIONS = (
    "usr/lib/x86_64-linux-gnu/cmake/{0}/{0}Config.cmake",
    "usr/lib/x86_64-linux-gnu/cmake/{1}/{1}-config.cmake",
    "usr/lib/cmake/{0}/{0}Config.cmake",
    "usr/lib/cmake/{1}/{1}-config.cmake",
    "usr/lib/x86_64-linux-gnu/pkgconfig/{0}.pc",
    "usr/lib/x86_64-linux-gnu/pkgconfig/{1}.pc",
    "usr/lib/x86_64-linux-gnu/pkgconfig/lib{1}.pc",
)
_PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "header": _HEADERS,
        "library": _LIBRARIES,
        "pkg-config": _MODULES,
        "program": ("usr/bin/{}",),
        "find_package": _CONFIGURATIONS,
    }
)
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".h", ".hpp")
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,80}+"
_INCLUDE = re.compile(r'#\s*+include\s*+[<"](?P<name>[\w./+-]{1,100}+)[>"]')
_CONDITION = re.compile(r"#\s*+(?P<word>if|ifdef|ifndef|endif)\b")
_EXTERN = re.compile(r"""cdef\s++extern\s++from\s++["']<?(?P<name>[\w./+-]{1,100}+)>?["']""")
_CONFIG = re.compile(r"[a-z0-9][\w.+]{0,60}+(?:-[a-z0-9]{1,20}+){0,3}+[-_]?config|[a-z][\w.+]{0,40}[-_]config")
_NO_CONFIG = re.compile(r"pkg-?config|python[\d.]*-config|build_config|.*_build_config")
_MESON = re.compile(
    rf"(?<![\w.])dependency\(\s*+'(?P<name>{_NAME})'(?P<rest>[^()]{{0,500}}+(?:\([^()]{{0,200}}+\)[^()]{{0,300}}+){{0,5}}+)\)"
)
_MESON_OPTIONAL = re.compile(
    r"required\s*+:\s*+(?:false\b|get_option|\w++\s*+(?:[,)]|$))(?<!true)|fallback\s*+:|disabler\s*+:|native\s*+:\s*+true"
)
_CMAKE = re.compile(rf"find_package\s*+\(\s*+(?P<name>{_NAME})(?P<rest>[^()]{{0,500}}+)\)", re.IGNORECASE)
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
_OWN = frozenset({"m", "c", "dl", "pthread", "rt", "util", "stdc++", "gcc", "gcc_s", "gomp"})
_SYSTEM = re.compile(r"platform|os\.name|linux|darwin|win32|windows|posix|system\(\)|_WIN\b|macos", re.IGNORECASE)
_COMPILERS_OWN = re.compile(
    r"(?:std(?:arg|bool|def|int|align|atomic|noreturn)|float|limits|iso646|varargs|omp|cpuid|quadmath|arm_\w++|\w*intrin)\.h"
    r"|(?:Python|structmember|datetime|frameobject|pythread|patchlevel|pyconfig)\.h|(?:numpy|pybind11|nanobind)/.*|[^./]++"
)  # C++'s have neither dot nor folder
_PKG_CONFIG = re.compile(r"pkg.?config", re.IGNORECASE)
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
_MOST_WISHES = 200
_RANKS = ("pkg-config", "find_package", "program", "library", "header")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that a build asks for: its kind, its name as the source writes it, and where."""

    kind: str
    name: str
    where: str

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths at which Debian's packages hold such a thing."""
        return tuple(place.format(self.name, self.name.lower()) for place in _PLACES[self.kind])

    @property
    def any_folder(self) -> str:
        """A header's path in any folder of headers: what only `pkg-config` or a `-I` leads to. "" for other kinds."""
        return f"*/{self.name}" if self.kind == "header" else ""

    @property
    def words(self) -> str:
        """Its name as comments spell it."""
        return {"library": f"lib{self.name}", "pkg-config": f"{self.name}.pc"}.get(self.kind, self.name)


def wishes(files: Files, backend: str) -> tuple[Wish, ...]:
    """Return what a build asks for, each once, the surest first; `backend` is the module that pyproject.toml names."""
    found: dict[tuple[str, str], Wish] = {}
    for wish in (*_of_script(files, backend), *_of_meson(files, backend), *_of_cmake(files, backend)):
        if len(found) < _MOST_WISHES:
            found.setdefault((wish.kind, wish.name), wish)
    return tuple(sorted(found.values(), key=lambda wish: _RANKS.index(wish.kind)))


def _of_script(files: Files, backend: str) -> Iterator[Wish]:
    for path, script in _scripts(files, backend).items():
        yield from _named_in(script, path)
        yield from _included(files, path, script)


def _scripts(files: Files, backend: str) -> Mapping[str, ast.AST]:
    """Return setup.py, the modules beside it that it imports, cffi's scripts, and a backend of the tree's own."""
    main = parsed(_text(files, "setup.py"))
    own = [path for path in files.paths if path.rpartition("/")[2] == f"{backend}.py" and path.count("/") <= 1]
    imported = [path for name in _imported(main) if files.size(path := f"{name}.py") is not None]
    paths = [*dict.fromkeys([*imported, *_cffi_scripts(files, main), *own])][:_MOST_SOURCES]
    return {"setup.py": main, **{path: parsed(_text(files, path)) for path in paths}}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _cffi_scripts(files: Files, tree: ast.AST) -> Iterator[str]:
    for text in _strings(tree):
        path, colon, _ = text.partition(":")
        if colon and path.endswith(".py") and files.size(path) is not None:
            yield path


def _named_in(script: ast.AST, where: str) -> Iterator[Wish]:
    """Yield libraries to link with, `*-config` programs, and names for pkg-config.

    The latter two are asked under conditions as a rule: whether a variable is set, or a system has the program.
    """
    for node in _on_linux(script):
        if isinstance(node, ast.Call | ast.Assign):
            yield from _all("library", _libraries(node), where)
    optional = frozenset(_optional(script))
    for node in ast.walk(script):
        if isinstance(node, ast.Call | ast.List | ast.Tuple):
            yield from _all("pkg-config", (name for name in _for_pkg_config(node) if name not in optional), where)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _all("program", _programs(node.value), where)


def _all(kind: str, names: Iterable[str], where: str) -> Iterator[Wish]:
    return (Wish(kind=kind, name=name, where=where) for name in names)


def _optional(script: ast.AST) -> Iterator[str]:
    for node in ast.walk(script):
        if isinstance(node, ast.Call):
            yield from _looked_for(node)


def _on_linux(script: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that at most the system decides: a library that is an option is not asked for."""
    todo = [script]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.If | ast.IfExp) and not _SYSTEM.search(ast.unparse(node.test)):
            todo.append(node.test)
        elif not isinstance(node, ast.ClassDef):  # which of its methods are called is not known
            todo += reversed(list(ast.iter_child_nodes(node)))


def _libraries(node: ast.Call | ast.Assign) -> Iterator[str]:
    """Yield the literal names in `libraries=[…]`, `libraries = […]` and `….libraries.append(…)`."""
    match node:
        case ast.Assign(targets=[target], value=ast.List(elts=elements)) if _is_libraries(target):
            names = _constants(elements)
        case ast.Call(func=ast.Attribute(attr="append", value=target), args=elements) if _is_libraries(target):
            names = _constants(elements)
        case ast.Call(keywords=keywords):
            lists = (item.value for item in keywords if item.arg == "libraries")
            names = _constants(one for item in lists if isinstance(item, ast.List | ast.Tuple) for one in item.elts)
        case _:
            return
    yield from (name for name in names if name not in _OWN and _is_name(name))


def _is_libraries(target: ast.expr) -> bool:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name == "libraries" or name.endswith("_libraries")
        case _:
            return False


def _for_pkg_config(node: ast.Call | ast.List | ast.Tuple) -> Iterator[str]:
    """Yield what `["pkg-config", "--cflags", "x"]`, `pkgconfig.parse("x")` and `pkg_config("x")` ask for."""
    if isinstance(node, ast.Call):
        words = [*_constants(node.args)] if _PKG_CONFIG.search(_target(node)) else []
    else:
        first = ast.unparse(node.elts[0]) if node.elts and isinstance(node.elts[0], ast.Constant | ast.Name) else ""
        words = [*_constants(node.elts[1:])] if _PKG_CONFIG.search(first) else []
    for name in (word for text in words for word in text.split()):
        if not name.startswith("-") and _is_name(name):
            yield name


def _looked_for(call: ast.Call) -> Iterator[str]:
    """Yield the names of which `pkgconfig.exists("x")` only asks whether they are there: they may be absent."""
    if _PKG_CONFIG.search(target := _target(call)) and target.endswith(("exists", "installed")):
        yield from (text.split()[0] for text in _constants(call.args) if text.strip())


def _target(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _constants(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _programs(text: str) -> Iterator[str]:
    words = text.split() if len(text) < 200 else ()  # noqa: PLR2004 -- longer texts are prose
    if len(words) <= 3 and words and _CONFIG.fullmatch(words[0]) and not _NO_CONFIG.fullmatch(words[0]):  # noqa: PLR2004 -- a program and its options
        yield words[0]


def _included(files: Files, where: str, script: ast.AST) -> Iterator[Wish]:
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
        names = tuple(_headers(_text(files, path)))
        todo += [there[base] for name in names if (base := posixpath.basename(name)) in there]
        yield from (Wish(kind="header", name=name, where=path) for name in _outside(names, there))
    texts_of_cffi = (text for call in _cffi_calls(script) for text in _constants(call.args[1:2]))
    for name in _outside((name for text in texts_of_cffi for name in _headers(text)), there):
        yield Wish(kind="header", name=name, where=where)


def _outside(names: Iterable[str], there: Mapping[str, str]) -> Iterator[str]:
    return (name for name in names if posixpath.basename(name) not in there and not _COMPILERS_OWN.fullmatch(name))


def _cffi_calls(script: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(script):
        if isinstance(node, ast.Call) and called(node) == "set_source":
            yield node


def _sources(files: Files, script: ast.AST, *, is_main: bool) -> Iterator[str]:
    """Yield the sources that a script names; where setup.py names none, the tree's own if they are few."""
    named = [text for text in _strings(script) if text.endswith(_SOURCES) and files.size(text) is not None]
    if named or not is_main:
        yield from named
        return
    built = {
        folder for path in files.paths if path.rpartition("/")[2] in _BUILDS and (folder := posixpath.dirname(path))
    }
    own = [path for path in files.paths if path.endswith(_SOURCES) and not _is_aside(path, built)]
    compiled = [path for path in own if not path.endswith((".h", ".hpp"))]
    if len(compiled) <= _MOST_SOURCES and files.size("setup.py") is not None:
        yield from compiled


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


def _of_meson(files: Files, backend: str) -> Iterator[Wish]:
    if backend != "mesonpy":
        return
    wraps = {posixpath.basename(path).removesuffix(".wrap").lower() for path in files.paths if path.endswith(".wrap")}
    for path, text in texts(files, "", "meson.build", MESON_BELOW):
        blocks = Blocks(text, MESON_BLOCK)
        for match in _MESON.finditer(text):
            name = match["name"]
            wanted = name.lower() not in _BUILT_IN | wraps and not _MESON_OPTIONAL.search(match["rest"])
            if wanted and not blocks.around(match.start()):
                yield Wish(kind="pkg-config", name=name, where=path)


def _of_cmake(files: Files, backend: str) -> Iterator[Wish]:
    if not backend.startswith(("scikit_build_core", "skbuild")) and backend != "setuptools":
        return
    for path, text in texts(files, "", "CMakeLists.txt", CMAKE_BELOW):
        blocks = Blocks(text, CMAKE_BLOCK)
        for match in _CMAKE.finditer(text):
            required = "REQUIRED" in match["rest"].split() and match["name"].lower() not in _BUILT_IN
            if required and not blocks.around(match.start()):
                yield Wish(kind="find_package", name=match["name"], where=path)
        for match in _CMAKE_CHECK.finditer(text):
            if "REQUIRED" in match["rest"].split() and not blocks.around(match.start()):
                yield from (Wish(kind="pkg-config", name=name, where=path) for name in _modules(match["rest"]))


def _modules(rest: str) -> Iterator[str]:
    for word in rest.split():
        name = re.split(r"[<>=]", word.strip('"'))[0]
        if not (word.isupper() and "_" in word) and word not in ("REQUIRED", "QUIET", "GLOBAL") and _is_name(name):
            yield name


def _strings(tree: ast.AST) -> Sequence[str]:
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _is_name(text: str) -> bool:
    return re.fullmatch(_NAME, text) is not None


def _text(files: Files, path: str) -> str:
    try:
        return read_text(files, path) or ""
    except SourceError:
        return ""  # too large, or not text: its own reader says so
